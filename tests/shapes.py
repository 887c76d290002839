"""Modules of the shapes that real ones come in: the same small encoder, published in many ways.

Each text's vector is the mean of its words' rows in one table, so that what a module of any shape gives is known.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

TEXTS = tf.TensorSpec([None], tf.string)
COLUMN = tf.TensorSpec([None, 1], tf.string)
FLAG = tf.TensorSpec([], tf.bool, name="training")
WHOLE_LINE = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
LINE_NUMBER = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
ROWS, DIMENSION, LENGTH = 8, 4, 6
TABLE = np.random.default_rng(0).normal(size=(ROWS, DIMENSION)).astype(np.float32)


def bert(length=LENGTH, dtype=tf.int32):
    names = ("input_word_ids", "input_mask", "input_type_ids")
    return {name: tf.TensorSpec([None, length], dtype, name=name) for name in names}


@dataclass(frozen=True)
class Shape:
    """How a module is published.

    Attributes:
        build: Writes it to a folder; gives the settings that it is used with.
        trains: Whether it can be fine-tuned.
        takes_training: Whether fine-tuning tells it so: it then adds 1.
        losses: How many regularization losses it has.
        pooling: What its vector for a text is of those of its words; empty where only Keras knows.
        composed: Whether it takes more than itself to embed texts.
    """

    build: Callable
    trains: bool = True
    takes_training: bool = False
    losses: int = 0
    pooling: str = "mean"
    composed: bool = False


def expected(texts, pooling):
    vectors = []
    for text in texts:
        words = text.split()[:LENGTH]
        rows = TABLE[tf.strings.to_hash_bucket_fast(tf.constant(words, tf.string), ROWS - 1).numpy() + 1]
        pooled = {"mean": lambda rows: rows.mean(0), "max": lambda rows: rows.max(0), "first": lambda rows: rows[0]}
        vectors.append(pooled[pooling](rows) if words else np.zeros(DIMENSION))
    return np.array(vectors, np.float32)


def numbers(texts):
    """Numbers of words [batch, LENGTH], 0 where there is none."""
    words = tf.strings.split(texts)[:, :LENGTH].to_tensor(shape=[None, LENGTH])
    return tf.where(words == "", 0, tf.cast(tf.strings.to_hash_bucket_fast(words, ROWS - 1), tf.int32) + 1)


def mean(tokens, ids):
    there = tf.cast(ids > 0, tf.float32)[:, :, tf.newaxis]
    return tf.reduce_sum(tokens * there, 1) / tf.maximum(tf.reduce_sum(there, 1), 1.0)


class Encoder(tf.train.Checkpoint):
    """Has the table, and lists it as trainable unless told otherwise."""

    def __init__(self, listed=True, table=TABLE):
        super().__init__()
        self.table = tf.Variable(table, name="encoder/table")
        if listed:
            self.variables = [self.table]
            self.trainable_variables = [self.table]

    def tokens(self, ids):
        return tf.gather(self.table, tf.cast(ids, tf.int32))

    def embed(self, texts):
        ids = numbers(texts)
        return mean(self.tokens(ids), ids)


def published(folder, function, *spec, listed=True, signatures=None):
    """Writes a module that is one function of the encoder and its inputs, called or in a signature."""
    encoder = Encoder(listed)
    called = tf.function(lambda *inputs: function(encoder, *inputs), input_signature=spec or [TEXTS])
    if signatures is None:
        encoder.__call__ = called
        tf.saved_model.save(encoder, str(folder))
    else:
        encoder.called = called
        tf.saved_model.save(encoder, str(folder), signatures=dict.fromkeys(signatures, called))
    return {}


def shape(function, *spec, listed=True, signatures=None, **known):
    return Shape(lambda folder: published(folder, function, *spec, listed=listed, signatures=signatures), **known)


def plain(encoder, texts):
    return encoder.embed(texts)


def as_dict(*keys, **others):
    """The embedding under each key, with other outputs beside it."""

    def function(encoder, texts):
        return {key: encoder.embed(texts) for key in keys} | {key: make(encoder, texts) for key, make in others.items()}

    return function


def token_vectors(encoder, texts):
    return encoder.tokens(numbers(texts))


def token_mask(encoder, texts):
    return tf.cast(numbers(texts) > 0, tf.int32)


def tokens_with_zeros(encoder, texts):
    return token_vectors(encoder, texts) * tf.cast(token_mask(encoder, texts), tf.float32)[:, :, tf.newaxis]


def ragged(encoder, texts):
    words = tf.strings.split(texts)[:, :LENGTH]
    ids = tf.strings.to_hash_bucket_fast(words.flat_values, ROWS - 1) + 1
    return tf.RaggedTensor.from_row_splits(tf.gather(encoder.table, ids), words.row_splits)


def concrete(folder):
    encoder = Encoder()
    encoder.__call__ = tf.function(encoder.embed).get_concrete_function(TEXTS)
    tf.saved_model.save(encoder, str(folder))
    return {}


def no_variables(folder):
    module = tf.train.Checkpoint()
    module.__call__ = tf.function(lambda texts: mean(tf.gather(TABLE, numbers(texts)), numbers(texts)), [TEXTS])
    tf.saved_model.save(module, str(folder))
    return {}


def told_of_training(folder, inputs=TEXTS, values=(False, True), embed=Encoder.embed, losses=True):
    """An encoder with an argument `training`, which is not the same in training, and a regularization loss."""
    encoder = Encoder()
    encoder.steps = tf.Variable(0.0, trainable=False, name="steps")
    encoder.variables.append(encoder.steps)
    if losses:
        encoder.penalty = tf.function(lambda: tf.reduce_sum(encoder.table**2), input_signature=[])
        encoder.regularization_losses = [encoder.penalty]

    @tf.function
    def called(given, training=False, mask=None):
        encoder.steps.assign_add(float(training))
        return tf.nest.map_structure(lambda output: output + float(training), embed(encoder, given))

    encoder.__call__ = called
    for training in values:
        called.get_concrete_function(inputs, training=training)
    tf.saved_model.save(encoder, str(folder))
    return {}


def in_training(encoder, texts, training):
    return encoder.embed(texts) + tf.cast(training, tf.float32)


def told_by_a_tensor(folder):
    encoder = Encoder()
    encoder.__call__ = tf.function(
        lambda texts, training: in_training(encoder, texts, training), input_signature=[TEXTS, FLAG]
    )
    tf.saved_model.save(encoder, str(folder))
    return {}


def keras_layers(keras, inputs):
    """The encoder in layers of Keras 3 or of Keras 2."""
    vocabulary = [f"w{number}" for number in range(ROWS - 2)]
    ids = keras.layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=LENGTH)(inputs)
    tokens = keras.layers.Embedding(ROWS, DIMENSION, embeddings_regularizer="l2", name="table")(ids)
    return tokens, keras.layers.GlobalAveragePooling1D(name="vector")(keras.layers.Dropout(0.5)(tokens))


def keras_export(folder):
    import keras

    inputs = keras.Input((1,), dtype="string")
    keras.Model(inputs, keras_layers(keras, inputs)[1]).export(str(folder), verbose=False)
    return {}


def keras_2(folder):
    import tf_keras

    inputs = tf_keras.Input((), dtype="string", name="text")
    tokens, vector = keras_layers(tf_keras, inputs)
    model = tf_keras.Model({"text": inputs}, {"default": vector, "sequence_output": tokens})
    tf.saved_model.save(model, str(folder))
    return {}


class Preprocessor(tf.train.Checkpoint):
    """Gives what BERT takes, in another order and with something besides; its vocabulary is a file."""

    def __init__(self, folder, length=LENGTH):
        super().__init__()
        words = folder.parent / "vocabulary.txt"
        words.parent.mkdir(parents=True, exist_ok=True)
        words.write_text("known\n")
        self.length = length
        self.index = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(str(words), *WHOLE_LINE, *LINE_NUMBER), -1)

    def preprocess(self, texts):
        ids = numbers(texts)[:, : self.length]
        mask = tf.cast(ids > 0, tf.int32)
        others = {"input_type_ids": tf.zeros_like(ids), "known": self.index.lookup(texts)}
        return others | {"input_word_ids": ids, "input_mask": mask}


def preprocessor(folder, signatures=False, length=LENGTH, key=None):
    """Writes a preprocessor; with `key`, one that gives this tensor alone."""
    module = Preprocessor(folder, length)
    function = (lambda texts: module.preprocess(texts)[key]) if key else module.preprocess
    function = tf.function(function, input_signature=[TEXTS])
    if signatures:
        module.function = function
        tf.saved_model.save(module, str(folder), signatures=function)
    else:
        module.__call__ = function
        tf.saved_model.save(module, str(folder))
    return {"preprocessor": str(folder)}


def bert_outputs(encoder, given):
    ids = given["input_word_ids"]
    tokens = encoder.tokens(ids) + 0.0 * tf.cast(given["input_type_ids"], tf.float32)[:, :, tf.newaxis]
    vector = mean(tokens, ids)
    return {"pooled_output": vector, "sequence_output": tokens, "default": vector}


def tokens_alone(encoder, given):
    return {"sequence_output": bert_outputs(encoder, given)["sequence_output"]}


def pair(encoder_builder, pooling="auto", **preprocessing):
    """A module and its preprocessor, beside each other."""

    def build(folder):
        encoder_builder(folder)
        return preprocessor(folder.parent / f"{folder.name}-preprocessor", **preprocessing) | {"pooling": pooling}

    return build


def pooled(function, pooling):
    return lambda folder: published(folder, function) | {"pooling": pooling}


trained_bert = functools.partial(told_of_training, inputs=bert(), embed=bert_outputs)

SHAPES = {
    "object": shape(plain),
    "object of one concrete function": Shape(concrete),
    "object called on a column": shape(lambda encoder, column: encoder.embed(column[:, 0]), COLUMN),
    "object called on a dictionary": shape(lambda encoder, given: encoder.embed(given["text"]), {"text": TEXTS}),
    "signature": shape(plain, listed=False, signatures=["serving_default"]),
    "signature of another name": shape(plain, listed=False, signatures=["embed"]),
    "signature on a column": shape(
        lambda encoder, column: encoder.embed(column[:, 0]), COLUMN, listed=False, signatures=["serving_default"]
    ),
    "signature told of training": shape(
        in_training, TEXTS, FLAG,
        listed=False, signatures=["serving_default"], takes_training=True,
    ),
    "signature, with a list of variables": shape(plain, signatures=["serving_default"]),
    "default": shape(as_dict("default", "pooled_output", lengths=lambda _, texts: tf.strings.length(texts))),
    "pooled_output": shape(as_dict("pooled_output", sequence_output=token_vectors)),
    "outputs": shape(as_dict("outputs")),
    "a single key": shape(as_dict("embedding")),
    "a pair of outputs": shape(lambda encoder, texts: (encoder.embed(texts), encoder.tokens(numbers(texts)))),
    "float64": shape(lambda encoder, texts: tf.cast(encoder.embed(texts), tf.float64)),
    "told of training": Shape(told_of_training, takes_training=True, losses=1),
    "told of training by a tensor": Shape(told_by_a_tensor, takes_training=True),
    "saved for inference alone": Shape(functools.partial(told_of_training, values=[False]), losses=1),
    "no variables": Shape(no_variables, trains=False),
    "variables not listed": shape(plain, listed=False, trains=False),
    "Keras 3 export": Shape(keras_export, pooling=""),
    "Keras 2": Shape(keras_2, takes_training=True, losses=1, pooling=""),
    "tokens, mask": shape(as_dict(sequence_output=token_vectors, input_mask=token_mask), composed=True),
    "tokens, max": Shape(pooled(as_dict("default", sequence_output=token_vectors, input_mask=token_mask), "max"),
                         pooling="max", composed=True),
    "tokens, first": Shape(pooled(tokens_with_zeros, "first"), pooling="first", composed=True),
    "ragged tokens": shape(ragged, composed=True),
    "BERT": Shape(pair(trained_bert), takes_training=True, losses=1, composed=True),
    "BERT, max": Shape(pair(trained_bert, pooling="max"), pooling="max", takes_training=True, losses=1, composed=True),
    "BERT of tokens alone": Shape(
        pair(lambda folder: published(folder, tokens_alone, bert())), composed=True
    ),
    "BERT in signatures": Shape(
        pair(
            lambda folder: published(
                folder, bert_outputs, bert(dtype=tf.int64), listed=False, signatures=["serving_default"]
            ),
            signatures=True,
        ),
        composed=True,
    ),
    "encoder of one tensor": Shape(
        pair(
            lambda folder: published(
                folder, lambda encoder, ids: mean(encoder.tokens(ids), ids), tf.TensorSpec([None, LENGTH], tf.int32)
            ),
            key="input_word_ids",
        ),
        composed=True,
    ),
}  # fmt: skip
