"""The picture of quality against speed: scores and milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.svg import Drawing, Scale, number, padded

# Pixels from one name to the next below it.
_LINE = 14
_HEIGHT = 320
# An axis of logarithms has no zero.
_LEAST = 1e-5


class Costed(NamedTuple):
    """A classifier with its score and its time per text."""

    name: str
    score: float
    test: float | None
    """Score on the test split, where it was tested."""
    milliseconds: float
    is_baseline: bool
    on_front: bool = False
    """Whether it is on the Pareto front: no other is as good and as fast, and better in one of the two."""


def quality_against_time(points: Sequence[Costed], metric: str, limit: float | None, noun: str) -> Markup:
    """Scores over milliseconds per text or image, on a log axis, with the Pareto front.

    Args:
        points: The classifiers, at least one.
        metric: The name of the scores.
        limit: The limit of milliseconds; None without one.
        noun: The word for what they are measured of, text or image.
    """
    front = sorted((one for one in points if one.on_front), key=lambda one: one.milliseconds)
    on_front = ", ".join(f"{one.name} ({number(one.score)}, {number(one.milliseconds)} ms)" for one in front)
    drawing = Drawing(
        SMALL, _HEIGHT, f"{metric} against milliseconds per {noun}; on the Pareto front, the fastest first: {on_front}"
    )
    times = [max(spent, _LEAST) for spent in (*(one.milliseconds for one in points), *([limit] if limit else []))]
    x = Scale(min(times) / 3, max(times) * 3, LEFT, SMALL - RIGHT, log=True)
    y = Scale(*padded([one.score for one in points], 0.12), _HEIGHT - BOTTOM, TOP)
    drawing.axes(x, y, f"milliseconds per {noun} (log scale)", metric)
    if limit:
        drawing.rule(x(limit), y.start, x(limit), y.end, "cut")
        drawing.text(x(limit) - 5, y.end + 6, f"limit {number(limit)} ms", "halo", "end")
    drawing.line(
        [*((x(one.milliseconds), y(one.score)) for one in front), (x.end, y(front[-1].score))], "c2", steps=True
    )
    below = 0.0
    for one in sorted(points, key=lambda one: y(one.score)):
        px, py = x(one.milliseconds), y(one.score)
        # Names of equals stand below one another.
        below = max(py + 4, below + _LINE)
        style = "hollow" if not one.on_front else "f5" if one.is_baseline else "f0"
        place = "on the Pareto front" if one.on_front else "off the front"
        tip = f"{one.name}: {number(one.score, 4)}, {number(one.milliseconds)} ms per text, {place}"
        drawing.dot(px, py, 6 if one.on_front else 4.5, style, tip)
        left = px > (x.start + x.end) / 2
        drawing.text(
            px + (-10 if left else 10),
            below,
            one.name,
            "halo" + ("" if one.is_baseline else " strong") + ("" if one.on_front else " name"),
            "end" if left else "start",
        )
    return drawing.svg()
