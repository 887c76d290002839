"""Fine-tuning of a module at the cost of the rows that the texts touch, as a tuner sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import faults_of_module
from search.backbones.hub.load import Module
from search.models.scorer import WithOffset, chosen
from search.optimizers.settings import OptimizerSettings
from search.optimizers.sparse_rows import Optimizer, Target
from search.training.base import check_shapes
from search.training.epoch_loop import EpochLoop
from search.training.head import Head
from search.training.rows import Batch, InputRows, TrainingData
from search.training.sparse_fine_tuning.gather_guard import tables_gathered_from
from search.training.sparse_fine_tuning.module_weights import ModuleWeights
from search.training.sparse_fine_tuning.sparse_rows import Touched, regularization
from search.utils.batched import in_batches
from search.utils.checkpoint import Arrays


class SparseRowTraining(EpochLoop):
    """Trains a module and the head above it; see `search.training.base.Training`.

    It trains the module that all others use as published: the trial's weights are in it during `run` alone.

    The order of rows and what the head's dropout drops are functions of the seed and the step, so the weights, the
    optimizer's slots and its step are all that the next epoch depends on.

    Args:
        module: The module, with its published weights.
        touched: What training on `data` can change of each of its variables.
        head: The head, with its first weights.
        optimizer: Of all weights.
        data: What is trained on and scored by; its inputs are strings [n].
        accumulate: Parts that each batch is computed in, for want of memory.
    """

    def __init__(
        self,
        module: Module,
        touched: Sequence[Touched],
        head: Head,
        optimizer: OptimizerSettings,
        data: TrainingData,
        accumulate: int = 1,
    ) -> None:
        super().__init__(data)
        self._module = module
        self._weights = ModuleWeights(touched)
        self._head = [tf.Variable(array) for array in head.arrays()]
        self._activate = keras.activations.get(head.activation)
        self._dropout = head.dropout
        self._settings = optimizer
        moved = self._weights.targets(len(module.trainable_variables))
        self._optimizer = Optimizer(
            optimizer, [*(Target(one, of_module=True) for one in moved), *(Target(one) for one in self._head)]
        )
        self._classes = self._head[-1].shape[0]
        self._offset = tf.constant(self._offset_of(data.train))
        self._labels, self._sample_weight = tf.constant(data.train.labels), tf.constant(data.sample_weight)
        self._accumulate = accumulate
        self._steps = 0
        # Functions that TensorFlow traces for each run.
        self._traced_step: Callable[..., tf.Tensor] = self._step_on
        self._traced_probabilities: Callable[..., tf.Tensor] = self._probabilities_of

    @property
    def parameters(self) -> int:
        """Weights of the module and of the head."""
        return sum(int(np.prod(variable.shape)) for variable in (*self._module.variables, *self._head))

    def weights(self) -> Arrays:
        """The weights of the module's variables (of a table only its sparse rows), then the head's."""
        return [*self._weights.changes(), *(variable.numpy() for variable in self._head)]

    def state(self) -> Arrays:
        """The weights of module and head that training can change, the optimizer's slots and its step."""
        head = [variable.numpy() for variable in self._head]
        return [*self._weights.values(), *head, *self._optimizer.arrays(), np.array(self._steps)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model, or of other texts.
        """
        check_shapes(state, self.state())
        of_module = len(self._module.variables)
        self._weights.set_values(state[:of_module])
        self.set_head(state[of_module : of_module + len(self._head)])
        self._optimizer.set_arrays(state[of_module + len(self._head) : -1])
        self._steps = int(state[-1])

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""
        for variable, array in zip(self._head, arrays, strict=True):
            variable.assign(array)

    @contextmanager
    def _running(self) -> Iterator[None]:
        # Traced for this run: nothing of it is left behind once it is over.
        number = tf.TensorSpec([], tf.float32)
        self._traced_step = tf.function(
            self._step_on, input_signature=[tf.TensorSpec([None], tf.int64), number, number]
        )
        self._traced_probabilities = tf.function(
            self._probabilities_of,
            input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, self._classes], tf.float32)],
        )
        # Once the published weights are back, it can be told whether they or those of the trial made a call fail.
        splits = [split.inputs for split in (self._data.train, self._data.valid) if split is not None]
        try:
            with (
                faults_of_module(self._module, f"module {self._module.name}", *splits),
                tables_gathered_from(),
                self._weights.in_module(),
            ):
                yield
        finally:
            self._traced_step, self._traced_probabilities = self._step_on, self._probabilities_of

    def _step(self, batch: Batch) -> float:
        self._steps += 1
        rate = self._settings.module_rate_at(self._steps)
        rows, number = tf.constant(batch.rows), tf.constant(float(self._steps))
        return len(batch.rows) * float(self._traced_step(rows, number, tf.constant(rate)))

    def _probabilities(self, inputs: InputRows, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
        given = chosen(WithOffset(inputs.inputs, self._offset_of(inputs)), rows)
        return in_batches(lambda batch: self._traced_probabilities(*batch), given).astype(np.float64)

    def _offset_of(self, rows: InputRows) -> NDArray[np.float32]:
        return np.zeros((len(rows.labels), self._classes), np.float32) if rows.offset is None else rows.offset

    def _step_on(self, rows: tf.Tensor, number: tf.Tensor, module_rate: tf.Tensor) -> tf.Tensor:
        """Makes one step on a batch; gives its mean loss."""
        variables = [*self._module.trainable_variables, *self._head]
        count = tf.size(rows)
        own = len(self._module.trainable_variables)
        total, gradients = tf.constant(0.0), list[tf.Tensor]()
        bounds = [count * i // self._accumulate for i in range(self._accumulate + 1)]
        for part, (begin, end) in enumerate(pairwise(bounds)):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(variables)
                seed = tf.stack([self._data.seed, tf.cast(number, tf.int32) * self._accumulate + part])
                loss = self._loss(rows[begin:end], seed) / tf.cast(count, tf.float32)
            came = tape.gradient(loss, variables)
            dense = [*self._weights.dense(came[:own]), *came[own:]]
            gradients = [sum(pair) for pair in zip(gradients, dense, strict=True)] if gradients else dense
            total += loss
        self._optimizer.step(gradients, module_rate, number)
        self._weights.write()
        return total

    def _loss(self, rows: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The sum of the rows' losses, and for each row what the module adds to the loss."""
        logits = self._logits(tf.gather(self._data.train.inputs, rows), seed) + tf.gather(self._offset, rows)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(self._labels, rows), logits)
        added = tf.add_n([tf.constant(0.0), *regularization(self._module)])
        return tf.reduce_sum(losses * tf.gather(self._sample_weight, rows)) + added * tf.cast(tf.size(rows), tf.float32)

    def _logits(self, texts: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        """Logits [batch, classes]; with a seed, those of a step of training."""
        values = self._module(texts, training=seed is not None)
        for layer in range(0, len(self._head) - 2, 2):
            kernel, bias = self._head[layer : layer + 2]
            values = self._activate(values @ kernel + bias)
            if seed is not None and self._dropout:
                folded = tf.random.fold_in(seed, layer)
                values = tf.nn.experimental.stateless_dropout(values, self._dropout, folded, rng_alg="philox")
        kernel, bias = self._head[-2:]
        return values @ kernel + bias

    def _probabilities_of(self, texts: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self._logits(texts, None) + offset)
