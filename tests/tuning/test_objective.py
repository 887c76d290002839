"""The objective follows from the number of classes, or is a metric that is logged."""

import pytest

from search.config import ObjectiveConfig
from search.errors import InputError
from search.tuning.objective import make_objective


@pytest.mark.parametrize(
    ("config", "classes", "name", "direction"),
    [
        (ObjectiveConfig(), 2, "val_average_precision", "max"),
        (ObjectiveConfig(), 6, "val_macro_f1", "max"),
        (ObjectiveConfig(name="val_loss"), 2, "val_loss", "min"),
        (ObjectiveConfig(name="val_f1"), 2, "val_f1", "max"),
        (ObjectiveConfig(name="val_brier"), 3, "val_brier", "min"),
        (ObjectiveConfig(name="val_accuracy", direction="min"), 3, "val_accuracy", "min"),
    ],
)
def test_name_and_direction(config, classes, name, direction):
    objective = make_objective(config, classes)
    assert (objective.name, objective.direction) == (name, direction)


def test_a_metric_of_the_training_rows_is_no_objective():
    with pytest.raises(InputError, match="Did you mean 'val_mcc'"):
        make_objective(ObjectiveConfig(name="mcc"), 2)


def test_binary_metrics_exist_for_two_classes_alone():
    with pytest.raises(InputError, match="val_f1"):
        make_objective(ObjectiveConfig(name="val_f1"), 3)
