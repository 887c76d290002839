"""Scores against one hyperparameter at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.figures.values import core, domain_of, is_range, options, value_text
from search.reporting.report.svg import Drawing, Scale, number, padded
from spaces import Parameter

# Multiples of it, cut to their fraction, fill an interval evenly whatever their number.
_GOLDEN = 0.6180339887


def slice_of(
    name: str,
    values: pd.Series,
    scores: pd.Series,
    trials: Sequence[str],
    objective: str,
    parameter: Parameter | None = None,
) -> Markup:
    """Scores against the values of one hyperparameter.

    Args:
        name: The hyperparameter.
        values: Its value in each configuration; NaN where it does not exist.
        scores: Their scores.
        trials: Their ids.
        objective: Name of the score.
        parameter: The hyperparameter in the space; None: not known.
    """
    drawing = Drawing(SMALL, 300, f"{objective} against {name}, {len(values)} configurations")
    y = Scale(*padded(core(scores)), 300 - BOTTOM, TOP)
    domain = domain_of(values, parameter)
    if domain is not None and is_range(values, parameter):
        present = values.notna().to_numpy()
        numbers = values.to_numpy(float, na_value=np.nan)
        x = domain.scale(LEFT, SMALL - RIGHT)
        drawing.axes(x, y, name, objective)
        at = [x(value) for value in numbers]
        keep = present
    else:
        words = options(values)
        x = Scale(-0.5, len(words) - 0.5, LEFT, SMALL - RIGHT)
        drawing.levels(x, y)
        room = (x.end - x.start) / len(words)
        for i, word in enumerate(words):
            drawing.text(x(i), y.start + 17, word, anchor="middle", room=room)
        drawing.names(x, y, name, objective)
        shown = [value_text(value) for value in values]
        # Side by side where they would hide each other, in the order of the trials: no chance is drawn in.
        order = pd.Series(shown).groupby(shown).cumcount()
        at = [
            x(words.index(word)) + ((i * _GOLDEN) % 1 - 0.5) * room * 0.6 for word, i in zip(shown, order, strict=True)
        ]
        for i, word in enumerate(words):
            median = float(np.median([s for s, w in zip(scores, shown, strict=True) if w == word]))
            drawing.rule(x(i) - room * 0.36, y(median), x(i) + room * 0.36, y(median), "c1 thick")
        keep = np.ones(len(values), dtype=bool)
    for px, score, trial, value, there in zip(at, scores, trials, values, keep, strict=True):
        if there:
            drawing.dot(px, y(score), 3.5, "f0 see", f"trial {trial}: {name} {value_text(value)}, {number(score, 4)}")
    return drawing.svg()
