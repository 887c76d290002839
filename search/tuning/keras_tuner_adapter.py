"""Drop-ins for KerasTuner's tuners."""

from __future__ import annotations

from inspect import signature
from typing import Any

from search.execution.processes import in_processes
from search.execution.worker_process import Workers
from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.tuner import Tuner
from search.utils.device import keras_settings


class Hyperband(Tuner):
    """A drop-in for `keras_tuner.Hyperband` that keeps the algorithm's promises, for any HyperModel.

    Args:
        hypermodel: A HyperModel, or a function from hyperparameters to a compiled Keras model.
        objective: See `keras_tuner.Hyperband`, as for all that follow.
        max_epochs: Epochs of a trial trained in full.
        factor: From round to round one in `factor` trials is kept, for `factor` times as many epochs.
        hyperband_iterations: How often the whole of Hyperband is run.
        workers: Processes that run trials side by side; the results are the same. More than one need a HyperModel and
            data that can be pickled, and a script that begins its work under `if __name__ == "__main__":`.
        **settings: Further arguments of `HyperbandOracle` (seed, hyperparameters, min_epochs and others) and of `Tuner`
            (directory, project_name, overwrite, keep and others).

    Example:
        >>> tuner = Hyperband(build_model, "val_accuracy", max_epochs=9, seed=0)  # doctest: +SKIP
        >>> tuner.search(x, y, validation_data=(x_valid, y_valid))  # doctest: +SKIP
        >>> model = tuner.get_best_models()[0]  # doctest: +SKIP
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | None = 1,
        workers: int = 1,
        **settings: Any,
    ) -> None:
        of_oracle = {name: settings.pop(name) for name in signature(HyperbandOracle).parameters.keys() & settings}
        oracle = HyperbandOracle(objective, max_epochs, factor, hyperband_iterations, **of_oracle)
        if workers > 1:
            settings["executor"] = in_processes(Workers(workers, prepare=keras_settings()))
        super().__init__(oracle, hypermodel, max_epochs=max_epochs, **settings)
