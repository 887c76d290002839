"""Fine-tuning of a module at the cost of the rows that the texts touch, as a tuner sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import faults_of_modules
from search.backbones.hub.load import Module
from search.optimizers.optimizer_settings import OptimizerSettings, decays
from search.optimizers.sparse_rows import Optimizer, Target
from search.training.base import check_shapes
from search.training.epoch_loop import EpochLoop
from search.training.head import Head
from search.training.rows import Batch, InputRows, TrainingData
from search.training.sparse_fine_tuning.gather_guard import tables_gathered_from
from search.training.sparse_fine_tuning.module_inputs import ModuleInputs
from search.training.sparse_fine_tuning.module_weights import ModuleWeights
from search.training.sparse_fine_tuning.touched_rows import Touched, regularization
from search.utils.batched import Several
from search.utils.checkpoint import Arrays

# Of some rows: what the module is given, the logits that are added, the classes and the weights in the loss.
_RowTensors: TypeAlias = tuple[Any, tf.Tensor, tf.Tensor, tf.Tensor]


class SparseRowTraining(EpochLoop):
    """Trains a module and the head above it; see `search.training.base.Training`.

    It trains the module that all others use as published: the trial's weights are in it during `run` alone.

    The order of rows and what the head's dropout drops are functions of the seed and the step, so the weights, the
    optimizer's slots and its step are all that the next epoch depends on.

    Args:
        module: The module, with its published weights.
        inputs: The way from what `data` has of the texts to their vectors.
        touched: What training on `data` can change of each of its variables.
        head: The head, with its first weights.
        optimizer: Of all weights.
        data: What is trained on and scored by. Each of its devices computes as many parts of a batch as there are for
            want of memory, with a copy of the weights, at the same time as the others; the sum of what they give is the
            gradient of the batch.
    """

    def __init__(
        self,
        module: Module,
        inputs: ModuleInputs,
        touched: Sequence[Touched],
        head: Head,
        optimizer: OptimizerSettings,
        data: TrainingData,
    ) -> None:
        super().__init__(data)
        self._module, self._inputs = module, inputs
        self._weights = ModuleWeights(touched)
        self._head = [tf.Variable(array) for array in head.arrays()]
        self._activate = keras.activations.get(head.activation)
        self._dropout = head.dropout
        self._settings = optimizer
        moved = self._weights.targets(len(module.trainable_variables))
        of_module = [
            Target(one, decays(variable), True, rate)
            for one, variable, rate in zip(moved, module.trainable_variables, inputs.rates, strict=True)
        ]
        # Kernel and bias by turns.
        of_head = [Target(one, number % 2 == 0) for number, one in enumerate(self._head)]
        self._optimizer = Optimizer(optimizer, [*of_module, *of_head])
        self._classes = int(self._head[-1].shape[0])
        self._devices = data.devices
        self._parts = data.parts * len(data.devices)
        self._steps = 0
        # Functions that TensorFlow traces for each run.
        self._traced_step: Callable[..., tf.Tensor] = self._step_on
        self._traced_probabilities: Callable[..., tf.Tensor] = self._probabilities_of

    @property
    def parameters(self) -> int:
        """Weights of the layers of the module that learn, and of the head."""
        rates = self._inputs.rates
        learning = [one for one, rate in zip(self._module.trainable_variables, rates, strict=True) if rate]
        variables = (*learning, *self._module.other_variables, *self._head)
        return sum(int(np.prod(variable.shape)) for variable in variables)

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
        number, labels = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int64)
        weights, inputs = tf.TensorSpec([None], tf.float32), self._inputs.signature
        offset = tf.TensorSpec([None, self._classes], tf.float32)
        signature = [(inputs, offset, labels, weights), number, (number, number)]
        self._traced_step = tf.function(self._step_on, input_signature=signature)
        self._traced_probabilities = tf.function(self._probabilities_of, input_signature=[inputs, offset])
        try:
            with self._faults(), tables_gathered_from(), self._weights.in_module():
                yield
        finally:
            self._traced_step, self._traced_probabilities = self._step_on, self._probabilities_of

    def _step(self, batch: Batch) -> float:
        self._steps += 1
        settings = self._settings
        rates = tf.constant(settings.module_rate_at(self._steps)), tf.constant(settings.rate_at(self._steps))
        inputs = self._inputs.take(self._data.train.inputs, batch.rows)
        offset = self._offset_of(self._data.train, batch.rows)
        rows = inputs, offset, tf.constant(batch.labels), tf.constant(batch.sample_weight)
        return len(batch.rows) * float(self._traced_step(rows, tf.constant(float(self._steps)), rates))

    def _probabilities(self, inputs: InputRows, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
        rows = np.arange(len(inputs.labels)) if rows is None else rows
        probabilities = np.zeros((len(rows), self._classes))
        for places, batch in self._inputs.batches(inputs.inputs, rows):
            probabilities[places] = self._traced_probabilities(batch, self._offset_of(inputs, rows[places])).numpy()
        return probabilities

    def _offset_of(self, inputs: InputRows, rows: NDArray[np.int64]) -> tf.Tensor:
        return tf.zeros([len(rows), self._classes]) if inputs.offset is None else tf.constant(inputs.offset[rows])

    def _faults(self) -> AbstractContextManager[None]:
        # Once the published weights are back, it can be told whether they or those of the trial made a call fail.
        splits = [split.inputs for split in (self._data.train, self._data.valid) if split is not None]
        of_module = [inputs.parts[0] if isinstance(inputs, Several) else inputs for inputs in splits]
        texts = [inputs for inputs in of_module if tf.is_tensor(inputs)]
        return faults_of_modules({self._module.name: self._module}, *texts) if texts else nullcontext()

    def _step_on(self, rows: _RowTensors, number: tf.Tensor, rates: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Makes one step on a batch; gives its mean loss."""
        variables = [*self._module.trainable_variables, *self._head]
        count = tf.shape(rows[1])[0]
        own = len(self._module.trainable_variables)
        total, gradients = tf.constant(0.0), list[tf.Tensor]()
        bounds = [count * i // self._parts for i in range(self._parts + 1)]
        for part, (begin, end) in enumerate(pairwise(bounds)):
            device = self._devices[part % len(self._devices)]
            with tf.device(device) if device else nullcontext():
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(variables)
                    seed = tf.stack([self._data.seed, tf.cast(number, tf.int32) * self._parts + part])
                    share = slice(begin, end)
                    given = tf.nest.map_structure(lambda one, share=share: one[share], rows)
                    loss = self._loss(given, seed) / tf.cast(count, tf.float32)
                came = tape.gradient(loss, variables)
                dense = [*self._weights.dense(came[:own]), *came[own:]]
            gradients = [sum(pair) for pair in zip(gradients, dense, strict=True)] if gradients else dense
            total += loss
        self._optimizer.step(gradients, rates, number)
        self._weights.write()
        return total

    def _loss(self, rows: _RowTensors, seed: tf.Tensor) -> tf.Tensor:
        """The sum of the rows' losses, and for each row what the module adds to the loss."""
        inputs, offset, labels, sample_weight = rows
        logits = self._logits(inputs, seed) + offset
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        added = tf.add_n([tf.constant(0.0), *regularization(self._module)])
        return tf.reduce_sum(losses * sample_weight) + added * tf.cast(tf.size(labels), tf.float32)

    def _logits(self, inputs: Any, seed: tf.Tensor | None) -> tf.Tensor:
        """Logits [batch, classes]; with a seed, those of a step of training."""
        values = self._inputs.vectors(inputs, training=seed is not None)
        for layer in range(0, len(self._head) - 2, 2):
            kernel, bias = self._head[layer : layer + 2]
            values = self._activate(values @ kernel + bias)
            if seed is not None and self._dropout:
                folded = tf.random.fold_in(seed, layer)
                values = tf.nn.experimental.stateless_dropout(values, self._dropout, folded, rng_alg="philox")
        kernel, bias = self._head[-2:]
        return values @ kernel + bias

    def _probabilities_of(self, inputs: Any, offset: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self._logits(inputs, None) + offset)
