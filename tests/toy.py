"""A search that is as deep as any and takes no time: models of four numbers, trained by a formula."""

import json
import math
from types import MappingProxyType

import keras
import keras_tuner
import numpy as np

from search.config.tuner import TunerConfig
from search.tuning.oracles import ORACLES, make_oracle
from search.tuning.study import always
from search.tuning.tuner import Tuner

OBJECTIVE = keras_tuner.Objective("val_loss", "min")
TUNERS = tuple(ORACLES)
SETTINGS = MappingProxyType(
    {
        "hyperband": {"max_epochs": 4, "factor": 2},
        "random": {"max_epochs": 3, "max_trials": 7},
        "bayesian": {"max_epochs": 3, "max_trials": 5},
        "grid": {"max_epochs": 3, "max_trials": 7},
        "asha": {"max_epochs": 4, "factor": 2, "max_trials": 12},
    }
)


class Toy(keras_tuner.HyperModel):
    """Its scores depend on the hyperparameters, the seed and all the epochs before, as those of a real model do.

    Args:
        fails: Is called with the hyperparameters of a trial and the epoch that begins, from 0; what it raises fails it.
    """

    def __init__(self, fails=lambda hp, epoch: None):
        super().__init__()
        self.fails = fails

    def declare_hyperparameters(self, hp):
        hp.Choice("kind", ["a", "b"])
        hp.Int("units", 1, 4)
        hp.Float("rate", 0.1, 1)

    def build(self, hp):
        self.declare_hyperparameters(hp)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp, model, *_, callbacks, epochs, initial_epoch=0, **__):
        callbacks = keras.callbacks.CallbackList(callbacks, model=model)
        model.optimizer.build(model.trainable_variables)
        model.stop_training = False
        callbacks.on_train_begin()
        weights = model.trainable_variables[0]
        for epoch in range(initial_epoch, epochs):
            self.fails(hp, epoch)
            callbacks.on_epoch_begin(epoch)
            pull = hp["rate"] * hp["units"] + (3 if hp["kind"] == "a" else 0)
            weights.assign(np.sin(weights.numpy() * 1.7 + pull + epoch))
            model.optimizer.iterations.assign_add(1)
            callbacks.on_epoch_end(epoch, {"val_loss": float(np.abs(weights.numpy()).sum()), "loss": math.nan})
            if model.stop_training:
                break
        callbacks.on_train_end()


class Watcher:
    """Keeps what an observer is told; subclasses do something in between."""

    def __init__(self):
        self.begun, self.epochs, self.ended = [], [], []

    def on_trial_resumed(self, record):
        pass

    def on_trial_begin(self, record):
        self.begun.append(record.trial_id)

    def on_epoch_end(self, record, epoch, metrics):
        self.epochs.append((record.trial_id, epoch, dict(metrics)))

    def on_trial_end(self, record):
        self.ended.append(record.trial_id)


def make(folder, name, hypermodel=None, *, seed=0, observers=(), keep="promotable", may_start=always, **settings):
    config = TunerConfig(name=name, **{**SETTINGS[name], **settings})
    return Tuner(
        make_oracle(config, OBJECTIVE, seed),
        hypermodel or Toy(),
        max_epochs=config.max_epochs,
        patience=config.patience,
        max_total_epochs=config.max_total_epochs,
        max_parameters=config.max_parameters,
        keep=keep,
        may_start=may_start,
        observers=observers,
        directory=str(folder),
        project_name="trials",
    )


def searched(folder, name, hypermodel=None, **settings):
    tuner = make(folder, name, hypermodel, **settings)
    tuner.search(verbose=0)
    return tuner


def board(tuner):
    """All that is known of the trials but the seconds, as text, in which a NaN is equal to itself."""
    hidden = ("seconds", "traceback", "space")
    rows = [{name: value for name, value in vars(one).items() if name not in hidden} for one in tuner.records.values()]
    return [json.dumps(row, sort_keys=True) for row in rows]
