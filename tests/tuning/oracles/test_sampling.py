"""Drawing configurations: each once, all of them, and none that depends on what it should not."""

import math
from contextlib import ExitStack

import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.tuning.oracles.sampling import active_values, configuration, sample


def draw_all(space, seed=0, most=1000):
    """Configurations in the order drawn, until there is none left."""
    drawn = []
    while (values := sample(space, seed, len(drawn), {tuple(d.items()) for d in drawn})) is not None:
        drawn.append(values)
        assert len(drawn) <= most
    return drawn


def combinations(space, values=()):
    """Every configuration of a space of choices, by plain enumeration."""
    if not space:
        return {values}
    first, rest = space[0], space[1:]
    if any(dict(values).get(condition.name) not in condition.values for condition in first.conditions):
        return combinations(rest, values)
    return set().union(*(combinations(rest, (*values, (first.name, option))) for option in first.values))


@st.composite
def choices(draw):
    """A space of one to four choices, each of which may hang on one before it."""
    hp = keras_tuner.HyperParameters()
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    scopes = []
    for i, size in enumerate(sizes):
        parent = draw(st.none() | st.integers(0, i - 1)) if i else None
        if parent is None:
            scopes.append([])
        else:
            kept = draw(st.lists(st.integers(0, sizes[parent] - 1), min_size=1, unique=True))
            scopes.append([*scopes[parent], (f"p{parent}", [f"{parent}.{j}" for j in kept])])
        with ExitStack() as stack:
            for scope in scopes[i]:
                stack.enter_context(hp.conditional_scope(*scope))
            hp.Choice(f"p{i}", [f"{i}.{j}" for j in range(size)])
    return hp.space


@settings(deadline=None)
@given(choices(), st.integers(0, 100))
def test_every_combination_comes_once_before_the_space_is_exhausted(space, seed):
    drawn = [tuple(values.items()) for values in draw_all(space, seed)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == combinations(space)


@pytest.mark.parametrize(
    ("declare", "values"),
    [
        (lambda hp: hp.Int("x", 1, 4), {1, 2, 3, 4}),
        (lambda hp: hp.Int("x", 1, 8, step=3), {1, 4, 7}),
        (lambda hp: hp.Int("x", 2, 32, step=2, sampling="log"), {2, 4, 8, 16, 32}),
        (lambda hp: hp.Int("x", 1, 30, sampling="log"), set(range(1, 31))),
        (lambda hp: hp.Int("x", 1, 30, sampling="reverse_log"), set(range(1, 31))),
        (lambda hp: hp.Float("x", 0.5, 2.0, step=0.5), {0.5, 1.0, 1.5, 2.0}),
        (lambda hp: hp.Float("x", 0.01, 1.0, step=10, sampling="log"), {0.01, 0.1, 1.0}),
        (lambda hp: hp.Float("x", 0.5, 0.5), {0.5}),
        (lambda hp: hp.Boolean("x"), {True, False}),
        (lambda hp: hp.Choice("x", [1, 1, 2]), {1, 2}),
        (lambda hp: hp.Fixed("x", "one"), {"one"}),
    ],
)
def test_every_kind_of_parameter_is_exhausted(declare, values):
    hp = keras_tuner.HyperParameters()
    declare(hp)
    drawn = [values_of["x"] for values_of in draw_all(hp.space)]
    assert len(drawn) == len(values) and set(drawn) == values
    assert all(type(value) in {type(one) for one in values} for value in drawn)


def test_a_space_without_parameters_has_one_configuration():
    assert draw_all([]) == [{}]


def test_a_rare_branch_is_found_among_many_tried():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["plain", "wide"])
    hp.Int("width", 0, 10**9, parent_name="kind", parent_values=["wide"])
    drawn = [sample(hp.space, 0, 0, set())]
    while len(drawn) < 200:
        drawn.append(sample(hp.space, 0, len(drawn), {tuple(values.items()) for values in drawn}))
    assert sum(values["kind"] == "plain" for values in drawn) == 1


def test_a_continuum_is_never_exhausted():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    tried = set()
    for number in range(500):
        tried.add(tuple(sample(hp.space, 7, number, tried).items()))
    assert len(tried) == 500
    logs = sorted(math.log10(dict(one)["rate"]) for one in tried)
    assert logs[250] == pytest.approx(-2.5, abs=0.2)  # the median of a log-uniform draw


def test_a_draw_follows_from_seed_and_number():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 0, 1)
    draws = {(seed, k): sample(hp.space, seed, k, set())["rate"] for seed in range(20) for k in range(20)}
    assert len(set(draws.values())) == 400
    assert draws[3, 5] == sample(hp.space, 3, 5, {(("rate", 0.5),)})["rate"]


def test_parameters_are_drawn_apart_from_each_other():
    hp = keras_tuner.HyperParameters()
    for name in ("a", "b"):
        hp.Float(name, 0, 1)
    values = [sample(hp.space, 0, number, set()) for number in range(1000)]
    assert abs(np.corrcoef([one["a"] for one in values], [one["b"] for one in values])[0, 1]) < 0.1


def test_a_parameter_added_later_leaves_the_others_alone():
    small, large = keras_tuner.HyperParameters(), keras_tuner.HyperParameters()
    large.Float("new", 0, 1)
    for hp in (small, large):
        hp.Float("rate", 0, 1)
    for number in range(10):
        assert sample(large.space, 0, number, set())["rate"] == sample(small.space, 0, number, set())["rate"]


def test_a_configuration_has_what_exists_in_it_and_no_more():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["plain", "wide"])
    hp.Int("width", 1, 9, parent_name="kind", parent_values=["wide"])
    hp.Boolean("late", default=True)
    values = {"kind": "plain", "width": 5, "tuner/epochs": 3}
    assert configuration(hp.space, values) == (("kind", "plain"), ("late", True))
    assert active_values(hp.space, lambda parameter: parameter.default) == {"kind": "plain", "late": True}
