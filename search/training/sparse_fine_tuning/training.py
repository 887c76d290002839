"""Fine-tuning as a tuner sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import faults_of_module
from search.backbones.hub.load import Module
from search.optimizers.settings import OptimizerSettings
from search.optimizers.sparse_rows import Optimizer, Target
from search.training.base import OnEpochEnd
from search.training.order import epoch_order
from search.training.scores import Metrics, split_metrics, training_sample
from search.training.sparse_fine_tuning.gather_guard import tables_gathered_from
from search.training.sparse_fine_tuning.sparse_rows import Touched, regularization
from search.training.sparse_fine_tuning.weights import ModuleWeights
from search.utils.batched import in_batches
from search.utils.checkpoint import Arrays


@dataclass(frozen=True)
class TextRows:
    """Rows of a split as fine-tuning sees them.

    Attributes:
        texts: Strings [n].
        labels: Class indices [n].
    """

    texts: tf.Tensor
    labels: NDArray[np.int64]


class FineTuning:
    """Trains a module and the head above it; see `search.training.base.Training`.

    It trains the module that all others use as published: the trial's weights are in it during `run` alone.

    The order of rows and what the head's dropout drops are functions of the seed and the step, so the weights, the
    optimizer's slots and its step are all that the next epoch depends on.

    Args:
        module: The module, with its published weights.
        touched: What training on `train` can change of each of its variables.
        head: Kernel [inputs, width] and bias [width] of each dense layer, the last one that of the classes.
        activation: Keras's name of what follows each hidden layer.
        dropout: Part of the hidden values that each step of training drops.
        optimizer: Of all weights.
        train: Rows to train on.
        valid: Rows to score by; None: none, as in the refit.
        importance: Weight of each training row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the trial.
        accumulate: Parts that each batch is computed in, for want of memory.
    """

    def __init__(
        self,
        module: Module,
        touched: Sequence[Touched],
        head: Arrays,
        activation: str,
        dropout: float,
        optimizer: OptimizerSettings,
        train: TextRows,
        valid: TextRows | None,
        importance: NDArray[np.float32],
        batch_size: int,
        seed: int,
        accumulate: int = 1,
    ) -> None:
        self._module = module
        self._weights = ModuleWeights(touched)
        self._head = [tf.Variable(array) for array in head]
        self._activate = keras.activations.get(activation)
        self._dropout = dropout
        self._settings = optimizer
        moved = self._weights.targets(len(module.trainable_variables))
        self._optimizer = Optimizer(
            optimizer, [*(Target(one, of_module=True) for one in moved), *(Target(one) for one in self._head)]
        )
        self._train, self._valid = train, valid
        self._labels, self._importance = tf.constant(train.labels), tf.constant(importance)
        self._batch_size = batch_size
        self._seed = seed
        self._accumulate = accumulate
        self._steps = 0
        self._sample = training_sample(len(train.labels), None if valid is None else len(valid.labels), seed)

    @property
    def parameters(self) -> int:
        """Weights of the module and of the head."""
        return sum(int(np.prod(variable.shape)) for variable in (*self._module.variables, *self._head))

    def weights(self) -> Arrays:
        """Those of the module's variables, of a table the touched rows, then the head's."""
        return [*self._weights.changes(), *(variable.numpy() for variable in self._head)]

    def state(self) -> Arrays:
        """What training can change of the module, the head, the optimizer's slots and its step."""
        head = [variable.numpy() for variable in self._head]
        return [*self._weights.values(), *head, *self._optimizer.arrays(), np.array(self._steps)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model, or of other texts.
        """
        expected = [array.shape for array in self.state()]
        if [array.shape for array in state] != expected:
            raise ValueError(f"The checkpoint is another model's: expected {expected}, got {[a.shape for a in state]}.")
        of_module = len(self._module.variables)
        self._weights.set_values(state[:of_module])
        self.set_head(state[of_module : of_module + len(self._head)])
        self._optimizer.set_arrays(state[of_module + len(self._head) : -1])
        self._steps = int(state[-1])

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""
        for variable, array in zip(self._head, arrays, strict=True):
            variable.assign(array)

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        # Traced for this run: nothing of it is left behind once it is over.
        number = tf.TensorSpec([], tf.float32)
        step = tf.function(self._step, input_signature=[tf.TensorSpec([None], tf.int64), number, number])
        score = tf.function(self._probabilities, input_signature=[tf.TensorSpec([None], tf.string)])
        # Once the published weights are back, it can be told whether they or those of the trial made a call fail.
        splits = [split.texts for split in (self._train, self._valid) if split is not None]
        with (
            faults_of_module(self._module, f"module {self._module.name}", *splits),
            tables_gathered_from(),
            self._weights.in_module(),
        ):
            for epoch in epochs:
                loss = self._run_epoch(step, epoch)
                sampled = TextRows(tf.gather(self._train.texts, self._sample), self._train.labels[self._sample])
                metrics = Metrics({**_scores("", score, sampled), "loss": loss})
                if self._valid is not None:
                    metrics = metrics.with_validation(_scores("val_", score, self._valid))
                if on_epoch_end(epoch + 1, metrics):
                    return

    def _run_epoch(self, step: Any, epoch: int) -> float:
        order = epoch_order(len(self._train.labels), self._seed, epoch)
        total = 0.0
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            self._steps += 1
            rate = self._settings.module_rate_at(self._steps)
            total += len(rows) * float(step(tf.constant(rows), tf.constant(float(self._steps)), tf.constant(rate)))
        return total / len(order)

    def _step(self, rows: tf.Tensor, number: tf.Tensor, module_rate: tf.Tensor) -> tf.Tensor:
        """Makes one step on a batch; gives its mean loss."""
        variables = [*self._module.trainable_variables, *self._head]
        count = tf.size(rows)
        own = len(self._module.trainable_variables)
        total, gradients = tf.constant(0.0), list[tf.Tensor]()
        bounds = [count * i // self._accumulate for i in range(self._accumulate + 1)]
        for part, (begin, end) in enumerate(pairwise(bounds)):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(variables)
                seed = tf.stack([self._seed, tf.cast(number, tf.int32) * self._accumulate + part])
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
        logits = self._logits(tf.gather(self._train.texts, rows), seed)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(self._labels, rows), logits)
        added = tf.add_n([tf.constant(0.0), *regularization(self._module)])
        return tf.reduce_sum(losses * tf.gather(self._importance, rows)) + added * tf.cast(tf.size(rows), tf.float32)

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

    def _probabilities(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self._logits(texts, None))


def _scores(prefix: str, score: Any, split: TextRows) -> Metrics:
    return split_metrics(prefix, split.labels, in_batches(score, split.texts).astype(np.float64))
