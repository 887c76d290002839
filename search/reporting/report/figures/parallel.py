"""Parallel coordinates: every configuration as a line through its hyperparameters to its score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from markupsafe import Markup

from search.reporting.report.figures.values import domain_of, options, value_text
from search.reporting.report.svg import Drawing, Scale, number
from spaces import Parameter

SHADES = 5
_BEST = 10
_Axis = tuple[str, list[float | None], list[tuple[float, str]]]


def parallel_coordinates(
    configurations: pd.DataFrame,
    hyperparameters: Sequence[str],
    objective: str,
    *,
    higher_is_better: bool,
    upright: bool,
    space: Mapping[str, Parameter] | None = None,
) -> Markup:
    """Draws configurations as lines, coloured by their score, the best ten bold; ranges can be selected on the axes.

    Args:
        configurations: A row for each, with trial_id, score and the hyperparameters.
        hyperparameters: Those to draw.
        objective: Name of the score.
        higher_is_better: Which scores are better.
        space: Name to declared parameter, which says whether an axis is logarithmic, and where it ends.
        upright: Axes side by side, for a wide page; else below each other, for a narrow one.
    """
    from_px, to_px = (30.0, 290.0) if upright else (16.0, 344.0)
    apart = 15 if upright else 44  # pixels from one tick to the next
    axes = [
        _axis(name, configurations[name], (space or {}).get(name), from_px, to_px, apart) for name in hyperparameters
    ]
    scores = configurations["score"].to_numpy(float)
    low, high = np.quantile(scores, [0.05, 1.0] if higher_is_better else [0.0, 0.95])
    scale = Scale(low, high, from_px, to_px) if higher_is_better else Scale(high, low, from_px, to_px)
    axes.append(
        (objective, [scale(v) for v in scores], [(scale(t), number(t)) for t in Scale(low, high, 0, 1).ticks(4)])
    )
    size = 1000 if upright else 46 * (len(axes) - 1) + 50
    across = Scale(0, max(1, len(axes) - 1), 60 if upright else 30, size - 60 if upright else size - 20)
    label = (
        f"Parallel coordinates of {len(configurations)} configurations through {len(hyperparameters)} hyperparameters"
    )
    drawing = Drawing(1000, 344, label) if upright else Drawing(360, size, label)

    def place(i: int, along: float) -> tuple[float, float]:
        # Upright axes grow upwards.
        return (across(i), 334 - along) if upright else (along, across(i))

    _lines(drawing, axes, configurations, scores if higher_is_better else -scores, place, upright)
    for i, (name, _, ticks) in enumerate(axes):
        drawing.rule(*place(i, from_px - 6), *place(i, to_px + 6), "axis")
        length = to_px - from_px + 12
        left, top = (across(i) - 10, 334 - to_px - 6) if upright else (from_px - 6, across(i) - 12)
        drawing.brush(left, top, 20 if upright else length, length if upright else 24, name)
        if upright:
            # Names in two rows, each with the room of two axes.
            room = 2 * (across(1) - across(0)) - 6 if len(axes) > 1 else 0
            drawing.text(across(i), 26 if i % 2 else 12, name, "name halo", "middle", room=room)
        else:
            drawing.text(4, across(i) - 8, name, "name halo")
        for at, tick in ticks:
            x, y = place(i, at)
            if upright:
                drawing.text(x + 4, y + 4, tick, "halo", room=min(90, across(1) - across(0) - 8))
            else:
                # At the edges a name goes inwards.
                anchor = "start" if x < from_px + 4 else "end" if x > to_px - 4 else "middle"
                drawing.text(
                    {"start": 4, "end": 356}.get(anchor, x), y + 13, tick, "halo", anchor, _room(ticks, to_px - from_px)
                )
    return drawing.svg()


def _lines(
    drawing: Drawing,
    axes: Sequence[_Axis],
    configurations: pd.DataFrame,
    goodness: np.ndarray,
    place: Callable[[int, float], tuple[float, float]],
    upright: bool,
) -> None:
    order = np.argsort(goodness, kind="stable")
    for rank, row in enumerate(order):
        shade = rank * SHADES // len(order)
        style = f"q{shade}" + (" thick" if rank >= len(order) - _BEST else "")
        along_each = [along[row] for _, along, _ in axes]
        # A line goes around the axis of a hyperparameter that its configuration does not have.
        points = [place(i, along) for i, along in enumerate(along_each) if along is not None]
        trial = configurations["trial_id"].iloc[row]
        tip = f"trial {trial}: {axes[-1][0]} {number(configurations['score'].iloc[row], 4)}"
        stations = [None if along is None else place(0, along)[int(upright)] for along in along_each]
        drawing.line(points, style, tip, stations=stations)


def _room(ticks: Sequence[tuple[float, str]], length: float) -> float:
    """Pixels from one tick to the next."""
    places = sorted(at for at, _ in ticks)
    return min([length, *(b - a for a, b in pairwise(places))]) - 4


def _axis(name: str, values: pd.Series, parameter: Parameter | None, start: float, end: float, apart: float) -> _Axis:
    present = values.dropna()
    domain = domain_of(values, parameter)
    if domain is not None:
        scale = domain.scale(start, end)
        ticks = [(scale(tick), number(tick, 2)) for tick in domain.ticks(scale, 4, apart)]
        return name, [None if pd.isna(value) else scale(float(value)) for value in values], ticks
    words = options(present)
    scale = Scale(0, max(1, len(words) - 1), start, end)
    place = {word: scale(i) if len(words) > 1 else (start + end) / 2 for i, word in enumerate(words)}
    return name, [place.get(value_text(value)) for value in values], [(at, word) for word, at in place.items()]
