"""A trial's seed says what the trial is."""

from hypothesis import given
from hypothesis import strategies as st

from search.training.seeds import hyperparameter_values, trial_seed

VALUES = st.dictionaries(st.text(min_size=1), st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False)))


@given(VALUES, st.integers(0, 2**31))
def test_the_order_of_names_and_the_tuners_state_do_not_count(values, seed):
    shuffled = dict(reversed(values.items()))
    promoted = {**shuffled, "tuner/epochs": 9, "tuner/trial_id": "0003"}
    assert trial_seed(seed, values) == trial_seed(seed, promoted)
    assert 0 <= trial_seed(seed, values) < 2**31


@given(VALUES, st.integers(0, 1000), st.integers(0, 1000))
def test_another_search_seed_is_another_seed(values, one, other):
    assert (trial_seed(one, values) == trial_seed(other, values)) == (one == other)


def test_other_hyperparameters_are_another_seed():
    seeds = {trial_seed(0, {"units_1": units, "dropout": dropout}) for units in range(20) for dropout in (0.0, 0.1)}
    assert len(seeds) == 40


def test_tuner_state_is_no_hyperparameter():
    assert hyperparameter_values({"units_1": 3, "tuner/round": 1}) == {"units_1": 3}
