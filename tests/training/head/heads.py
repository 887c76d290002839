"""Heads to train both ways: by this package's own arithmetic, and by `keras.Model.fit`."""

import keras
import numpy as np
import tensorflow as tf

from search.evaluation.metric_list import Target
from search.features.cache import Features
from search.optimizers.optimizer_settings import OptimizerSettings, make_optimizer
from search.training.head import Head, HeadTraining, Sigmoid
from search.training.order import epoch_order
from search.training.rows import InputRows, TrainingData

INPUTS = 10


def make_rows(rows, classes, seed=0):
    """Features of which the first few tell the class."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    values = random.normal(size=(rows, INPUTS)).astype(np.float32)
    values[:, :classes] += np.eye(classes, dtype=np.float32)[labels]
    where = np.arange(rows, dtype=np.int32)
    return InputRows(Features([values], np.zeros(rows, np.int32), where, INPUTS), labels)


def make_labelled_rows(rows, labels, seed=0):
    """Features of which the first few tell several labels per row."""
    random = np.random.default_rng(seed)
    there = (random.random((rows, labels)) < 0.4).astype(np.int8)
    values = random.normal(size=(rows, INPUTS)).astype(np.float32)
    values[:, :labels] += there
    where = np.arange(rows, dtype=np.int32)
    return InputRows(Features([values], np.zeros(rows, np.int32), where, INPUTS), there)


def make_training(
    rows,
    valid=None,
    *,
    widths=(16, 8),
    classes=2,
    activation="relu",
    dropout=0.0,
    optimizer="adam",
    rate=0.01,
    batch_size=32,
    seed=5,
    sample_weight=None,
    dtype=np.float32,
    ordered=False,
    **more,
):
    several = rows.labels.ndim == 2
    head = Head(INPUTS, widths, classes, activation, dropout, dtype, Sigmoid() if several else None)
    head.initialize(np.random.default_rng(seed))
    if sample_weight is None:
        sample_weight = np.ones(len(rows.labels), dtype)
    data = TrainingData(rows, valid, sample_weight, batch_size, seed, Target(classes, ordered, several))
    return HeadTraining(head, OptimizerSettings(optimizer, rate, **more), data)


def keras_twin(
    training,
    *,
    widths=(16, 8),
    classes=2,
    activation="relu",
    dropout=0.0,
    optimizer="adam",
    rate=0.01,
    dtype="float32",
    several=False,
    **more,
):
    """A Keras model with the same weights, compiled as the HyperModel compiles it."""
    output = "sigmoid" if several else "softmax"
    loss = "binary_crossentropy" if several else "sparse_categorical_crossentropy"
    layers = [keras.Input((INPUTS,), dtype=dtype)]
    for width in widths:
        layers.append(keras.layers.Dense(width, activation, dtype=dtype))
        if dropout:
            layers.append(keras.layers.Dropout(dropout, dtype=dtype))
    model = keras.Sequential([*layers, keras.layers.Dense(classes, output, dtype=dtype)])
    settings = OptimizerSettings(optimizer, rate, **more)
    model.compile(make_optimizer(settings, model.trainable_variables), loss, jit_compile=False)
    model.set_weights(training.weights())
    return model


def fit_twin(model, rows, epochs, *, sample_weight=None, batch_size=32, seed=5, dtype=np.float32):
    """Trains it on the same rows in the same order; gives the loss of each epoch."""
    values = rows.inputs.array().astype(dtype)
    if sample_weight is None:
        sample_weight = np.ones(len(rows.labels), dtype)
    orders = [epoch_order(len(rows.labels), seed, epoch) for epoch in range(epochs)]
    batches = [order[i : i + batch_size] for order in orders for i in range(0, len(order), batch_size)]

    def generate():
        for batch in batches:
            yield values[batch], rows.labels[batch], sample_weight[batch]

    shapes = (None, INPUTS), (None, *rows.labels.shape[1:]), (None,)
    kinds = dtype, rows.labels.dtype, sample_weight.dtype
    signature = tuple(tf.TensorSpec(shape, kind) for shape, kind in zip(shapes, kinds, strict=True))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    history = model.fit(dataset, epochs=epochs, steps_per_epoch=len(batches) // epochs, verbose=0, shuffle=False)
    return history.history["loss"]
