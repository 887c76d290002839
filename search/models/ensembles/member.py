"""A classifier of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Member:
    """A classifier of an ensemble, with its predictions for the validation and the test split.

    Attributes:
        name: trial_…, or the name of a baseline.
        valid: Its probabilities for the validation split, fitted on the training split, float64 [n, classes]; in
            cross-validation for all rows to learn from, fitted without the fold of each.
        test: Its probabilities for the test split, fitted on the rows that the best trial is refitted on.
        model: Maps texts to the latter; None where it is not needed.
        values: A trial's hyperparameters.
    """

    name: str
    valid: NDArray[np.float64]
    test: NDArray[np.float64]
    model: keras.layers.Layer | None = None
    values: Mapping[str, Any] | None = None
