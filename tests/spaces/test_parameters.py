import keras_tuner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import Choice, Fixed, Float, Int, SpaceError, parameter_from


@pytest.mark.parametrize(
    ("written", "parameter"),
    [
        (3, Fixed(3)),
        (0.5, Fixed(0.5)),
        (True, Fixed(True)),
        ("relu", Fixed("relu")),
        ([64, 128], Choice((64, 128))),
        ([0, 0.5], Choice((0.0, 0.5))),
        ([False, True], Choice((False, True))),
        ({"values": ["a", "b"]}, Choice(("a", "b"))),
        ({"min": 1, "max": 3}, Int(1, 3)),
        ({"min": 8, "max": 64, "step": 2, "log": True}, Int(8, 64, step=2, log=True)),
        ({"min": 0, "max": 0.5}, Float(0.0, 0.5)),
        ({"min": 1e-4, "max": 1, "log": True}, Float(1e-4, 1.0, log=True)),
        (Int(1, 2), Int(1, 2)),
    ],
)
def test_what_yaml_writes_is_read_as_the_parameter_it_describes(written, parameter):
    read = parameter_from(written)
    assert read == parameter
    assert [type(limit) for limit in read.limits] == [type(limit) for limit in parameter.limits]


def test_whole_numbers_stand_for_real_ones_where_asked():
    assert parameter_from({"min": 1, "max": 2}, real=True) == Float(1.0, 2.0)
    assert isinstance(parameter_from(0, real=True).options[0], float)
    assert [type(value) for value in parameter_from({"values": [0, 1]}, real=True).options] == [float, float]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ([], "empty"),
        ([1, 1], "1"),
        ([1, "a"], "one type"),
        ([True, 1], "one type"),
        ([None], "None"),
        ([[1]], r"\[1\]"),
        (None, "None"),
        (float("nan"), "finite"),
        ({"values": "abc"}, "abc"),
        ({"values": []}, "empty"),
        ({"values": [1], "min": 1}, "min"),
        ({"min": 2, "max": 1}, "min 2 and max 1"),
        ({"min": 0.2, "max": 0.1}, "min 0.2 and max 0.1"),
        ({"min": 0, "max": 1, "log": True}, "above 0"),
        ({"min": -1.0, "max": 1.0, "log": True}, "above 0"),
        ({"min": 1, "max": 2, "log": "yes"}, "yes"),
        ({"min": 1, "max": 2, "step": 0}, "step"),
        ({"min": 1, "max": 2, "step": 0.5}, "0.5"),
        ({"min": 0.1, "max": 0.2, "step": 0}, "step"),
        ({"min": 0.1, "max": 0.2, "step": 0.5, "log": True}, "step"),
        ({"min": 0.0, "max": 1.0, "step": 1e-13}, "step"),
        ({"min": 1}, "min and max"),
        ({"min": "low", "max": 2}, "low"),
        ({"min": True, "max": 2}, "True"),
        ({"min": 1, "max": float("inf")}, "inf"),
        ({"min": 1, "maks": 2}, "'max'"),
    ],
)
def test_an_impossible_parameter_is_refused_by_name_with_what_came(written, told):
    with pytest.raises(SpaceError, match=rf"^space\.x: .*{told}"):
        parameter_from(written, "space.x")


def test_a_stepped_range_reaches_its_end():
    assert Float(0.0, 0.5, step=0.1).options == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert Float(1e-4, 1e-1, step=10, log=True).options == [1e-4, 1e-3, 1e-2, 1e-1]
    assert list(Int(32, 256, step=2, log=True).options) == [32, 64, 128, 256]
    assert list(Int(1, 6, step=2).options) == [1, 3, 5]
    assert Float(0.0, 0.5).options is None


PARAMETERS = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, unique=True).map(Choice),
    st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True).map(Choice),
    st.permutations([False, True]).map(Choice),
    st.booleans().map(lambda value: Choice([value])),
    st.integers(-9, 9).map(Fixed),
    st.tuples(st.integers(-9, 9), st.integers(0, 9), st.integers(1, 4)).map(lambda t: Int(t[0], t[0] + t[1], t[2])),
    st.tuples(st.integers(1, 9), st.integers(0, 99), st.integers(1, 3)).map(
        lambda t: Int(t[0], t[0] + t[1], t[2], log=True)
    ),
    st.tuples(st.floats(-9, 9), st.floats(0, 9)).map(lambda t: Float(t[0], t[0] + t[1])),
    st.tuples(st.integers(-9, 9), st.integers(0, 9)).map(lambda t: Float(t[0] / 10, (t[0] + t[1]) / 10, step=0.1)),
    st.tuples(st.floats(1e-6, 1), st.floats(1, 100)).map(lambda t: Float(t[0], t[0] * t[1], log=True)),
)


# At the last number below 1, one draw in 2**53, KerasTuner itself rounds to beyond a logarithmic range.
@settings(deadline=None)
@given(PARAMETERS, st.floats(0, 1 - 1e-9))
def test_keras_tuner_samples_only_values_of_the_parameter_and_of_its_type(parameter, quantile):
    hp = keras_tuner.HyperParameters()
    first = parameter.declare(hp, "x")
    sampled = hp.space[0].prob_to_value(quantile)
    for value in (first, sampled):
        assert type(value) is type(parameter.limits[0])
        if parameter.options is None:
            low, high = parameter.limits
            assert low <= value <= high * (1 + 1e-12) or value == pytest.approx(high)
        else:
            assert value in parameter.options


@settings(deadline=None)
@given(PARAMETERS)
def test_keras_tuner_can_sample_every_value_of_the_parameter(parameter):
    hp = keras_tuner.HyperParameters()
    parameter.declare(hp, "x")
    if parameter.options is not None:
        sampled = {hp.space[0].prob_to_value(quantile / 5000) for quantile in range(5000)}
        assert sampled == set(parameter.options)


def test_a_single_value_is_recorded_as_fixed():
    for parameter in (Choice([True]), Int(2, 2), Float(0.5, 0.5), Fixed("a")):
        hp = keras_tuner.HyperParameters()
        assert parameter.declare(hp, "x") == parameter.options[0]
        assert type(hp.space[0]).__name__ == "Fixed"
