"""What TensorBoard reads back is what the trials logged."""

import re

import keras_tuner
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

from search.reporting.tensorboard import SCORE, Curves, TensorBoardWriter
from search.reporting.tensorboard.hyperparameters import Hyperparameters
from search.tuning.record import TrialRecord
from spaces import Choice, Fixed, Float, Int, Space, When


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def columns_of(folder):
    (experiment,) = (data.experiment for data in hparams_of(folder) if data.HasField("experiment"))
    return experiment.hparam_infos


def scalars(folder, tag):
    events = read(folder)
    return [(event.step, round(float(tf.make_ndarray(event.tensor_proto)), 4)) for event in events.Tensors(tag)]


def hparams_of(folder):
    contents = read(folder).PluginTagToContent("hparams").values()
    return [plugin_data_pb2.HParamsPluginData.FromString(content) for content in contents]


SPACE = Space(
    {
        "module": Fixed("glove-50"),
        "trainable": Choice([False, True]),
        "layers": Int(1, 3),
        "dropout": Float(0.0, 0.4, step=0.2),
        "learning_rate": Float(1e-4, 1e-2, log=True),
        "kind": Choice(["plain", "fancy"]),
        "slow_rate": Float(1e-5, 1e-3, log=True),
    },
    {"slow_rate": When("trainable", (True,))},
)


@pytest.fixture
def logged(tmp_path):
    writer = TensorBoardWriter(tmp_path, SPACE, keras_tuner.Objective("val_f1", "max"))
    record = TrialRecord(
        "0000",
        {"module": "glove-50", "trainable": False, "layers": 2, "dropout": 0.2, "learning_rate": 1e-3, "kind": "plain"},
    )
    writer.on_trial_begin(record)
    for epoch, value in enumerate([0.4, 0.6, 0.5], start=1):
        record.epochs = epoch
        writer.on_epoch_end(record, epoch, {"f1": value + 0.1, "val_f1": value})
    record.score, record.best_epoch, record.status = 0.6, 2, "COMPLETED"
    writer.on_trial_end(record)
    return tmp_path


def test_curves_of_train_and_validation_stand_in_one_run(logged):
    assert scalars(logged / "0000", "f1/train") == [(1, 0.5), (2, 0.7), (3, 0.6)]
    assert scalars(logged / "0000", "f1/validation") == [(1, 0.4), (2, 0.6), (3, 0.5)]
    assert {path.parent.relative_to(logged).as_posix() for path in logged.rglob("*tfevents*")} == {".", "0000"}


def test_a_chart_has_train_and_validation_of_a_metric(logged):
    (event,) = read(logged).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(tf.make_ndarray(event.tensor_proto).item())
    (category,) = layout.category
    (chart,) = category.chart
    assert chart.title == "f1"
    tags = ("f1/train", "f1/validation", "xf1/train")
    drawn = [tag for one in chart.multiline.tag for tag in tags if re.search(one, tag)]
    assert drawn == ["f1/validation", "f1/train"]


def test_the_score_of_the_table_is_the_one_ranked_by(logged):
    assert scalars(logged / "0000", SCORE) == [(3, 0.6)]


def test_the_table_has_every_parameter_that_varies_with_its_domain(logged):
    domains = {info.display_name: info for info in columns_of(logged)}
    assert set(domains) == {"trainable", "layers", "dropout", "learning_rate", "slow_rate", "kind"}
    assert [value.bool_value for value in domains["trainable"].domain_discrete.values] == [False, True]
    assert (domains["layers"].domain_interval.min_value, domains["layers"].domain_interval.max_value) == (1, 3)
    assert [value.number_value for value in domains["dropout"].domain_discrete.values] == [0.0, 0.2, 0.4]
    assert domains["learning_rate"].domain_interval.max_value == 1e-2


def test_what_a_configuration_does_not_have_stays_empty(logged):
    (start,) = (data.session_start_info for data in hparams_of(logged / "0000") if data.HasField("session_start_info"))
    names = {info.name: info.display_name for info in columns_of(logged)}
    # The frozen trial has no slower rate: a 0 would stand beside rates, where no axis could be logarithmic.
    assert {names[name] for name in start.hparams} == {"trainable", "layers", "dropout", "learning_rate", "kind"}
    assert start.group_name == f"0000 {logged.parent.name}"
    (layers,) = (value for name, value in start.hparams.items() if names[name] == "layers")
    assert layers.number_value == 2
    # Nor is a value in the domain that no configuration can have.
    (slow,) = (info for info in columns_of(logged) if info.display_name == "slow_rate")
    assert slow.domain_interval.min_value > 0


def test_a_line_of_the_table_is_the_same_bytes_in_whatever_order_its_values_come():
    values = {f"parameter_{number}": number for number in range(20)}
    table = Hyperparameters(Space({name: Int(0, 20) for name in values}))
    lines = [table.line(dict(order), "0000") for order in (values.items(), reversed(values.items()))]
    assert lines[0].SerializeToString(deterministic=True) == lines[1].SerializeToString(deterministic=True)


def test_what_matters_most_is_drawn_first(tmp_path):
    """As TensorBoard sorts the columns and draws the first five."""
    space = Space(
        {
            "activation": Choice(["relu", "tanh"]),
            "batch_size": Choice([32, 64]),
            "module": Choice(["small", "large"]),
            "trainable": Choice([False, True]),
            "layers": Int(1, 3),
            "another": Choice([1, 2]),
            "learning_rate": Float(1e-4, 1e-2, log=True),
        },
        {"trainable": When("module", ("large",))},
    )
    TensorBoardWriter(tmp_path, space, keras_tuner.Objective("val_f1", "max"))
    infos = sorted(columns_of(tmp_path), key=lambda info: (not info.differs, info.name))
    assert [info.display_name for info in infos[:3]] == ["learning_rate", "module", "layers"]
    # Of a column with gaps parallel coordinates draw no line.
    assert {info.display_name for info in infos[3:5]} == {"activation", "batch_size"}


def test_the_curves_of_a_refit_need_no_table(tmp_path):
    for value in (0.7, 0.5):  # killed, and begun anew
        curves = Curves(tmp_path / "refit")
        curves.add(1, {"loss": value})
        curves.close()
    assert scalars(tmp_path / "refit", "loss/train") == [(1, 0.5)]


def test_what_a_run_is_told_last_is_read_last(tmp_path):
    """Trials of a fraction of a second, one after another: as many files of the same run as there are promotions."""
    writer = TensorBoardWriter(tmp_path / "run", SPACE, keras_tuner.Objective("val_f1", "max"))
    parent = None
    for number in range(12):
        record = TrialRecord(f"{number:04}", {"layers": 2}, parent=parent, initial_epoch=number, epochs=number + 1)
        writer.on_trial_begin(record)
        writer.on_epoch_end(record, number + 1, {"val_f1": number / 100})
        record.score, record.best_epoch, record.status = number / 100, number + 1, "COMPLETED"
        writer.on_trial_end(record)
        parent = record.trial_id
    names = sorted(path.name for path in (tmp_path / "run" / "0000").glob("*tfevents*"))
    assert len(names) == 12
    assert scalars(tmp_path / "run" / "0000", SCORE)[-1] == (12, 0.11)
    steps = [step for step, _ in scalars(tmp_path / "run" / "0000", "f1/validation")]
    assert steps == list(range(1, 13))


def test_what_is_told_can_be_read_at_once(tmp_path):
    """A search that goes on for hours is watched; one that is killed leaves its curves."""
    curves = Curves(tmp_path / "refit")
    curves.add(1, {"loss": 0.5})
    assert scalars(tmp_path / "refit", "loss/train") == [(1, 0.5)]
    curves.close()
