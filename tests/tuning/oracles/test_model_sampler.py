"""Configurations from a model of the results: they follow from these alone, and look for what was good."""

import math
import random

import keras_tuner
import pytest

from search.tuning.oracles.model_sampler import Ended, Results, propose
from search.tuning.oracles.sampling import configuration, sample

pytest.importorskip("optuna")


def make_space():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b", "c"])
    hp.Int("units", 1, 8)
    hp.Float("rate", 1e-5, 1e-1, sampling="log")
    hp.Int("size", 1, 4096, sampling="log")
    hp.Fixed("always", 7)
    with hp.conditional_scope("kind", ["b"]):
        hp.Float("extra", 0.0, 1.0)
        hp.Boolean("flag")
    return hp.space


SPACE = make_space()


def drawn(number):
    return sample(SPACE, 0, number)


def ended(number, epochs=1, loss=None):
    values = drawn(number)
    far = abs(math.log10(values["rate"]) + 4) + (values["kind"] != "b") * 3
    return Ended({**values, "tuner/epochs": epochs}, epochs, far if loss is None else loss)


def proposed(ended, number=0, running=(), is_new=lambda values: True):
    return propose("tpe", SPACE, (0, number), Results(ended, running), is_new)


KNOWN = [ended(number) for number in range(40)]


def test_a_proposal_follows_from_its_arguments_alone():
    def some():
        return [proposed(KNOWN, number, [drawn(50)]) for number in (0, 1, 3)]

    random.seed(1)
    once = some()
    random.seed(2)
    assert some() == once
    assert len({str(values) for values in once}) == 3


def test_a_proposal_is_a_configuration_of_the_space():
    for number in (0, 1, 3, 4, 6, 7):
        values = proposed(KNOWN, number)
        assert tuple(values.items()) == configuration(SPACE, values)
        assert ("extra" in values) == (values["kind"] == "b") and values["always"] == 7
        assert 1e-5 <= values["rate"] <= 1e-1 and values["units"] in range(1, 9)
        assert type(values["size"]) is type(drawn(0)["size"])


def test_it_looks_where_results_were_good():
    proposals = [proposed(KNOWN, number) for number in range(30) if number % 3 < 2]
    assert sum(values["kind"] == "b" for values in proposals) > len(proposals) / 2
    near = [abs(math.log10(values["rate"]) + 4) < 1 for values in proposals]
    assert sum(near) > len(near) * 0.6


def test_a_failed_trial_is_worse_than_all_others():
    results = [ended(number, loss=math.nan if drawn(number)["kind"] == "a" else 1.0) for number in range(60)]
    proposals = [proposed(results, number) for number in range(30) if number % 3 < 2]
    assert sum(values["kind"] == "a" for values in proposals) < len(proposals) / 3


def test_it_is_silent_until_there_are_results_and_each_third_time():
    assert proposed(KNOWN[:9]) is None
    assert [proposed(KNOWN, number) is None for number in range(6)] == [False, False, True] * 2


def test_of_more_epochs_is_better_and_the_score_counts_among_equals():
    def good(results):
        return sum(values["kind"] == "b" for values in (proposed(results, number) for number in (0, 1, 3, 4, 6, 7)))

    by_epochs = [ended(number, epochs=3 if drawn(number)["kind"] == "b" else 1, loss=1.0) for number in range(40)]
    of_worse_scores = [Ended(one.values, one.epochs, one.loss + (one.epochs == 3)) for one in by_epochs]
    assert good(by_epochs) >= 4
    assert [proposed(by_epochs, number) for number in range(5)] == [proposed(of_worse_scores, n) for n in range(5)]


def test_what_was_tried_is_not_proposed_again():
    first = proposed(KNOWN)
    assert proposed(KNOWN, is_new=lambda values: values != first) not in (None, first)
    assert proposed(KNOWN, is_new=lambda values: False) is None
