"""Pictures of the model on the test split: confusion, curves, calibration, scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from search.evaluation.curves import Curve, Reliability, wilson
from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.svg import Drawing, Scale, number

Floats = NDArray[np.float64]

_MOST_NUMBERS = 12
_SQUARE = 310
# No drawn point is further from the true curve than this share of an axis, about a pixel.
STEP = 0.004
BINS = 40


def confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str]) -> Markup:
    """Rows by true class, columns by predicted class, darker where a larger share of the true class falls."""
    k = len(classes)
    left = min(120, max(74, 16 + 7 * max(len(name) for name in classes)))
    cell = (SMALL - left - RIGHT) / k
    height = TOP + 16 + cell * k * (0.62 if k <= 4 else 1) + 14
    tall = (height - TOP - 30) / k
    right = int(np.trace(counts))
    drawing = Drawing(SMALL, height, f"Confusion matrix: {right:,} of {counts.sum():,} right")
    drawing.text(left, 12, "predicted", "name")
    drawing.text(4, 12, "true class", "name")
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    label_size = tall >= 9
    for i, name in enumerate(classes):
        if label_size:
            drawing.text(left - 6, TOP + 16 + tall * (i + 0.5) + 4, name, anchor="end", room=left - 8)
        if cell >= 34:
            drawing.text(left + cell * (i + 0.5), TOP + 8, name, anchor="middle", room=cell)
        for j, other in enumerate(classes):
            x, y = left + cell * j, TOP + 16 + tall * i
            tip = f"{name}, predicted {other}: {counts[i, j]:,} ({shares[i, j]:.1%})"
            drawing.bar(
                x + 0.5,
                y + 0.5,
                cell - 1,
                tall - 1,
                "cell" if i == j else "cell wrong",
                tip,
                fill=0.04 + 0.86 * shares[i, j],
            )
            if k <= _MOST_NUMBERS:
                style = "oncell" if shares[i, j] > 0.55 else ""
                drawing.text(x + cell / 2, y + tall / 2 + (-2 if k <= 6 else 4), f"{counts[i, j]:,}", style, "middle")
                if k <= 6:
                    drawing.text(x + cell / 2, y + tall / 2 + 14, f"{shares[i, j]:.0%}", f"small {style}", "middle")
    return drawing.svg()


def curve(
    found: Curve, labels: tuple[str, str], title: str, mark: tuple[float, float, str] | None, chance: float | None
) -> Markup:
    """A precision-recall or ROC curve.

    Args:
        found: The points.
        labels: The names of the axes.
        title: The heading.
        mark: The point of the chosen threshold, and its caption.
        chance: Height of a line that no skill reaches; None: the diagonal.
    """
    drawing = Drawing(SMALL, _SQUARE, title)
    x, y = Scale(0, 1, LEFT, SMALL - RIGHT), Scale(0, 1, _SQUARE - BOTTOM, TOP)
    drawing.axes(x, y, *labels)
    ends = (0.0, 1.0) if chance is None else (chance, chance)
    drawing.rule(x(0), y(ends[0]), x(1), y(ends[1]), "dash")
    drawing.line([(x(a), y(b)) for a, b in zip(found.x, found.y, strict=True)], "c0 thick", steps=chance is not None)
    if mark is not None:
        drawing.dot(x(mark[0]), y(mark[1]), 6, "f1 see", mark[2])
        left = mark[0] > 0.6
        drawing.text(
            x(mark[0]) + (-11 if left else 11),
            y(mark[1]) + (18 if mark[1] > 0.85 else -8),
            mark[2].split(":")[0],
            "halo strong",
            "end" if left else "start",
        )
    return drawing.svg()


def calibration(found: Reliability, error: float) -> Markup:
    """The share of right predictions by confidence; the bars below count the rows."""
    drawing = Drawing(SMALL, _SQUARE, f"Calibration, expected calibration error {error:.3f}")
    x, y = Scale(0, 1, LEFT, SMALL - RIGHT), Scale(0, 1, _SQUARE - BOTTOM, TOP)
    drawing.axes(x, y, "probability of the predicted class", "share that is right")
    drawing.rule(x(0), y(0), x(1), y(1), "dash")
    most = found.rows.max()
    low, high = wilson(found.accuracy * found.rows, found.rows)
    points = []
    for i, (confidence, accuracy, rows) in enumerate(zip(found.confidence, found.accuracy, found.rows, strict=True)):
        tip = f"sure by {confidence:.2f}: {accuracy:.1%} of {rows:,} rows right ({low[i]:.0%} to {high[i]:.0%})"
        drawing.bar(x(confidence) - 7, y.start - 48 * rows / most, 14, 48 * rows / most, "f5 see", tip)
        drawing.rule(x(confidence), y(low[i]), x(confidence), y(high[i]), "c0")
        points.append((x(confidence), y(accuracy), tip))
    drawing.line([(px, py) for px, py, _ in points], "c0 thick")
    for px, py, tip in points:
        drawing.dot(px, py, 4, "f0", tip)
    return drawing.svg()


def score_histogram(inside: Floats, outside: Floats, names: tuple[str, str], threshold: float | None) -> Markup:
    """Probabilities of a class, of its own rows above the axis and of the others below, each as shares.

    Args:
        inside: Probabilities of the rows of the class.
        outside: Probabilities of all other rows.
        names: The names of the two.
        threshold: The probability from which the class is predicted; None: none.
    """
    drawing = Drawing(
        SMALL, 300, f"Probabilities of {names[0]}: {len(inside):,} rows of it, {len(outside):,} of {names[1]}"
    )
    x = Scale(0, 1, LEFT, SMALL - RIGHT)
    middle = (TOP + 300 - BOTTOM) / 2
    shares = [np.histogram(rows, BINS, (0, 1))[0] / max(1, len(rows)) for rows in (inside, outside)]
    tallest = max(0.01, *(float(share.max()) for share in shares))
    room = middle - TOP - 4
    for tick in Scale(0, tallest, 0, 1).ticks(3):
        for sign in (1, -1):
            at = middle - sign * room * tick / tallest
            drawing.rule(x.start, at, x.end, at, "grid")
            drawing.text(x.start - 6, at + 4, f"{tick:.3g}", anchor="end")
    for share, rows, name, style, sign in (
        (shares[0], inside, names[0], "f0", 1),
        (shares[1], outside, names[1], "f1", -1),
    ):
        for i, part in enumerate(share):
            if part:
                height = room * part / tallest
                tip = f"{name}: {part * len(rows):,.0f} rows from {i / BINS:.3f} to {(i + 1) / BINS:.3f} ({part:.1%})"
                drawing.bar(
                    x(i / BINS) + 0.5,
                    middle - height if sign > 0 else middle,
                    x(1 / BINS) - x(0) - 1,
                    height,
                    style,
                    tip,
                )
    drawing.rule(x.start, middle, x.end, middle, "axis")
    for tick in x.ticks():
        drawing.text(x(tick), 300 - BOTTOM + 17, number(tick), anchor="middle")
    drawing.text(x.end, TOP - 8, names[0], "t0 strong", "end", room=200)
    drawing.text(x.end, 300 - BOTTOM - 4, names[1], "t1 strong", "end", room=200)
    drawing.text((x.start + x.end) / 2, 300 - BOTTOM + 33, f"probability of {names[0]}"[:60], "name", "middle")
    drawing.text(4, TOP - 9, "share of rows", "name")
    if threshold is not None:
        drawing.rule(x(threshold), TOP, x(threshold), 300 - BOTTOM, "cut")
        left = threshold > 0.6
        drawing.text(
            x(threshold) + (-5 if left else 5),
            TOP + 8,
            f"threshold {number(threshold)}",
            "halo",
            "end" if left else "start",
        )
    return drawing.svg()
