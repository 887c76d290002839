"""Axes of hyperparameters are those of the space: linear or by ratios, from end to end, numbers as numbers."""

from itertools import pairwise

import pandas as pd
import pytest

from search.reporting.report.figures.parallel import parallel_coordinates
from search.reporting.report.figures.values import domain_of, is_range
from spaces import Choice, Float, Int


@pytest.mark.parametrize(
    ("parameter", "values", "log", "ends"),
    [
        (Float(0.0, 0.5), [0.01, 0.2, 0.45], False, (0.0, 0.5)),
        (Float(1e-4, 1e-1, log=True), [0.002, 0.003], True, (1e-4, 1e-1)),
        (Int(1, 100), [2, 90], False, (1, 100)),
        (Choice([64, 128, 256, 512]), [64, 512], True, (64, 512)),
        (Choice([0.0, 0.2, 0.5]), [0.2], False, (0.0, 0.5)),
        (None, [0.001, 0.5], True, (0.001, 0.5)),
        (Float(1e-4, 1e-1, log=True), [0.002, 0.3], True, (1e-4, 0.3)),  # a space that was changed since
    ],
)
def test_an_axis_is_as_the_space_declares_it(parameter, values, log, ends):
    domain = domain_of(pd.Series([*values, None]), parameter)
    assert (domain.log, domain.low, domain.high) == (log, *ends)


def test_few_tried_values_of_a_range_are_no_categories():
    rates = pd.Series([0.001, 0.002, 0.005])
    assert is_range(rates, Float(1e-4, 1e-1, log=True)) and not is_range(rates, Choice([0.001, 0.002, 0.005]))
    assert domain_of(pd.Series(["relu", "gelu"]), Choice(["relu", "gelu"])) is None
    assert domain_of(pd.Series([True, False]), Choice([False, True])) is None


def test_whole_numbers_have_no_ticks_between_them():
    domain = domain_of(pd.Series([1, 2]), Int(1, 2))
    assert domain.ticks(domain.scale(0, 100), 4, 10) == [1, 2]


def test_ticks_keep_their_distance():
    domain = domain_of(pd.Series([1.0, 2.0, 3.0, 100.0]), Choice([1.0, 2.0, 3.0, 100.0, 101.0]))
    scale = domain.scale(0, 100)
    places = [scale(tick) for tick in domain.ticks(scale, 4, 15)]
    assert len(places) >= 2 and all(b - a >= 15 for a, b in pairwise(places))


def test_the_picture_takes_its_ticks_from_the_space():
    table = pd.DataFrame({"trial_id": ["0", "1"], "score": [0.1, 0.2], "dropout": [0.1, 0.2]})
    drawn = parallel_coordinates(
        table, ["dropout"], "f1", higher_is_better=True, upright=True, space={"dropout": Float(0.0, 0.5)}
    )
    assert ">0.4<" in drawn
