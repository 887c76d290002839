"""Scores over two hyperparameters at a time, as the height of a landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, groupby, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from search.reporting.report.figures import BOTTOM, LEFT, RIGHT, SMALL, TOP
from search.reporting.report.figures.values import core, domain_of, options, value_text
from search.reporting.report.svg import Drawing, Scale, number
from spaces import Parameter

_HEIGHT = 330
_COLUMNS, _ROWS, _BANDS = 44, 32, 5
# Of the most important hyperparameters all pairs are drawn.
_NAMES = 4
# Configurations that have both hyperparameters, and places where they stand.
_LEAST, _PLACES = 8, 6


def contours(
    configurations: pd.DataFrame,
    hyperparameters: Sequence[str],
    objective: str,
    *,
    higher_is_better: bool,
    space: Mapping[str, Parameter],
) -> list[tuple[str, Markup]]:
    """Draws the score over pairs of hyperparameters.

    Args:
        configurations: A row for each, with trial_id, score and the hyperparameters.
        hyperparameters: The most important first.
        objective: Name of the score.
        higher_is_better: Which scores are better.
        space: Name to declared parameter.

    Returns:
        The names of each pair, and its picture.
    """
    found = []
    for first, second in combinations(hyperparameters[:_NAMES], 2):
        both = configurations[configurations[first].notna() & configurations[second].notna()]
        if len(both) >= _LEAST and len(both[[first, second]].drop_duplicates()) >= _PLACES:
            drawn = _contour(both, (first, second), objective, higher_is_better, space)
            found.append((f"{first} and {second}", drawn))
    return found


class _Axis(NamedTuple):
    """An axis with the values of the configurations.

    Attributes:
        scale: Shares of its length to pixels.
        at: Pixels of the values.
        ticks: Pixels and texts.
        categories: The number of categories, side by side; 0 for numbers.
    """

    scale: Scale
    at: NDArray[np.float64]
    ticks: list[tuple[float, str]]
    categories: int

    def cells(self, count: int) -> NDArray[np.float64]:
        """The distances of the values from the middles of `count` cells, in lengths of the axis [cells, values].

        Between categories there is nothing, and no distance: another one is infinitely far.
        """
        middles = (np.arange(count) + 0.5) / count
        shares = (self.at - self.scale.start) / (self.scale.end - self.scale.start)
        if not self.categories:
            return np.asarray(middles[:, None] - shares)
        own, cell = (np.floor(one * self.categories) for one in (shares, middles))
        return np.where(cell[:, None] == own, 0.0, np.inf)


def _contour(
    found: pd.DataFrame,
    names: tuple[str, str],
    objective: str,
    higher_is_better: bool,
    space: Mapping[str, Parameter],
) -> Markup:
    drawing = Drawing(SMALL, _HEIGHT, f"{objective} over {names[0]} and {names[1]}, {len(found)} configurations")
    x = _axis(found[names[0]], space.get(names[0]), LEFT, SMALL - RIGHT)
    y = _axis(found[names[1]], space.get(names[1]), _HEIGHT - BOTTOM, TOP + 16)
    kept = core(found["score"])
    scores = found["score"].to_numpy(float).clip(min(kept), max(kept))
    goodness = scores if higher_is_better else -scores
    surface = _surface(x, y, goodness)
    low, high = float(np.nanmin(surface)), float(np.nanmax(surface))
    _paint(drawing, x.scale, y.scale, surface, low, high)
    _frame(drawing, x, y, names)
    best = int(np.argmax(goodness))
    for i, (trial, score) in enumerate(zip(found["trial_id"], found["score"], strict=True)):
        values = ", ".join(f"{name} {value_text(found[name].iloc[i])}" for name in names)
        tip = f"trial {trial}: {values}, {objective} {number(score, 4)}"
        drawing.dot(x.at[i], y.at[i], 5 if i == best else 3, "hollow best" if i == best else "hollow", tip)
    _legend(drawing, low if higher_is_better else -low, high if higher_is_better else -high)
    return drawing.svg()


def _surface(x: _Axis, y: _Axis, goodness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the scores around each cell, weighted by distance (Nadaraya and Watson); NaN far from any of them.

    Returns:
        [rows, columns], from the bottom.
    """
    reach = 0.35 * len(goodness) ** (-1 / 6)  # in lengths of the axes
    squared = (x.cells(_COLUMNS)[None, :, :] ** 2 + y.cells(_ROWS)[:, None, :] ** 2) / reach**2
    weights = np.exp(-2 * squared)
    near = squared.min(axis=2) < 1
    return np.where(near, (weights * goodness).sum(axis=2) / np.maximum(weights.sum(axis=2), 1e-12), np.nan)


def _paint(drawing: Drawing, across: Scale, down: Scale, surface: NDArray[np.float64], low: float, high: float) -> None:
    """Fills the cells by the band of their height; neighbours of one band are one bar."""
    bands = np.full(surface.shape, -1)
    there = ~np.isnan(surface)
    bands[there] = np.minimum((surface[there] - low) / ((high - low) or 1) * _BANDS, _BANDS - 1).astype(int)
    width, height = (across.end - across.start) / _COLUMNS, (down.start - down.end) / _ROWS
    for row, line in enumerate(bands):
        at = 0
        for band, group in groupby(line):
            cells = len(list(group))
            if band >= 0:
                top = down.start - (row + 1) * height
                # A little wider and higher than it is: no seams.
                drawing.bar(across.start + at * width, top, cells * width + 0.3, height + 0.3, f"z{band}")
            at += cells


def _frame(drawing: Drawing, x: _Axis, y: _Axis, names: tuple[str, str]) -> None:
    left, bottom = x.scale.start, y.scale.start
    drawing.rule(left, bottom, x.scale.end, bottom, "axis")
    drawing.rule(left, bottom, left, y.scale.end, "axis")
    for place, text in x.ticks:
        drawing.text(place, bottom + 17, text, anchor="middle", room=_room(x.ticks, x.scale.end - left))
    for place, text in y.ticks:
        drawing.text(left - 6, place + 4, text, anchor="end", room=LEFT + 12)
    drawing.names(x.scale, y.scale, *names)


def _axis(values: pd.Series, parameter: Parameter | None, start: float, end: float) -> _Axis:
    whole = Scale(0, 1, start, end)
    domain = domain_of(values, parameter)
    if domain is not None:
        inner = 0.05 * (end - start)
        scale = domain.scale(start + inner, end - inner)
        ticks = [(scale(tick), number(tick, 2)) for tick in domain.ticks(scale, 4, 40)]
        return _Axis(whole, np.array([scale(float(value)) for value in values]), ticks, 0)
    words = options(values)
    scale = Scale(-0.5, len(words) - 0.5, start, end)
    at = np.array([scale(words.index(value_text(value))) for value in values])
    return _Axis(whole, at, [(scale(i), word) for i, word in enumerate(words)], len(words))


def _room(ticks: Sequence[tuple[float, str]], length: float) -> float:
    places = sorted(at for at, _ in ticks)
    return min([length, *(b - a for a, b in pairwise(places))]) - 4


def _legend(drawing: Drawing, worst: float, best: float) -> None:
    """The bands from the worst to the best mean, above the picture."""
    left = SMALL - RIGHT - 12 * _BANDS - 46
    for band in range(_BANDS):
        drawing.bar(left + 12 * band, 6, 12, 10, f"z{band}")
    drawing.text(left - 5, 15, number(worst, 3), anchor="end")
    drawing.text(left + 12 * _BANDS + 5, 15, number(best, 3))
