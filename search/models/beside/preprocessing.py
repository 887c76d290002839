"""Preprocessing of columns beside the texts by scikit-learn: what is missing, scales, categories, parts of dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from search.datasets.beside import CATEGORY, DATE, PERIODS, Column
from search.datasets.column_kinds import RAREST

_MOST_CATEGORIES = 256


def preprocessing(columns: Sequence[Column]) -> FeatureUnion:
    """Makes the preprocessing of columns, to be fitted on training rows.

    A number becomes itself, of mean 0 and variance 1; a date so many seconds and where it stands in the year, the week
    and the day, scaled alike; a category a 0 or 1 for each that is frequent enough, and one for all others. Where a
    number or date is missing it is the median, and another number tells so if that came up in training.

    Args:
        columns: The columns.

    Returns:
        What takes structured arrays [n], from `search.datasets.beside`, and gives float64 [n, width].
    """
    return FeatureUnion([(column.input, _steps(column)) for column in columns])


def described(fitted: FeatureUnion, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Everything that fitted preprocessing has learned of each column, in what JSON holds."""
    return [_learned(part, column) for (_, part), column in zip(fitted.transformer_list, columns, strict=True)]


def _steps(column: Column) -> Pipeline:
    field = FunctionTransformer(_field, kw_args={"name": column.input})
    if column.kind == CATEGORY:
        limits = {"min_frequency": RAREST, "max_categories": _MOST_CATEGORIES}
        return make_pipeline(field, OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, **limits))
    whole = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    parts = [FunctionTransformer(_parts)] if column.kind == DATE else []
    return make_pipeline(field, whole, *parts, StandardScaler())


def _learned(fitted: Pipeline, column: Column) -> dict[str, Any]:
    if column.kind == CATEGORY:
        encoder = fitted[-1]
        rare = encoder.infrequent_categories_[0]
        kept = [one for one in encoder.categories_[0].tolist() if rare is None or one not in set(rare.tolist())]
        return {"kind": column.kind, "categories": kept, "others": rare is not None}
    imputer, scaler = fitted[1], fitted[-1]
    return {
        "kind": column.kind,
        "median": float(imputer.statistics_[0]),
        "tells_missing": bool(len(imputer.indicator_.features_)),
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
    }


def _field(rows: NDArray[Any], name: str) -> NDArray[Any]:
    values: NDArray[Any] = rows[name][:, np.newaxis]
    return values


def _parts(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adds the parts of a date to its seconds [n, 1 or 2]; what tells whether it is missing stays the last."""
    moments = seconds[:, :1]
    angles = [2 * np.pi * np.mod(moments, period) / period for period in PERIODS]
    parts = [part for angle in angles for part in (np.sin(angle), np.cos(angle))]
    return np.concatenate([moments, *parts, seconds[:, 1:]], axis=1)
