"""The training of all models in one picture: their accuracy and their loss after every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, TOP
from search.reporting.report.figures.values import core
from search.reporting.report.svg import Drawing, Scale, number, padded

# The colours of lines in the page's style, in the order in which models get them.
_COLOURS = ("0", "1", "2", "3", "4", "6", "7", "5")
_HEIGHT = 320
_TRAINED_ON = "training rows"
# Of the legend: from row to row, a line that shows a style, and a letter on average.
_LINE, _SAMPLE, _LETTER = 20, 22, 6.0

Curve = Mapping[int, float]


class Trained(NamedTuple):
    """A model's curves.

    Attributes:
        name: Its name.
        best_epoch: The epoch of its score.
        valid: Metric to epoch to value, on the validation rows.
        train: Metric to epoch to value, on the training rows.
    """

    name: str
    best_epoch: int
    valid: Mapping[str, Curve]
    train: Mapping[str, Curve]


def epoch_curves(
    found: Sequence[Trained],
    metrics: Mapping[str, str],
    majority: Mapping[str, float],
    always: str,
    held_out: str,
    width: int,
) -> Markup:
    """A panel for each metric, beside each other or below one another as the width allows.

    Args:
        found: At least one, at most as many as there are colours.
        metrics: The metrics, with their headings.
        majority: Metric to the score of always answering the largest class, on the held-out rows.
        always: The name of that baseline.
        held_out: The name of the held-out rows.
        width: Pixels.
    """
    across = width >= 2 * 320
    panel = width / len(metrics) if across else width
    lines = {metric: majority[metric] for metric in metrics if majority.get(metric) is not None}
    entries = [(f"c{colour} thick", one.name) for colour, one in zip(_COLOURS, found, strict=False)]
    entries += [("thick", held_out), ("thin", _TRAINED_ON)]
    if lines:
        scores = ", ".join(f"{metrics[metric]} {number(level)}" for metric, level in lines.items())
        entries.append(("cut", f"{always}: {scores}"))
    legend = [*_placed(entries, width)]
    below = _HEIGHT * (1 if across else len(metrics))
    described = "; ".join(f"{one.name}: {_last(one, metrics)}" for one in found)
    drawing = Drawing(width, below + legend[-1][1] + _LINE, f"Learning curves, {held_out}, {described}")
    for i, (metric, name) in enumerate(metrics.items()):
        place = (i * panel, 0.0, panel) if across else (0.0, i * float(_HEIGHT), panel)
        _panel(drawing, found, metric, name, place, lines.get(metric), held_out)
    for (x, y), (style, name) in zip(legend, entries, strict=True):
        drawing.rule(x, below + y - 4, x + _SAMPLE, below + y - 4, style)
        drawing.text(x + _SAMPLE + 6, below + y, name, room=width - x - _SAMPLE - 6)
    return drawing.svg()


def _panel(
    drawing: Drawing,
    found: Sequence[Trained],
    metric: str,
    name: str,
    place: tuple[float, float, float],
    level: float | None,
    held_out: str,
) -> None:
    left, top, width = place
    curves = [one.valid.get(metric, {}) for one in found] + [one.train.get(metric, {}) for one in found]
    epochs = [epoch for curve in curves for epoch in curve]
    first, last = min(epochs, default=0), max(epochs, default=1)
    x = Scale(first, max(first + 1, last), left + LEFT, left + width - RIGHT)
    values = core(pd.Series([value for curve in curves for value in curve.values()], dtype=float))
    y = Scale(*padded([*values, *([] if level is None else [level])]), top + _HEIGHT - BOTTOM, top + TOP)
    whole = [tick for tick in x.ticks(6) if tick == int(tick) and tick >= first]
    drawing.axes(x, y, "epoch", name, whole)
    if level is not None:
        drawing.rule(x.start, y(level), x.end, y(level), "cut")
    for colour, one in reversed(list(zip(_COLOURS, found, strict=False))):
        for split, style, curve in (
            (_TRAINED_ON, "thin", one.train.get(metric, {})),
            (held_out, "thick", one.valid.get(metric, {})),
        ):
            points = [(x(epoch), y(value)) for epoch, value in curve.items()]
            if points:
                tip = f"{one.name}, {split}: {number(list(curve.values())[-1], 4)} after {list(curve)[-1]} epochs"
                drawing.line(points, f"c{colour} {style}", tip)
            if len(points) == 1:
                drawing.dot(*points[0], 2, f"f{colour}", tip)
        best = one.valid.get(metric, {}).get(one.best_epoch)
        if best is not None:
            tip = f"{one.name}, best epoch {one.best_epoch}: {number(best, 4)}, {held_out}"
            drawing.dot(x(one.best_epoch), y(best), 4.5, f"f{colour}", tip)


def _placed(entries: Sequence[tuple[str, str]], width: float) -> Iterator[tuple[float, float]]:
    """The position of each entry of the legend, in rows as wide as the picture."""
    x, y = float(LEFT), 10.0
    for _, name in entries:
        size = _SAMPLE + 6 + len(name) * _LETTER
        if x > LEFT and x + size > width:
            x, y = float(LEFT), y + _LINE
        yield x, y
        x += size + 18


def _last(one: Trained, metrics: Mapping[str, str]) -> str:
    ends = [(name, one.valid.get(metric, {}).get(one.best_epoch)) for metric, name in metrics.items()]
    return ", ".join(f"{name} {number(value)}" for name, value in ends if value is not None)
