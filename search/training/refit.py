"""Trains a configuration afresh on more rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import keras_tuner

from search.datasets import Examples
from search.errors import SearchError
from search.models.weights import assign, model_weights
from search.training.base import TrialState
from search.training.trainable import TrainableHyperModel
from search.training.trainers import make_training
from search.utils.checkpoint import is_finite


def refit(
    hypermodel: TrainableHyperModel,
    hp: keras_tuner.HyperParameters,
    examples: Examples,
    epochs: int,
    state: TrialState,
    on_epoch: Callable[[int, Mapping[str, float]], None] = lambda epoch, metrics: None,
    on_weights: Callable[[int, Sequence[keras.Variable]], None] | None = None,
) -> keras.Model:
    """Trains a configuration afresh; its initial weights follow from the seed of the search and what it is.

    Args:
        hypermodel: Makes the model.
        hp: The configuration.
        examples: All rows to learn from.
        epochs: How long: as many epochs as were best in the search.
        state: The facts found out in the search.
        on_epoch: Called with every epoch and its metrics.
        on_weights: Called with the weights after every epoch.

    Returns:
        The trained model, strings in.

    Raises:
        SearchError: Its weights are not finite.
    """
    hypermodel = hypermodel.refitting(examples)
    task = hypermodel.task(hp, examples, state=state)
    keras.utils.set_random_seed(task.seed)
    model = hypermodel.model(task.values)
    training = make_training(task)

    def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
        on_epoch(epoch, metrics)
        if on_weights is not None:
            assign(model_weights(model), training.weights())
            on_weights(epoch, model_weights(model))
        return False

    training.run(range(epochs), on_epoch_end)
    weights = training.weights()
    if not is_finite(weights):
        raise SearchError(
            f"The best configuration diverged when it was trained again on {len(examples):,} rows: its weights are no "
            "finite numbers. Lower space.learning_rate, or set space.clip_norm."
        )
    assign(model_weights(model), weights)
    return model
