"""The score over two hyperparameters: good where good configurations are, empty where there are none."""

import re

import numpy as np
import pandas as pd

from search.reporting.report.figures.contour_pictures import contours
from spaces import Choice, Float

SPACE = {"rate": Float(0.001, 0.1, log=True), "dropout": Float(0.0, 0.5), "kind": Choice(["a", "b", "c"])}


def made(rows=40, higher=True):
    rng = np.random.default_rng(0)
    rates, dropout = 0.001 * 10 ** rng.uniform(0, 1, rows), rng.uniform(0, 0.5, rows)
    score = np.where(dropout > 0.25, 0.9, 0.5) * (1 if higher else -1)
    kinds = [("a", "b", None)[i % 3] for i in range(rows)]
    return pd.DataFrame(
        {"trial_id": [f"{i}" for i in range(rows)], "score": score, "rate": rates, "dropout": dropout, "kind": kinds}
    )


def cells(picture):
    """x, y, width and band of every bar of the surface."""
    found = re.findall(r'<rect class="z(\d)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', picture)[:-5]
    return [(float(x), float(y), float(width), int(band)) for band, x, y, width in found]


def test_the_surface_follows_the_scores_in_either_direction():
    for higher in (True, False):
        ((names, picture),) = contours(
            made(higher=higher), ["rate", "dropout"], "f1", higher_is_better=higher, space=SPACE
        )
        assert names == "rate and dropout"
        assert picture.count("<circle") == 40
        middle = np.median([y for _, y, _, _ in cells(picture)])
        above, below = ([band for _, y, _, band in cells(picture) if (y < middle) == up] for up in (True, False))
        assert np.mean(above) > 3 > 1 > np.mean(below)


def test_nothing_is_drawn_far_from_all_configurations():
    ((_, picture),) = contours(made(), ["rate", "dropout"], "f1", higher_is_better=True, space=SPACE)
    # Rates from 0.001 to 0.01 are the left half of an axis that ends at 0.1.
    assert max(x + width for x, _, width, _ in cells(picture)) < 320


def test_pairs_are_of_the_first_names_and_of_configurations_that_have_both():
    found = contours(made(), ["kind", "dropout", "rate"], "f1", higher_is_better=True, space=SPACE)
    assert [names for names, _ in found] == ["kind and dropout", "kind and rate", "dropout and rate"]
    assert found[0][1].count("<circle") == 27
    assert contours(made(6), ["rate", "dropout"], "f1", higher_is_better=True, space=SPACE) == []
