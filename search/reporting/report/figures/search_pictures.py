"""Pictures of the search: the best score so far, brackets, learning curves, slices, importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.figures.values import core
from search.reporting.report.importance import Importance
from search.reporting.report.promotion_chains import Incumbent, Rounds
from search.reporting.report.svg import Drawing, Scale, number, padded

_CURVE_POINTS = 300


def incumbent_curve(path: Incumbent, ends: pd.DataFrame, objective: str, width: int) -> Markup:
    """The best score so far over the epochs spent, above the trials at the epoch at which they ended.

    Args:
        path: The steps of the curve.
        ends: A row per completed trial: trial_id, score and spent, the epochs of all trials at its end.
        objective: Name of the score.
        width: Pixels.
    """
    drawing = Drawing(width, 300, f"Best {objective} so far against epochs spent, {len(path.score)} improvements")
    x = Scale(0, max(1, path.total), LEFT, width - RIGHT)
    y = Scale(*padded([*core(ends["score"]), *path.score]), 300 - BOTTOM, TOP)
    drawing.axes(x, y, "epochs of training, all trials together", objective)
    for trial, score, spent in zip(ends["trial_id"], ends["score"], ends["spent"], strict=True):
        drawing.dot(x(spent), y(score), 2.5, "faint", f"trial {trial}: {number(score, 4)}")
    points = [(x(spent), y(score)) for spent, score in zip(path.epochs, path.score, strict=True)]
    drawing.line([*points, (x(path.total), points[-1][1])], "c0 thick", steps=True)
    for (px, py), score, trial, spent in zip(points, path.score, path.trial, path.epochs, strict=True):
        drawing.dot(px, py, 4, "f0", f"trial {trial}: {number(score, 4)} after {spent:,.0f} epochs in all")
    return drawing.svg()


def bracket_panel(bracket: Rounds, objective: str, scores: Sequence[float]) -> Markup:
    """One bracket: the scores of each round's trials, lines where a trial was promoted.

    Args:
        bracket: Its trials.
        objective: Name of the score.
        scores: The scores of all brackets, which share an axis.
    """
    scored = bracket.trials["score"].notna()
    alive: list[Any] = list(bracket.trials[scored].sort_values("promoted", kind="stable").itertuples())
    failed: list[Any] = list(bracket.trials[~scored].itertuples())
    drawing = Drawing(
        SMALL,
        260,
        f"Bracket {bracket.name}: {len(bracket.trials)} trials in {len(bracket.epochs)} rounds, "
        f"{int(bracket.trials['promoted'].sum())} promoted",
    )
    y = Scale(*padded(scores), 260 - BOTTOM, TOP)
    x = Scale(-0.3, len(bracket.epochs) - 0.7, LEFT, SMALL - RIGHT)
    drawing.levels(x, y, 4)
    for i, epochs in enumerate(bracket.epochs):
        in_round = int((bracket.trials["round"] == i).sum())
        drawing.text(x(i), 260 - BOTTOM + 17, f"{epochs} ep.", anchor="middle")
        drawing.text(x(i), 260 - BOTTOM + 31, f"{in_round} trial{'s' if in_round > 1 else ''}", "name", "middle")
    place = {row.trial_id: (x(row.round), y(row.score)) for row in alive}
    for row in alive:
        if row.parent in place:
            drawing.line([place[row.parent], place[row.trial_id]], "c0")
    for row in alive:
        kept = "went on" if row.promoted else "ended here"
        drawing.dot(
            *place[row.trial_id],
            4,
            "f0" if row.promoted else "hollow",
            f"trial {row.trial_id}: {number(row.score, 4)}, {kept}",
        )
    for row in failed:
        drawing.cross(x(row.round), y.start - 5, 4, "c1", f"trial {row.trial_id}: {row.status.lower()}")
    drawing.text(4, TOP - 9, objective, "name")
    return drawing.svg()


def learning_curves(curves: Mapping[str, Mapping[int, float]], best: str, objective: str, width: int) -> Markup:
    """Validation scores over epochs, the best trial's above the others.

    Args:
        curves: Trial to epoch to score.
        best: The trial to highlight.
        objective: Name of the score.
        width: Pixels.
    """
    values = [value for curve in curves.values() for value in curve.values()]
    # Epoch 0 is that of a head which was trained alone.
    first, last = min(min(curve) for curve in curves.values()), max(max(curve) for curve in curves.values())
    drawing = Drawing(width, 300, f"Learning curves of the best {len(curves)} configurations by {objective}")
    x = Scale(first, max(first + 1, last), LEFT, width - RIGHT)
    y = Scale(*padded(core(pd.Series(values))), 300 - BOTTOM, TOP)
    whole = [tick for tick in x.ticks(8 if width > SMALL else 5) if tick == int(tick) and tick >= first]
    drawing.axes(x, y, "epoch", objective, whole)
    for trial in sorted(curves, key=lambda one: one == best):
        points = list(curves[trial].items())
        points = [
            points[i] for i in sorted({*range(0, len(points), -(-len(points) // _CURVE_POINTS)), len(points) - 1})
        ]
        style = "c0 thick" if trial == best else "c5"
        if len(points) == 1:
            drawing.dot(x(points[0][0]), y(points[0][1]), 3, "f0" if trial == best else "f5", f"trial {trial}")
        drawing.line(
            [(x(e), y(v)) for e, v in points],
            style,
            f"trial {trial}: {number(points[-1][1], 4)} after {points[-1][0]} epochs",
        )
    return drawing.svg()


def importance_bars(found: Importance, width: int) -> Markup:
    """The importance of hyperparameters, with its spread over the fits."""
    rows = list(found.shares.items())
    height = TOP + 26 * len(rows) + BOTTOM
    left = min(150, 14 + 7 * max(len(name) for name, _ in rows))
    drawing = Drawing(width, height, "Importance of hyperparameters: " + ", ".join(f"{n} {v[0]:.2f}" for n, v in rows))
    low, high = min(0.0, *(v[1] for _, v in rows)), max(0.01, *(v[2] for _, v in rows))
    x = Scale(low, high * 1.05, left, width - RIGHT)
    bottom = height - BOTTOM
    for tick in x.ticks(5):
        drawing.rule(x(tick), TOP - 8, x(tick), bottom, "grid")
        drawing.text(x(tick), bottom + 17, number(tick), anchor="middle")
    for i, (name, (mean, low, high)) in enumerate(rows):
        at = TOP + 26 * i
        tip = f"{name}: {mean:.3f}, from {low:.3f} to {high:.3f} over the fits"
        drawing.text(left - 8, at + 12, name, anchor="end", room=left - 10)
        drawing.bar(min(x(0), x(mean)), at, abs(x(mean) - x(0)), 16, "f5" if name == "epochs" else "f0", tip)
        drawing.rule(x(low), at + 8, x(high), at + 8, "axis thick")
    drawing.text((x.start + x.end) / 2, bottom + 33, "growth of the error, in variances of the score", "name", "middle")
    return drawing.svg()
