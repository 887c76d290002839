"""How trials are judged: on the validation split, or by cross-validation on the training split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import keras_tuner
import numpy as np
from numpy.typing import NDArray

from search.datasets import Splits
from search.models.classifier import Classifier
from search.training.cross_validation import CrossValidated
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.tuning.record import TrialRecord
from search.tuning.tuner import Tuner


class Validation:
    """Joins the data and the HyperModel of a search.

    Args:
        hypermodel: Builds the models; those trained on all rows are its own.
        splits: The data.

    Attributes:
        hypermodel: The hypermodel for the tuner.
        fit_args: The arguments of `Tuner.search`.
    """

    def __init__(self, hypermodel: TrainableHyperModel, splits: Splits) -> None:
        self._splits = splits
        self._crossed = None if splits.fold is None else CrossValidated(hypermodel, splits.folds)
        self._of_folds = [hypermodel] if self._crossed is None else self._crossed.of_folds
        self.hypermodel: keras_tuner.HyperModel = self._crossed or hypermodel
        self.fit_args = (splits.train, splits.valid) if self._crossed is None else ()

    def probabilities(self, tuner: Tuner, record: TrialRecord) -> NDArray[np.float64]:
        """The probabilities of a trial's best epoch for the rows it was judged by.

        Args:
            tuner: The tuner, after its search.
            record: The trial's record. Where its weights were not kept, the trial is trained again; they follow from
                its hyperparameters, its seed and the rows.

        Returns:
            Probabilities of each row of `Splits.valid`, by the model that was not trained on it, float64 [n, classes].

        Raises:
            InputError: Its weights are damaged.
        """
        splits = self._splits
        found = np.empty((len(splits.valid), len(splits.classes)))
        for fold, model in zip(splits.folds, self._models(tuner, record), strict=True):
            features = self._of_folds[0].constant_features(record.values, fold.valid)
            found[fold.at] = Classifier(model, splits.classes, None).probabilities(fold.valid.inputs, features)
        return found

    def _models(self, tuner: Tuner, record: TrialRecord) -> Iterator[keras.Model]:
        trial: Any = tuner.oracle.get_trial(record.trial_id)
        hp = trial.hyperparameters
        if not tuner.files.best(record.trial_id).exists():
            for hypermodel, fold in zip(self._of_folds, self._splits.folds, strict=True):
                yield refit(hypermodel, hp, fold.train, record.best_epoch or 0, record.state)
        elif self._crossed is None:
            yield tuner.load_model(trial)
        else:
            yield from self._crossed.load_models(hp, tuner.best_weights(trial))
