"""A small classifier on a module, and other processes that load it."""

import json
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

from search.embedding import TextEmbedding

TEXTS = ["good film !", "the bad book", "nothing known", "do n't", "", "bad bad bad"]
LABELS = np.array([1, 0, 1, 0, 1, 0])


def classifier(folder, trainable, optimizer="adam", eagerly=False):
    """A small model on a module; run eagerly it trains the same and need not be traced first."""
    texts = keras.Input((), dtype="string")
    hidden = keras.layers.Dense(3, "tanh")(TextEmbedding(folder, trainable=trainable, name="embedding")(texts))
    model = keras.Model(texts, keras.layers.Dense(2, "softmax", dtype="float32")(hidden))
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=eagerly)
    return model


def fit(model, epochs=3):
    return model.fit(tf.constant(TEXTS), LABELS, epochs=epochs, batch_size=2, shuffle=False, verbose=0)


def values(variables):
    return [variable.numpy().copy() for variable in variables]


def same(ones, others):
    return len(ones) == len(others) and all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


LOAD_KERAS = """
import json, sys, numpy as np, keras, tensorflow as tf
from search.embedding import TextEmbedding
model = keras.models.load_model(sys.argv[1])
print(json.dumps(model.predict(tf.constant(json.loads(sys.argv[2])), verbose=0).tolist()))
"""
LOAD_SAVED_MODEL = """
import json, sys, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
texts = tf.constant(json.loads(sys.argv[2]))
outputs = model.serve(texts) if hasattr(model, "serve") else model.signatures["serving_default"](texts)
outputs = next(iter(outputs.values())) if isinstance(outputs, dict) else outputs
assert "search" not in sys.modules
print(json.dumps(outputs.numpy().tolist()))
"""


def elsewhere(program, path, folder):
    """What another process computes, in another working directory."""
    command = [sys.executable, "-c", program, str(path), json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout.splitlines()[-1]), np.float32)
