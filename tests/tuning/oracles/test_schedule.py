"""Hyperband's rounds, against the algorithm as its paper prints it and against KerasTuner's count."""

import math
from itertools import pairwise

import keras_tuner
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.tuning.oracles.schedule import Round, brackets, total_epochs, total_trials

MAX_EPOCHS, FACTORS = st.integers(1, 300), st.integers(2, 5)


def paper(resource, eta):
    """Algorithm 1 of Li et al. 2018: per bracket the survivors n_i and the resources r_i of its rounds."""
    s_max = 0
    while eta ** (s_max + 1) <= resource:
        s_max += 1
    budget = (s_max + 1) * resource
    for s in range(s_max, -1, -1):
        n, r = math.ceil(budget / resource * eta**s / (s + 1)), resource * eta**-s
        yield [(n // eta**i, r * eta**i) for i in range(s + 1)]


def keras_tuners(max_epochs, factor):
    oracle = keras_tuner.oracles.HyperbandOracle("val_loss", max_epochs=max_epochs, factor=factor)
    return [
        [(oracle._get_size(s, i), oracle._get_epochs(s, i)) for i in range(oracle._get_num_rounds(s))]
        for s in reversed(range(oracle._get_num_brackets()))
    ]


def pairs(plan):
    return [[(round_.size, round_.epochs) for round_ in bracket] for bracket in plan]


@given(MAX_EPOCHS, FACTORS)
def test_it_is_the_papers_with_fractions_of_a_trial_and_of_an_epoch_rounded_up(max_epochs, factor):
    ours, theirs = pairs(brackets(max_epochs, factor)), list(paper(max_epochs, factor))
    assert [len(bracket) for bracket in ours] == [len(bracket) for bracket in theirs]
    for our_bracket, their_bracket in zip(ours, theirs, strict=True):
        for (size, epochs), (n, r) in zip(our_bracket, their_bracket, strict=True):
            assert epochs - 1 < r - 1e-9 < epochs
            assert size >= n
            if factor ** (len(ours) - 1) == max_epochs:
                assert size - n in (0, 1)
        assert factor ** (len(ours) - 1) != max_epochs or our_bracket[0][0] == their_bracket[0][0]


@given(MAX_EPOCHS, FACTORS)
def test_sizes_and_epochs_are_keras_tuners(max_epochs, factor):
    assert pairs(brackets(max_epochs, factor)) == keras_tuners(max_epochs, factor)


@pytest.mark.parametrize(("max_epochs", "trials", "epochs"), [(1, 1, 1), (9, 23, 75), (27, 70, 375), (30, 90, 576)])
def test_totals(max_epochs, trials, epochs):
    plan = brackets(max_epochs, 3)
    assert (total_trials(plan), total_epochs(plan)) == (trials, epochs)


def test_the_rounds_of_nine_epochs():
    most_aggressive, *_ = brackets(9, 3)
    assert most_aggressive == (Round(9, 1, 0), Round(3, 3, 1), Round(1, 9, 3))


@given(MAX_EPOCHS, FACTORS, st.data())
def test_every_bracket_ends_at_the_full_budget_and_its_rounds_join(max_epochs, factor, data):
    min_epochs = data.draw(st.integers(1, max_epochs))
    plan = brackets(max_epochs, factor, min_epochs)
    assert [len(bracket) for bracket in plan] == list(range(len(plan), 0, -1))
    for bracket in plan:
        assert bracket[0].initial_epoch == 0 and bracket[-1].epochs == max_epochs
        assert all(after.initial_epoch == before.epochs for before, after in pairwise(bracket))
        assert all(round_.initial_epoch < round_.epochs for round_ in bracket)
        assert all(before.size >= after.size >= 1 for before, after in pairwise(bracket))


@given(MAX_EPOCHS, FACTORS, st.data())
def test_min_epochs_is_the_least_that_any_trial_gets_and_costs_no_bracket_it_need_not(max_epochs, factor, data):
    min_epochs = data.draw(st.integers(1, max_epochs))
    plan = brackets(max_epochs, factor, min_epochs)
    assert min(bracket[0].epochs for bracket in plan) >= min_epochs
    assert max_epochs / factor ** len(plan) < min_epochs


@given(st.integers(1, 20), FACTORS, st.integers(0, 4))
def test_the_sizes_depend_on_the_ratio_of_the_two_alone(min_epochs, factor, power):
    scaled = pairs(brackets(min_epochs * factor**power, factor, min_epochs))
    plain = pairs(brackets(factor**power, factor))
    assert [[(size, epochs * min_epochs) for size, epochs in bracket] for bracket in plain] == scaled


@pytest.mark.parametrize("arguments", [(9, 1), (9, 0), (0, 3), (9, 3, 0), (9, 3, 10)])
def test_an_impossible_schedule_is_refused(arguments):
    with pytest.raises(ValueError, match="Expected"):
        brackets(*arguments)
