"""The rows of a data set, as far as a baseline needs to know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Labelled(Protocol):
    """Texts and their classes."""

    @property
    def texts(self) -> NDArray[np.object_]:
        """Strings [n]."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Indices of classes, int64 [n]."""

    @property
    def inputs(self) -> NDArray[Any]:
        """The texts, or a structured array whose first field they are; the others are columns beside them."""


class LabelledFold(Protocol):
    """Rows to fit on, and others to judge by: see `search.datasets.Fold`."""

    @property
    def train(self) -> Labelled:
        """The former."""

    @property
    def valid(self) -> Labelled:
        """The latter."""

    @property
    def at(self) -> NDArray[np.int64]:
        """Their places among the rows that all folds judge by, int64 [rows of `valid`]."""


class LabelledSplits(Protocol):
    """The rows of a data set: see `search.datasets.Splits`."""

    @property
    def folds(self) -> Sequence[LabelledFold]:
        """Rows of every class to fit on, and others to judge by, in turn."""

    @property
    def valid(self) -> Labelled:
        """The rows that all folds judge by, which the threshold comes from."""

    @property
    def test(self) -> Labelled:
        """Rows that nothing is fitted on."""

    @property
    def refit(self) -> Labelled:
        """Rows that the models scored on test are fitted on: train, with or without valid."""
