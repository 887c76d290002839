"""The learning curve of a multirun: a metric over the amount of training data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from search.reporting.comparison.attempts import FINISHED
from search.reporting.comparison.run_table import HIGH, LOW
from search.reporting.comparison.seed_groups import SEED, grouped, label_of
from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, TOP
from search.reporting.report.sections.answer import spoken
from search.reporting.report.svg import Drawing, Scale, number, padded

FRACTION, SIZE = "dataset.train_fraction", "dataset.train_size"
# The styles of the page, in the order in which curves get them.
_STYLES = ("0", "1", "2", "5")
_LINE = 16
# Pixels between the curves at one amount of data.
_ASIDE = 6


class Amounts(NamedTuple):
    """How much training data each run had.

    Attributes:
        key: The override by which it varies.
        label: What the numbers are.
        values: The amount of each run; NaN where it is not known.
    """

    key: str
    label: str
    values: pd.Series


def amounts(table: pd.DataFrame, keys: Sequence[str]) -> Amounts | None:
    """The amount of training data, if that is what varies between the runs.

    Args:
        table: See `table_of_attempts`.
        keys: The varying overrides.
    """
    if FRACTION in keys:
        fractions = pd.to_numeric(table[FRACTION].replace({"null": "1", "": "1"}), errors="coerce")
        found = Amounts(FRACTION, "share of the training split", fractions)
    elif SIZE in keys:
        rows = table[[column for column in map(str, table) if column.startswith("sizes.train.")]]
        found = Amounts(SIZE, "texts to train with", rows.sum(axis="columns"))
    else:
        return None
    known = found.values[(table["status"] == FINISHED) & (found.values > 0)]
    return found if known.nunique() > 1 else None


def learning_curve(table: pd.DataFrame, keys: Sequence[str], found: Amounts, metric: str, width: int) -> Markup:
    """The metric over the amount of training data, on a log axis: a line of means for each other setting.

    Args:
        table: See `table_of_attempts`.
        keys: The varying overrides.
        found: The result of `amounts`.
        metric: A column of the table.
        width: Pixels.
    """
    others = [key for key in keys if key not in (SEED, found.key)]
    table = table.assign(**{found.key: found.values})[(table["status"] == FINISHED) & (found.values > 0)]
    means = grouped(table, [*others, found.key], [metric])
    means = means[means[f"{metric}.mean"].notna()].sort_values(found.key, kind="stable")
    name = spoken(metric.removeprefix("test."))
    curves = _named(means, others)
    drawing = Drawing(width, 320, f"Test {name} over the {found.label}: {_told(curves, metric)}")
    x = Scale(means[found.key].min(), means[found.key].max(), LEFT + 10, width - RIGHT - 16, log=True)
    y = Scale(*padded(_seen(table, means, metric), 0.1), 320 - BOTTOM, TOP)
    ticks = sorted(means[found.key].unique())
    drawing.axes(x, y, f"{found.label} (log scale)", name, ticks if len(ticks) <= width // 60 else ())
    scores = dict(_named(table, others))
    for i, (label, curve) in enumerate(curves):
        # Side by side: their bars would hide one another.
        aside = _ASIDE * (i - (len(curves) - 1) / 2)
        colour, dashed = _STYLES[i % len(_STYLES)], " dash" if i >= len(_STYLES) else ""
        points = [(x(at) + aside, y(mean)) for at, mean in zip(curve[found.key], curve[f"{metric}.mean"], strict=True)]
        drawing.line(points, f"c{colour} thick{dashed}", label)
        own = scores[label]
        for at, score in zip(own[found.key], own[metric], strict=True):
            if score == score:
                drawing.dot(x(at) + aside, y(score), 2.5, f"f{colour} see", f"{label}: {number(score, 4)}")
        for (px, py), row in zip(points, curve.to_dict("records"), strict=True):
            low, high = row[metric + LOW], row[metric + HIGH]
            text = f"{label}, {number(row[found.key])}: {number(row[f'{metric}.mean'], 4)}"
            if low == low:
                drawing.rule(px, y(low), px, y(high), f"c{colour}")
                text += f" ({number(low, 4)} to {number(high, 4)})"
            drawing.dot(px, py, 4.5, f"f{colour}", f"{text}, {_runs(row['runs'])}")
        if len(curves) > 1:
            at = y.start - 10 - _LINE * (len(curves) - 1 - i)
            drawing.rule(x.end - 28, at - 4, x.end - 4, at - 4, f"c{colour} thick{dashed}")
            drawing.text(x.end - 34, at, label, "halo", "end")
    return drawing.svg()


def _told(curves: Sequence[tuple[str, pd.DataFrame]], metric: str) -> str:
    """The means of each curve, in words."""
    means = ((label, ", ".join(number(mean) for mean in curve[f"{metric}.mean"])) for label, curve in curves)
    return "; ".join(f"{label} {listed}" for label, listed in means)


def _named(table: pd.DataFrame, keys: Sequence[str]) -> list[tuple[str, pd.DataFrame]]:
    """The parts of a table in which the keys have the same values, each with these values in words."""
    if not keys:
        return [(label_of({}, ()), table)]
    return [(label_of(part.iloc[0], keys), part) for _, part in table.groupby(list(keys), sort=False, dropna=False)]


def _seen(table: pd.DataFrame, means: pd.DataFrame, metric: str) -> list[float]:
    """The values that the axis covers: every score, and intervals up to the range of the scores on either side."""
    scores = table[metric].dropna()
    reach = float(scores.max() - scores.min()) / 2
    low, high = means[metric + LOW].min(), means[metric + HIGH].max()
    ends = [max(low, scores.min() - reach), min(high, scores.max() + reach)]
    return [float(value) for value in [*scores, *ends] if value == value]


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
