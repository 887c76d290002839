"""A small classifier on a module, and other processes that load it."""

import json
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

from search.backbones.hub.layer import TextEmbedding

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
from search.backbones.hub.layer import TextEmbedding
texts, *paths = map(json.loads, sys.argv[1:])
models = map(keras.models.load_model, paths)
print(json.dumps([model.predict(tf.constant(texts), verbose=0).tolist() for model in models]))
"""
LOAD_SAVED_MODEL = """
import json, sys, tensorflow as tf
texts, *paths = map(json.loads, sys.argv[1:])
def computed(path):
    model = tf.saved_model.load(path)
    call = model.serve if hasattr(model, "serve") else model.signatures["serving_default"]
    outputs = call(tf.constant(texts))
    outputs = next(iter(outputs.values())) if isinstance(outputs, dict) else outputs
    return outputs.numpy().tolist()
answers = [computed(path) for path in paths]
assert "search" not in sys.modules
print(json.dumps(answers))
"""


def elsewhere(program, paths, folder):
    """What another process computes with each of the models, in another working directory."""
    command = [sys.executable, "-c", program, json.dumps(TEXTS), *(json.dumps(str(path)) for path in paths)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout.splitlines()[-1]), np.float32)
