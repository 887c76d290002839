import itertools

import keras_tuner
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces import Choice, Fixed, Float, Int, Space, SpaceError, When


def space_of_heads():
    return Space(
        {
            "kind": Choice(["a", "b"]),
            "depth": Int(0, 2),
            "one": Choice([1, 2, 3]),
            "two": Choice([1, 2]),
            "b": Fixed(1),
        },
        {"depth": When("kind", ("a",)), "one": When("depth", (1, 2)), "two": When("depth", (2,))},
    )


def with_values(space, values):
    """KerasTuner's hyperparameters of a trial that was given these values."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp, space.declare(hp)


def test_a_parameter_is_absent_where_its_condition_is_not_met():
    space = space_of_heads()
    assert with_values(space, {"kind": "b"})[1] == {"kind": "b", "b": 1}
    assert with_values(space, {"kind": "a", "depth": 1, "one": 3})[1] == {"kind": "a", "depth": 1, "one": 3, "b": 1}


def test_keras_tuner_knows_the_condition_and_keeps_no_inactive_value():
    hp, values = with_values(space_of_heads(), {"kind": "b"})
    assert [p.name for p in hp.space] == ["kind", "depth", "one", "two", "b"]
    assert [(c.name, c.values) for c in hp.space[3].conditions] == [("kind", ["a"]), ("depth", [2])]
    assert hp.values == values


def test_declaring_again_and_reading_back_from_disk_gives_the_same_values():
    hp, values = with_values(space_of_heads(), {"kind": "a", "depth": 2, "one": 2, "two": 1})
    assert space_of_heads().declare(hp) == values
    assert space_of_heads().declare(keras_tuner.HyperParameters.from_config(hp.get_config())) == values
    assert len(hp.space) == 5


def test_size_counts_the_combinations_that_keras_tuner_tells_apart():
    space = space_of_heads()
    seen = set()
    for combination in itertools.product(*(space[name].options for name in space)):
        hp, _ = with_values(space, dict(zip(space, combination, strict=True)))
        hp.ensure_active_values()
        seen.add(tuple(sorted(hp.values.items())))
    assert space.size() == len(seen) == 1 + 1 + 3 + 6


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_size_without_conditions_is_the_product(sizes):
    assert Space({str(i): Int(1, size) for i, size in enumerate(sizes)}).size() == len(
        list(itertools.product(*(range(size) for size in sizes)))
    )


def test_a_continuum_has_no_size_wherever_it_can_occur():
    assert Space({"rate": Float(0.0, 1.0)}).size() is None
    conditional = {"on": Choice([False, True]), "rate": Float(0.0, 1.0)}
    assert Space(conditional, {"rate": When("on", (True,))}).size() is None


def test_iterates_names_in_order():
    assert list(space_of_heads()) == ["kind", "depth", "one", "two", "b"]


@pytest.mark.parametrize(
    "conditions",
    [
        {"missing": When("kind", ("a",))},
        {"kind": When("later", (1,))},
        {"later": When("nowhere", (1,))},
        {"later": When("kind", ("c",))},
        {"later": When("kind", ())},
        {"later": When("rate", (0.5,))},
    ],
)
def test_a_condition_that_cannot_work_is_refused(conditions):
    parameters = {"kind": Choice(["a", "b"]), "rate": Float(0.0, 1.0), "later": Fixed(1)}
    with pytest.raises(SpaceError):
        Space(parameters, conditions)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # KerasTuner's own
def test_grid_search_visits_every_combination_once(tmp_path):
    space = space_of_heads()
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    oracle = keras_tuner.oracles.GridSearchOracle(objective=keras_tuner.Objective("score", "max"), hyperparameters=hp)
    oracle._set_project_dir(tmp_path, "grid")
    seen = []
    while (trial := oracle.create_trial("worker")).status == "RUNNING":
        seen.append(space.declare(trial.hyperparameters))
        oracle.update_trial(trial.trial_id, {"score": 0.0})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert len(seen) == space.size() == len({tuple(sorted(values.items())) for values in seen})


def test_a_parameter_may_depend_on_two_that_do_not_depend_on_each_other():
    parameters = {"kind": Choice(["a", "b"]), "deep": Choice([False, True]), "last": Choice([1, 2])}
    space = Space(parameters, {"last": When("deep", (True,), When("kind", ("b",)))})
    for kind, deep in itertools.product(["a", "b"], [False, True]):
        hp = keras_tuner.HyperParameters()
        hp.values = {"kind": kind, "deep": deep}
        assert ("last" in space.declare(hp)) == (kind == "b" and deep)
    assert space.size() == 5
