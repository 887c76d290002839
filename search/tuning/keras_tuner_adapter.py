"""Drop-ins for KerasTuner's tuners."""

from __future__ import annotations

from typing import Any

import keras_tuner

from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.tuner import Tuner


class Hyperband(Tuner):
    """A drop-in for `keras_tuner.Hyperband` that keeps the algorithm's promises, for any HyperModel.

    Args:
        hypermodel: A HyperModel, or a function from hyperparameters to a compiled Keras model.
        objective: As for `keras_tuner.Hyperband`, like all that follow.
        max_epochs: Epochs of a trial trained in full.
        factor: From round to round one in `factor` trials is kept, for `factor` times as many epochs.
        hyperband_iterations: How often the whole of Hyperband is run.
        seed: Any whole number; None draws one.
        hyperparameters: Overrides, or registers in advance, hyperparameters of the space.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are tuned.
        allow_new_entries: Whether a model may ask for such.
        max_retries_per_trial: How often a trial that crashed is run again before it counts as failed.
        max_consecutive_failed_trials: Failed trials in a row that end the search.
        min_epochs: The fewest epochs a trial gets in the first round of any bracket.
        **settings: As for `Tuner`: directory, project_name, overwrite, keep and others.

    Example:
        >>> tuner = Hyperband(build_model, "val_accuracy", max_epochs=9, seed=0, directory="outputs")
        >>> tuner.search(x, y, validation_data=(x_valid, y_valid))
        >>> model = tuner.get_best_models()[0]
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | None = 1,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        *,
        min_epochs: int = 1,
        **settings: Any,
    ) -> None:
        oracle = HyperbandOracle(
            objective=objective,
            max_epochs=max_epochs,
            factor=factor,
            hyperband_iterations=hyperband_iterations,
            seed=seed,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
            min_epochs=min_epochs,
        )
        super().__init__(oracle, hypermodel, max_epochs=max_epochs, **settings)
