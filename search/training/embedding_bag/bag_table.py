"""The rows of a table that training moves, and the texts as sums of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of an embedding bag's table, shared by all trials on the same rows.

    Attributes:
        variable: The module's.
        rows: Numbers of the table's rows that training moves, ascending, int64 [touched].
        published: These rows, float32 [touched, dim].
        train: Weights of these rows in the training texts, float32 [n, touched].
        valid: The same for the validation texts; None where there are none.
        fixed: What the other rows, which training never moves, add to the validation texts, float32 [m, dim].
    """

    variable: tf.Variable
    rows: NDArray[np.int64]
    published: NDArray[np.float32]
    train: csr_array
    valid: csr_array | None
    fixed: NDArray[np.float32] | None

    @classmethod
    def of(cls, variable: tf.Variable, train: csr_array, valid: csr_array | None, decay: bool = False) -> Table:
        """Makes it of the weights of all rows of a table in the training and the validation texts.

        Without weight decay, training moves those rows alone that the training texts are made up of.
        """
        rows = np.arange(int(variable.shape[0])) if decay else np.unique(train.indices).astype(np.int64)
        published = tf.gather(variable, rows).numpy()
        if valid is None:
            return cls(variable, rows, published, train[:, rows], None, None)
        others = np.setdiff1d(valid.indices, rows)
        fixed = valid[:, others] @ tf.gather(variable, others).numpy()
        return cls(variable, rows, published, train[:, rows], valid[:, rows], fixed)
