"""Finds out whether a module is an embedding bag, and of what each text's sum consists, without knowing its inside."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

from search.backbones.hub.load import Module
from search.training.embedding_bag.dependence import depends_on_values
from search.training.sparse_fine_tuning.gather_guard import tables_gathered_from
from search.training.sparse_fine_tuning.touched_rows import regularization, writes

# Texts looked at in one call: never more than the module has dimensions.
_AT_ONCE = 64
# Texts on which the sums, found in training, are held against the module outside training.
_CHECKED = 256
_TOLERANCE = 1e-4

# Texts, rows and weights, as many of each.
_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


class Bags:
    """How a module's vectors of texts are made up of the rows of its table.

    Where text i has the vector sum_j w_ij row_j, the gradient of the i-th number of its vector has w_ij in the i-th
    place of row j. So one gradient tells the weights of as many texts as a row has numbers. Where that gradient does
    not depend on what is in the table, the vectors are such sums whatever is in it, but for something that is added;
    that nothing is, is checked with the published rows for every text.

    Args:
        module: A module with its published weights.

    Attributes:
        table: The one variable that fine-tuning would move, [rows, dim]; None where the module is no embedding bag as
            far as is known, or training does something besides.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._at_once = min(_AT_ONCE, module.dimension)
        kinds: list[type] = []

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def probe(texts: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(module.trainable_variables)
                vectors = module(texts, training=True)
                each_in_its_place = tf.reduce_sum(tf.linalg.diag_part(vectors[:, : tf.shape(texts)[0]]))
            gradients = tape.gradient(each_in_its_place, module.trainable_variables)
            kinds[:] = [type(gradient) for gradient in gradients]
            slices = [one for one in gradients if isinstance(one, tf.IndexedSlices)]
            return vectors, [part for one in slices for part in (one.indices, one.values)]

        self._probe = probe
        traced = probe.get_concrete_function()
        changes_itself = writes(traced.graph) or bool(regularization(module))
        moved = [pair for pair in zip(module.trainable_variables, kinds, strict=True) if pair[1] is not type(None)]
        self.table: tf.Variable | None = None
        if len(moved) == 1 and not changes_itself:
            ((variable, kind),) = moved
            of_its_width = kind is tf.IndexedSlices and tuple(variable.shape[1:]) == (module.dimension,)
            if of_its_width and not depends_on_values(traced, traced.outputs[1:], variable):
                self.table = variable
        self._at: dict[str, int] = {}
        self._weights: csr_array | None = None

    def weights(self, texts: NDArray[np.object_]) -> csr_array | None:
        """The weights of the table's rows in texts; those of each text are found once.

        Args:
            texts: Strings [n].

        Returns:
            float32 [n, rows of the table]; None where `table` is, or turns out to be.
        """
        unknown = np.array([text for text in dict.fromkeys(texts.tolist()) if text not in self._at], object)
        if len(unknown):
            with tables_gathered_from():
                found = self._found(unknown)
            if self.table is None or found is None:
                self.table = None
                return None
            self._at |= {text: row for row, text in enumerate(unknown.tolist(), start=len(self._at))}
            self._weights = found if self._weights is None else vstack([self._weights, found], format="csr")
        assert self._weights is not None
        return self._weights[[self._at[text] for text in texts.tolist()]]

    def _found(self, texts: NDArray[np.object_]) -> csr_array | None:
        if self.table is None:
            return None
        parts: list[_Part] = []
        for start in range(0, len(texts), self._at_once):
            part = self._part(texts[start : start + self._at_once])
            if part is None:
                return None
            text, row, weight = part
            parts.append((text + start, row, weight))
        text, row, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
        weights = coo_array((weight, (text, row)), (len(texts), self.table.shape[0])).tocsr()
        some = weights[:_CHECKED]
        rows = np.unique(some.indices)
        vectors = self._module(tf.constant(texts[:_CHECKED].tolist())).numpy()
        return weights if _agree(some[:, rows] @ tf.gather(self.table, rows).numpy(), vectors) else None

    def _part(self, texts: NDArray[np.object_]) -> _Part | None:
        vectors, (rows, values) = self._probe(tf.constant(texts.tolist()))
        at, text = np.nonzero(values.numpy()[:, : len(texts)])
        row, weight = rows.numpy()[at].astype(np.int64), values.numpy()[at, text]
        distinct, places = np.unique(row, return_inverse=True)
        weights = coo_array((weight, (text, places)), (len(texts), len(distinct))).tocsr()
        sums = weights @ tf.gather(self.table, distinct).numpy()
        return (text, row, weight) if _agree(sums, vectors.numpy()) else None


def _agree(sums: NDArray[np.float32], vectors: NDArray[np.float32]) -> bool:
    return bool(np.abs(sums - vectors).max(initial=0.0) <= _TOLERANCE * max(1.0, np.abs(vectors).max(initial=0.0)))
