"""Pictures of the answer, of the data, of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.svg import Drawing, Scale, number, padded


class Measured(NamedTuple):
    """A score with its interval, if that is known."""

    name: str
    score: float
    interval: tuple[float, float] | None
    is_model: bool


def scores_with_intervals(scores: Sequence[Measured], metric: str) -> Markup:
    """A dot and a line for the model and each baseline."""
    height = TOP + 34 * len(scores) + BOTTOM - 10
    left = 14 + 7 * max(len(one.name) for one in scores)
    drawing = Drawing(
        SMALL, height, f"{metric} on the test split: " + ", ".join(f"{s.name} {s.score:.3f}" for s in scores)
    )
    ends = [end for one in scores for end in (one.interval or ()) if end == end]
    x = Scale(*padded([*ends, *(one.score for one in scores)]), left, SMALL - RIGHT)
    bottom = height - BOTTOM + 4
    for tick in x.ticks(5):
        drawing.rule(x(tick), TOP - 12, x(tick), bottom, "grid")
        drawing.text(x(tick), bottom + 16, number(tick), anchor="middle")
    drawing.text((x.start + x.end) / 2, bottom + 32, f"{metric}, 95 % interval", "name", "middle")
    for i, one in enumerate(scores):
        y = TOP + 34 * i + 10
        style = "0" if one.is_model else "5"
        tip = f"{one.name}: {number(one.score, 4)}"
        if one.interval is not None and one.interval[0] == one.interval[0]:
            tip += f" ({number(one.interval[0], 4)} to {number(one.interval[1], 4)})"
            drawing.rule(x(one.interval[0]), y, x(one.interval[1]), y, f"c{style} wide")
        drawing.text(left - 10, y + 4, one.name, "strong" if one.is_model else "", "end")
        drawing.dot(x(one.score), y, 6, f"f{style}", tip)
        drawing.text(x(one.score), y - 10, number(one.score), "halo strong" if one.is_model else "halo", "middle")
    return drawing.svg()


def length_histogram(bins: Sequence[int], counts: Mapping[str, Sequence[int]]) -> Markup:
    """A histogram of words per text, as shares of each split's texts, on a log axis."""
    drawing = Drawing(SMALL, 280, "Words per text in each split")
    filled = [i for i in range(len(bins)) if any(split[i] for split in counts.values())]
    low, high = filled[0], min(filled[-1] + 1, len(bins) - 1)
    x = Scale(bins[low], max(bins[high], bins[low] + 1), LEFT, SMALL - RIGHT, log=True)
    shares = {name: [count / max(1, sum(split)) for count in split] for name, split in counts.items()}
    y = Scale(0, max(max(split) for split in shares.values()) * 1.05, 280 - BOTTOM, TOP)
    drawing.axes(x, y, "words per text (log scale)", "share of texts")
    for i, (name, split) in enumerate(shares.items()):
        points: list[tuple[float, float]] = [(x(bins[low]), y(0))]
        for k in range(low, high):
            points += [(x(bins[k]), y(split[k])), (x(bins[k + 1]), y(split[k]))]
        drawing.line(points, f"c{i}" + (" thick" if i == 0 else ""), name)
        drawing.text(SMALL - RIGHT - 6, TOP + 10 + 16 * i, name, f"t{i} strong halo", "end")
    return drawing.svg()


def phases(seconds: Mapping[str, float], width: int) -> Markup:
    """Seconds of each phase of the run."""
    height = 30 + 26 * len(seconds)
    drawing = Drawing(width, height, "Seconds per phase: " + ", ".join(f"{n} {number(s)}" for n, s in seconds.items()))
    most = max(*seconds.values(), 1e-9)
    for i, (name, spent) in enumerate(seconds.items()):
        drawing.text(64, 26 + 26 * i, name, anchor="end")
        size = (width - 64 - 90) * spent / most
        drawing.bar(72, 13 + 26 * i, size, 18, "f0", f"{name}: {number(spent)} s")
        drawing.text(78 + size, 26 + 26 * i, f"{number(spent)} s")
    return drawing.svg()
