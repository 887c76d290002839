"""The importance of each hyperparameter, as far as the trials can show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits

LEAST_TRIALS = 8
TRUSTED_TRIALS = 40
_TRUSTED_R2 = 0.2
_FITS, _TREES, _SHUFFLES = 10, 40, 4
EPOCHS = "epochs"


@dataclass(frozen=True)
class Importance:
    """The importance of hyperparameters.

    Attributes:
        shares: Name to mean, 10th and 90th percentile over the fits: by how much the error on held-out scores, in units
            of their variance, grows when the hyperparameter is shuffled. The largest mean first.
        explained: Share of that variance (R²) that the forests explain: mean over the fits.
        configurations: Rows the forests were fitted on.
        trusted: Whether there are enough configurations, and the forests explain them.
    """

    shares: dict[str, tuple[float, float, float]]
    explained: float
    configurations: int

    @property
    def trusted(self) -> bool:
        """Whether there are enough configurations, and the forests explain them."""
        return self.configurations >= TRUSTED_TRIALS and self.explained >= _TRUSTED_R2


def varying(configurations: pd.DataFrame, hyperparameters: list[str]) -> list[str]:
    """The hyperparameters with more than one value; being absent counts as a value."""
    return [name for name in hyperparameters if configurations[name].nunique(dropna=False) > 1]


def importance(configurations: pd.DataFrame, hyperparameters: list[str], seed: int) -> Importance | None:
    """Permutation importance (Breiman, 2001, Random Forests) on held-out configurations, over repeated fits.

    Each fit is a random forest on three quarters of the configurations; the importance of a hyperparameter is how much
    worse the forest predicts the scores of the other quarter once its values are shuffled there. The forest also knows
    how many epochs a configuration was trained for, so that the budget is not taken for a hyperparameter's merit.

    Args:
        configurations: A row for each, with `score` and `epochs`.
        hyperparameters: Columns to ask about.
        seed: Seed of the splits, the forests and the shuffling.

    Returns:
        The importance; None where there are fewer than `LEAST_TRIALS` configurations, their scores do not differ, or
        nothing varies.
    """
    columns = varying(configurations, hyperparameters)
    scores = configurations["score"].to_numpy(np.float64)
    if len(configurations) < LEAST_TRIALS or not columns or np.ptp(scores) == 0:
        return None
    names = [*columns, *[EPOCHS] * (configurations[EPOCHS].nunique() > 1)]
    values = np.column_stack([_codes(configurations[name]) for name in names])
    falls, explained = [], []
    random = np.random.default_rng(seed)
    splits = ShuffleSplit(_FITS, test_size=0.25, random_state=seed).split(values)
    with threadpool_limits(limits=1):
        for i, (train, held_out) in enumerate(splits):
            forest = RandomForestRegressor(_TREES, min_samples_leaf=2, random_state=seed + i)
            forest.fit(values[train], scores[train])
            spread = np.mean((scores[held_out] - scores[train].mean()) ** 2) or 1.0
            rows = np.concatenate([values[held_out][None], _shuffled(values[held_out], random)])
            # All in one call: each costs as much as predicting thousands of rows.
            predicted = forest.predict(rows.reshape(-1, len(names))).reshape(len(rows), -1)
            errors = ((predicted - scores[held_out]) ** 2).mean(axis=1) / spread
            explained.append(1 - errors[0])
            falls.append(errors[1:].reshape(len(names), _SHUFFLES).mean(axis=1) - errors[0])
    return Importance(_summed(names, np.array(falls)), float(np.mean(explained)), len(configurations))


def _shuffled(values: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Copies [columns * shuffles, rows, columns], in each of which one column is shuffled."""
    copies = np.repeat(values[None], values.shape[1] * _SHUFFLES, axis=0)
    for i, copy in enumerate(copies):
        random.shuffle(copy[:, i // _SHUFFLES])
    return copies


def _summed(names: list[str], falls: NDArray[np.float64]) -> dict[str, tuple[float, float, float]]:
    low, high = np.quantile(falls, [0.1, 0.9], axis=0)
    shares = dict(zip(names, zip(falls.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True), strict=True))
    return dict(sorted(shares.items(), key=lambda item: -item[1][0]))


def _codes(column: pd.Series) -> NDArray[np.float64]:
    """Numbers for the forest: other values by their order, a missing value below all."""
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isnan(numbers), np.nanmin(numbers) - 1, numbers)
    return pd.Categorical(column.astype("string")).codes.astype(np.float64)
