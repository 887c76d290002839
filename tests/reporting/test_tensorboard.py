"""What TensorBoard reads back is what the trials logged."""

import keras_tuner
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from search.reporting.tensorboard import SCORE, Curves, TensorBoardWriter
from search.tuning.record import TrialRecord
from spaces import Choice, Fixed, Float, Int, Space, When


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


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
        "rate": Float(1e-4, 1e-2, log=True),
        "slow_rate": Float(1e-5, 1e-3, log=True),
    },
    {"slow_rate": When("trainable", (True,))},
)


@pytest.fixture
def logged(tmp_path):
    writer = TensorBoardWriter(tmp_path, SPACE, keras_tuner.Objective("val_f1", "max"))
    record = TrialRecord(
        "0000", {"module": "glove-50", "trainable": False, "layers": 2, "dropout": 0.2, "rate": 1e-3}, epochs=3
    )
    writer.on_trial_begin(record)
    for epoch, value in enumerate([0.4, 0.6, 0.5], start=1):
        writer.on_epoch_end(record, epoch, {"f1": value + 0.1, "val_f1": value})
    record.score, record.best_epoch, record.status = 0.6, 2, "COMPLETED"
    writer.on_trial_end(record)
    return tmp_path


def test_train_and_validation_curves_share_a_name(logged):
    assert scalars(logged / "0000" / "train", "f1") == [(1, 0.5), (2, 0.7), (3, 0.6)]
    assert scalars(logged / "0000" / "validation", "f1") == [(1, 0.4), (2, 0.6), (3, 0.5)]


def test_the_score_of_the_table_is_the_one_ranked_by(logged):
    assert scalars(logged / "0000", SCORE) == [(3, 0.6)]


def test_the_table_has_every_parameter_that_varies_with_its_domain(logged):
    (experiment,) = (data.experiment for data in hparams_of(logged) if data.HasField("experiment"))
    domains = {info.name: info for info in experiment.hparam_infos}
    assert set(domains) == {"trainable", "layers", "dropout", "rate", "slow_rate"}
    assert [value.bool_value for value in domains["trainable"].domain_discrete.values] == [False, True]
    assert (domains["layers"].domain_interval.min_value, domains["layers"].domain_interval.max_value) == (1, 3)
    assert [value.number_value for value in domains["dropout"].domain_discrete.values] == [0.0, 0.2, 0.4]
    assert domains["rate"].domain_interval.max_value == 1e-2
    (start,) = (data.session_start_info for data in hparams_of(logged / "0000") if data.HasField("session_start_info"))
    # The frozen trial has no slower rate, which is drawn as 0: TensorBoard leaves out trials that lack a value.
    assert set(start.hparams) == {"trainable", "layers", "dropout", "rate", "slow_rate"}
    assert start.hparams["slow_rate"].number_value == 0
    assert start.group_name == f"0000 {logged.parent.name}"
    assert start.hparams["layers"].number_value == 2


def test_the_curves_of_a_refit_need_no_table(tmp_path):
    curves = Curves(tmp_path / "refit")
    curves.add(1, {"loss": 0.5})
    curves.close()
    assert scalars(tmp_path / "refit" / "train", "loss") == [(1, 0.5)]


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
    steps = [step for step, _ in scalars(tmp_path / "run" / "0000" / "validation", "f1")]
    assert steps == list(range(1, 13))


def test_what_is_told_can_be_read_at_once(tmp_path):
    """A search that goes on for hours is watched; one that is killed leaves its curves."""
    curves = Curves(tmp_path)
    curves.add(1, {"loss": 0.5})
    assert scalars(tmp_path / "train", "loss") == [(1, 0.5)]
    curves.close()
