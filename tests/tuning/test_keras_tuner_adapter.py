"""Hyperband as a drop-in for KerasTuner's, through KerasTuner's own interface."""

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.datasets import load_digits

from search.errors import InputError
from search.tuning import Hyperband


@pytest.fixture(scope="module")
def digits():
    inputs, labels = load_digits(return_X_y=True)
    inputs = (inputs / 16).astype("float32")
    return {"x": inputs[:600], "y": labels[:600], "validation_data": (inputs[600:900], labels[600:900])}


def build_model(hp):
    layers = [keras.layers.Dense(hp.Int("units", 8, 64, step=8), "relu") for _ in range(hp.Int("layers", 1, 2))]
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10, "softmax")])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make(folder, **settings):
    arguments = {"objective": "val_accuracy", "max_epochs": 3, "factor": 3, "seed": 0, **settings}
    return Hyperband(build_model, directory=str(folder), project_name="digits", **arguments)


@pytest.fixture(scope="module")
def searched(tmp_path_factory, digits):
    folder = tmp_path_factory.mktemp("search")
    tuner = make(folder)
    tuner.search(**digits, verbose=0)
    return folder, tuner


def test_it_finds_a_model_that_classifies(searched, digits):
    _, tuner = searched
    assert isinstance(tuner, keras_tuner.Tuner)
    best, second = tuner.get_best_models(2)
    inputs, labels = digits["validation_data"]
    scores = [np.mean(model.predict(inputs, verbose=0).argmax(axis=1) == labels) for model in (best, second)]
    ranked = [trial.score for trial in tuner.oracle.get_best_trials(2)]
    np.testing.assert_allclose(scores, ranked, atol=1e-6)
    assert scores[0] > 0.7


def test_its_hyperparameters_and_summary_are_kerastuners(searched, capsys):
    _, tuner = searched
    best = tuner.get_best_hyperparameters()[0]
    assert best.get("units") in range(8, 65, 8)
    assert build_model(best).count_params() > 0
    tuner.results_summary(num_trials=2)
    assert "val_accuracy" in capsys.readouterr().out


def test_a_tuner_made_again_knows_the_search(searched, digits):
    folder, tuner = searched
    again = make(folder)
    assert [trial.score for trial in again.oracle.get_best_trials(9)] == [
        trial.score for trial in tuner.oracle.get_best_trials(9)
    ]
    trials = len(again.records)
    again.search(**digits, verbose=0)
    assert len(again.records) == trials == len(tuner.records)


def test_other_settings_are_refused(searched):
    folder, _ = searched
    for changed in ({"seed": 1}, {"max_epochs": 9}):
        with pytest.raises(InputError, match="other settings"):
            make(folder, **changed)


def test_overwrite_starts_afresh(searched, tmp_path):
    tuner = make(tmp_path)
    tuner.search(np.zeros((8, 64)), np.zeros(8), validation_data=(np.zeros((8, 64)), np.zeros(8)), verbose=0)
    assert tuner.records
    assert not make(tmp_path, overwrite=True, seed=5).records


@pytest.mark.slow
def test_two_workers_give_the_trials_of_one(searched, digits, tmp_path):
    _, alone = searched
    tuner = make(tmp_path, workers=2)
    tuner.search(**digits, verbose=0)
    assert {record.worker for record in tuner.records.values()} == {1, 2}
    assert [known(record) for record in tuner.records.values()] == [known(record) for record in alone.records.values()]


def known(record):
    return {name: value for name, value in vars(record).items() if name not in ("seconds", "worker")}
