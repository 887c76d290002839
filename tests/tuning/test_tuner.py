"""The tuner runs what any oracle proposes on any HyperModel."""

import errno
import os
import signal
from collections import Counter
from functools import partial
from types import MappingProxyType
from urllib.error import URLError

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
import toy

from search.config.tuner import TunerConfig
from search.errors import InputError, MachineFault
from search.training.keras_training import KerasTraining
from search.tuning.oracles import make_oracle, plan
from search.tuning.tuner import Tuner

OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")


class Digits(keras_tuner.HyperModel):
    """A plain HyperModel that knows nothing of this package."""

    def __init__(self, fails=lambda hp: None):
        super().__init__()
        self.fails = fails

    def build(self, hp):
        units, rate = hp.Int("units", 4, 64), hp.Float("rate", 1e-4, 1e-1, sampling="log")
        self.fails(hp)
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(2)])
        model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            run_eagerly=True,  # tracing would take longer than training
        )
        return model


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(96, 8)).astype("float32")
    labels = (inputs[:, 0] + inputs[:, 1] ** 2 > 1).astype("int64")
    return {"x": inputs[:64], "y": labels[:64], "validation_data": (inputs[64:], labels[64:]), "batch_size": 16}


class Watcher:
    """Keeps what an observer is told."""

    def __init__(self):
        self.resumed, self.begun, self.epochs, self.ended = [], [], [], []

    def on_trial_resumed(self, record):
        self.resumed.append(record.trial_id)

    def on_trial_begin(self, record):
        self.begun.append(record.trial_id)

    def on_epoch_end(self, record, epoch, metrics):
        self.epochs.append((record.trial_id, epoch, metrics))

    def on_trial_end(self, record):
        self.ended.append((record.trial_id, record.status))


def search(folder, data, hypermodel=None, seed=0, tuner_settings=MappingProxyType({}), **settings):
    config = TunerConfig(**{"name": "hyperband", "max_epochs": 2, "factor": 2, **settings})
    watcher = Watcher()
    tuner = Tuner(
        make_oracle(config, OBJECTIVE, seed),
        hypermodel or Digits(),
        seed=seed,
        max_epochs=config.max_epochs,
        patience=config.patience,
        max_total_epochs=config.max_total_epochs,
        observers=[watcher],
        directory=str(folder),
        **tuner_settings,
    )
    tuner.search(**data, verbose=0)
    return tuner, watcher


def table(tuner):
    return [(record.trial_id, record.values, record.score, record.best_epoch) for record in tuner.records.values()]


def test_hyperband_trains_what_it_planned(tmp_path, data):
    tuner, watcher = search(tmp_path, data)
    ahead = plan(TunerConfig(name="hyperband", max_epochs=2, factor=2), None)
    assert len(tuner.records) == ahead.trials
    assert len(watcher.epochs) == ahead.epochs
    assert [trial for trial, _ in watcher.ended] == watcher.begun == list(tuner.records)
    for record in tuner.records.values():
        epochs = [epoch for trial, epoch, _ in watcher.epochs if trial == record.trial_id]
        assert epochs == list(range(record.initial_epoch + 1, record.target_epochs + 1))
        assert record.score == max(
            metrics["val_accuracy"] for trial, _, metrics in watcher.epochs if trial == record.trial_id
        )


def test_a_promoted_trial_takes_its_parents_optimizer_along(tmp_path, data):
    steps = {}

    class Counting(Digits):
        def fit(self, hp, model, **kwargs):
            before = int(model.optimizer.iterations)
            history = super().fit(hp, model, **kwargs)
            steps.setdefault(kwargs["initial_epoch"], set()).add((before, int(model.optimizer.iterations)))
            return history

    search(tmp_path, data, Counting())
    assert steps == {0: {(0, 4), (0, 8)}, 1: {(4, 8)}}


def test_the_same_seed_gives_the_same_table_and_another_another(tmp_path, data):
    runs = (("a", 0), ("b", 0), ("c", 1))
    zero, again, one = (search(tmp_path / name, data, seed=seed, name="random", max_trials=2)[0] for name, seed in runs)
    assert table(zero) == table(again)
    assert table(zero) != table(one)


def test_failed_trials_are_recorded_and_end_nothing(tmp_path, data):
    def fails(hp):
        if hp.get("units") > 34:
            raise ValueError("no room for so many units")

    tuner, _ = search(tmp_path, data, Digits(fails), name="random", max_trials=6)
    failed = [record for record in tuner.records.values() if record.status == "FAILED"]
    assert len(tuner.records) == 6
    assert 0 < len(failed) < 6
    for record in failed:
        assert record.values["units"] > 34
        assert "no room for so many units" in record.error
        assert record.score is None
    assert tuner.ranking()[0].status == "COMPLETED"


def test_a_loss_that_is_no_number_fails_its_trial(tmp_path, data):
    labels = np.full(len(data["validation_data"][1]), np.nan, "float32")
    config = TunerConfig(name="random", max_trials=2, max_epochs=1)
    objective = keras_tuner.Objective("val_loss", "min")

    class Regression(keras_tuner.HyperModel):
        def build(self, hp):
            model = keras.Sequential(
                [keras.Input((8,)), keras.layers.Dense(hp.Int("units", 1, 9)), keras.layers.Dense(1)]
            )
            model.compile("adam", "mse", run_eagerly=True)
            return model

    tuner = Tuner(make_oracle(config, objective, 0), Regression(), seed=0, max_epochs=1, directory=str(tmp_path))
    tuner.search(**{**data, "validation_data": (data["validation_data"][0], labels)}, verbose=0)
    assert {record.status for record in tuner.records.values()} == {"FAILED"}
    assert "val_loss" in next(iter(tuner.records.values())).error
    assert tuner.ranking() == []


FAULTS = {
    "disk": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "disk, as TensorFlow tells it": lambda: tf.errors.ResourceExhaustedError(None, None, "x; No space left on device"),
    "permission": lambda: PermissionError(errno.EACCES, "Permission denied", "/cache"),
    "device": lambda: OSError(errno.EIO, "Input/output error"),
    "network": lambda: URLError("no route"),
    "memory": lambda: MemoryError(),
    "memory, as TensorFlow tells it": lambda: tf.errors.ResourceExhaustedError(
        None, None, "OOM when allocating tensor with shape[16,4] and type float on /job:a/device:CPU:0 by allocator cpu"
    ),
    "cause": lambda: _caused(RuntimeError("no weights"), OSError(errno.EIO, "Input/output error")),
}
OOM_OF_A_GPU = "OOM when allocating tensor with shape[16,4] and type float on /job:a/device:GPU:0 by allocator GPU_0"


def _caused(error, cause):
    error.__cause__ = cause
    return error


def test_a_trial_whose_weights_are_not_finite_has_failed_whatever_its_score(tmp_path, data):
    """A ReLU gives zero for NaN: what is behind it answers the same for everything, with finite scores."""

    class Spoilt(Digits):
        def fit(self, hp, model, **kwargs):
            def spoil(epoch, logs):
                if hp.get("units") > 16:
                    model.layers[0].bias.assign(model.layers[0].bias * np.nan)

            callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=spoil), *kwargs.pop("callbacks")]
            return super().fit(hp, model, callbacks=callbacks, **kwargs)

    tuner, _ = search(tmp_path, data, Spoilt(), name="random", max_trials=5, max_epochs=1)
    statuses = {(record.values["units"] > 16, record.status) for record in tuner.records.values()}
    assert statuses == {(True, "FAILED"), (False, "COMPLETED")}
    assert all("not finite" in record.error for record in tuner.records.values() if record.status == "FAILED")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_machine_ends_the_search_is_no_trials_and_changes_no_result(tmp_path, fault):
    is_mended = []

    def fails(hp, epoch):
        if hp.get("units") > 1 and epoch == 1 and not is_mended:
            raise FAULTS[fault]()

    undisturbed = toy.searched(tmp_path / "undisturbed", "random")
    with pytest.raises(MachineFault, match="trial"):
        toy.searched(tmp_path / "disturbed", "random", toy.Toy(fails))
    assert not any("FAILED" in path.read_text() for path in tmp_path.glob("disturbed/**/record.json"))
    is_mended.append(True)
    again = toy.searched(tmp_path / "disturbed", "random", toy.Toy(fails))
    assert toy.board(again) == toy.board(undisturbed)


@pytest.mark.parametrize(
    "error",
    [
        lambda: tf.errors.ResourceExhaustedError(None, None, OOM_OF_A_GPU),
        lambda: tf.errors.ResourceExhaustedError(
            None, None, OOM_OF_A_GPU.replace("GPU", "CPU").replace("[16,4]", "[1000000000,1000000]")
        ),
        lambda: np.empty((10**9, 10**9)),
        lambda: ValueError("No such activation"),
    ],
)
def test_what_no_machine_or_gpu_has_room_for_is_the_trials_own_failure(tmp_path, data, error):
    def fails(hp):
        if hp.get("units") > 4:
            raise error()

    tuner, _ = search(tmp_path, data, Digits(fails), name="random", max_trials=2)
    assert {record.status for record in tuner.records.values() if record.values["units"] > 4} == {"FAILED"}


def test_what_no_trial_can_use_ends_the_search(tmp_path, data):
    def fails(hp):
        if hp.get("units") > 4:
            raise InputError("the module gives NaN for the text '!!!'")

    with pytest.raises(InputError, match="NaN for the text"):
        search(tmp_path, data, Digits(fails), name="random", max_trials=2)
    assert not any("FAILED" in path.read_text() for path in tmp_path.rglob("record.json"))


@pytest.mark.parametrize("name", ["random", "bayesian", "grid"])
def test_the_other_tuners_train_in_full_within_their_budget(tmp_path, data, name):
    tuner, watcher = search(tmp_path, data, name=name, max_trials=3, max_epochs=2)
    assert len(tuner.records) == 3
    assert len(watcher.epochs) == 6


def test_no_trial_begins_once_the_epochs_are_spent(tmp_path, data):
    _, watcher = search(tmp_path, data, name="random", max_trials=50, max_epochs=3, max_total_epochs=7)
    assert len(watcher.epochs) == 9


def test_patience_stops_a_trial_that_does_not_get_better(tmp_path, data):
    class Constant(Digits):
        def build(self, hp):
            model = super().build(hp)
            model.optimizer.learning_rate = 0.0
            return model

    _, watcher = search(tmp_path, data, Constant(), name="random", max_trials=2, max_epochs=20, patience=2)
    assert len(watcher.epochs) == 2 * 3


def test_the_best_weights_are_kept_and_give_the_best_score(tmp_path, data):
    tuner, _ = search(tmp_path, data, tuner_settings={"keep": "promotable"})
    best = tuner.ranking()[0]
    assert best.score == max(record.score for record in tuner.records.values())
    assert [path.parent.name for path in tmp_path.rglob("best.npz")] == [f"trial_{best.trial_id}"]
    model = tuner.load_model(tuner.oracle.get_trial(best.trial_id))
    inputs, labels = data["validation_data"]
    accuracy = np.mean(model.predict(inputs, verbose=0).argmax(axis=1) == labels)
    assert accuracy == pytest.approx(best.score, abs=1e-6)


@pytest.mark.parametrize(("epochs", "factor", "trials", "spent"), [(9, 3, 23, 75), (27, 3, 70, 375), (30, 3, 90, 576)])
def test_the_plan_of_hyperband_is_known(epochs, factor, trials, spent):
    ahead = plan(TunerConfig(name="hyperband", max_epochs=epochs, factor=factor), None)
    assert (ahead.trials, ahead.epochs) == (trials, spent)


def test_the_plan_respects_space_and_budget():
    assert plan(TunerConfig(name="grid", max_epochs=3), 6).epochs == 18
    assert plan(TunerConfig(name="grid", max_epochs=3), None).trials is None
    assert plan(TunerConfig(name="random", max_epochs=3, max_trials=4, max_total_epochs=7), 6).epochs == 7


def test_out_of_memory_is_tried_once_more_in_halves(tmp_path, data):
    class Greedy(Digits):
        def training(self, hp, *, state, callbacks, **settings):
            model, parts = self.build(hp), state.accumulate
            if hp.get("units") > 16 and (parts == 1 or hp.get("units") > 40):
                raise tf.errors.ResourceExhaustedError(None, None, OOM_OF_A_GPU)
            settings["batch_size"] //= parts
            return KerasTraining(model, partial(model.fit, **settings), callbacks)

    tuner, watcher = search(tmp_path, data, Greedy(), name="random", max_trials=8, max_epochs=1)
    outcomes = {(record.values["units"], record.status, record.accumulate) for record in tuner.records.values()}
    assert {status for units, status, _ in outcomes if units > 40} == {"FAILED"}
    assert {(status, parts) for units, status, parts in outcomes if 16 < units <= 40} == {("COMPLETED", 2)}
    assert {(status, parts) for units, status, parts in outcomes if units <= 16} == {("COMPLETED", 1)}
    assert len(watcher.ended) == 8
    # What observers were told of the first try holds no more.
    assert Counter(watcher.begun) == {record.trial_id: record.accumulate for record in tuner.records.values()}


def test_a_model_that_is_too_large_is_not_trained(tmp_path, data):
    tuner, watcher = search(
        tmp_path, data, name="random", max_trials=6, max_epochs=1, tuner_settings={"max_parameters": 8 * 34 + 34 + 70}
    )
    failed = [record for record in tuner.records.values() if record.status == "FAILED"]
    assert 0 < len(failed) < 6
    assert all("max_parameters" in record.error and record.traceback for record in failed)
    assert len(watcher.epochs) == 6 - len(failed)


@pytest.mark.parametrize("becomes", [RuntimeError, None])
def test_an_interrupt_that_foreign_code_swallows_is_none_of_the_trials_results(tmp_path, becomes):
    """C code that is looking at an attribute when the signal comes drops the error, or makes another one of it."""

    class Swallows(toy.Toy):
        def fit(self, hp, model, *args, **kwargs):
            if not interrupted:
                interrupted.append(True)
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                except KeyboardInterrupt:
                    if becomes is not None:
                        raise becomes("returned a result with an exception set") from None
            return super().fit(hp, model, *args, **kwargs)

    interrupted = [True]
    whole = toy.searched(tmp_path / "whole", "hyperband", Swallows())
    interrupted.clear()
    with pytest.raises(KeyboardInterrupt):
        toy.searched(tmp_path / "cut", "hyperband", Swallows())
    again = toy.searched(tmp_path / "cut", "hyperband", Swallows())
    assert toy.board(again) == toy.board(whole)
    assert {record.status for record in again.records.values()} == {"COMPLETED"}


def test_mixed_precision_stays_on_through_all_trials(tmp_path, data):
    policies = []

    class Noting(Digits):
        def build(self, hp):
            policies.append(keras.config.dtype_policy().name)
            return super().build(hp)

    keras.config.set_dtype_policy("mixed_float16")
    try:
        tuner, _ = search(tmp_path, data, Noting(), name="random", max_trials=2, max_epochs=1)
        tuner.load_model(tuner.oracle.get_trial(tuner.ranking()[0].trial_id))
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert set(policies) == {"mixed_float16"}
