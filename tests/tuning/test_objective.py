"""The objective follows from the number of classes, or is a metric that is logged."""

import pytest

from search.config import ObjectiveConfig
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.tuning.objective import check_objective, make_objective


@pytest.mark.parametrize(
    ("config", "classes", "name", "direction"),
    [
        (ObjectiveConfig(), 2, "val_average_precision", "max"),
        (ObjectiveConfig(), 6, "val_macro_f1", "max"),
        (ObjectiveConfig(name="val_loss"), 2, "val_loss", "min"),
        (ObjectiveConfig(name="val_f1"), 2, "val_f1", "max"),
        (ObjectiveConfig(name="val_brier"), 3, "val_brier", "min"),
        (ObjectiveConfig(name="val_accuracy", direction="max"), 3, "val_accuracy", "max"),
    ],
)
def test_name_and_direction(config, classes, name, direction):
    objective = make_objective(config, Target(classes))
    assert (objective.name, objective.direction) == (name, direction)


def test_a_metric_of_the_training_rows_is_no_objective():
    with pytest.raises(InputError, match="Did you mean 'val_mcc'"):
        make_objective(ObjectiveConfig(name="mcc"), Target(2))


def test_binary_metrics_exist_for_two_classes_alone():
    with pytest.raises(InputError, match="val_f1"):
        make_objective(ObjectiveConfig(name="val_f1"), Target(3))


@pytest.mark.parametrize(("name", "direction"), [("val_mae", "min"), ("val_quadratic_kappa", "max")])
def test_ordered_classes_have_objectives_of_their_own(name, direction):
    config = ObjectiveConfig(name=name)
    objective = make_objective(config, Target(5, ordered=True))
    assert (objective.name, objective.direction) == (name, direction)
    check_objective(config, ordered=True)
    with pytest.raises(InputError, match=rf"{name} .*dataset\.ordered=true"):
        check_objective(config, ordered=False)


@pytest.mark.parametrize(("name", "direction"), [("val_loss", "max"), ("val_accuracy", "min"), ("auto", "min")])
def test_a_direction_that_contradicts_the_metric_is_named(name, direction):
    with pytest.raises(InputError, match=f"direction={direction} contradicts"):
        check_objective(ObjectiveConfig(name=name, direction=direction), ordered=False)


def test_a_misspelt_metric_is_told_without_the_data():
    with pytest.raises(InputError, match=r"val_f2.*'val_f1'"):
        check_objective(ObjectiveConfig(name="val_f2"), ordered=False)
    for name in ("val_f1", "val_macro_f1", "val_loss", "auto"):
        check_objective(ObjectiveConfig(name=name), ordered=False)
