"""Models of images in other formats: they take decoded images."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_image_modules import SHAPES, SIZE
from made_pictures import encoded, picture

from search.backbones.base import EMBEDDING
from search.backbones.hub.compose import text_module
from search.backbones.hub.joined_layer import JoinedEmbedding
from search.backbones.hub.layer import TextEmbedding
from search.commands.export import main
from search.datasets.content import IMAGE
from search.models.classifier import Classifier


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("module")
    SHAPES["images of one size"](folder / "encoder")
    return text_module(folder / "encoder", "encoder", None, "auto", folder)


def saved(folder, embedding):
    """A run whose model stands on a layer."""
    texts = keras.Input((), dtype="string", name="texts")
    outputs = keras.layers.Dense(2, "softmax", name="probabilities")(embedding(texts))
    Classifier(keras.Model(texts, outputs), ("no", "yes"), 0.4, content=IMAGE).export(folder / "model")
    return folder


@pytest.fixture(scope="module")
def run(module, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("run"), TextEmbedding(module, name=EMBEDDING))


@pytest.fixture(scope="module")
def answer(run):
    """Decoded images, and what the saved model says of their files, in which white space may stand at the end."""
    files = [encoded(picture(seed, SIZE, SIZE)) for seed in range(3)] + [encoded(white(), "BMP")]
    images = np.stack([tf.io.decode_image(one, channels=3, expand_animations=False).numpy() for one in files])
    found = tf.saved_model.load(str(run / "model")).signatures["serving_default"](texts=tf.constant(files))
    return images, {name: value.numpy() for name, value in found.items()}


def white():
    """A picture whose bytes are blanks."""
    return picture(0, SIZE, SIZE).point(lambda _: 32)


def test_tflite_gives_the_same(run, answer, tmp_path):
    images, expected = answer
    assert main([f"run={run}", "format=tflite", f"output={tmp_path / 'model.tflite'}"]) == 0
    with pytest.warns(UserWarning, match="LiteRT"):
        interpreter = tf.lite.Interpreter(str(tmp_path / "model.tflite"))
    given = interpreter.get_signature_runner()(images=images)
    np.testing.assert_allclose(given["probabilities"], expected["probabilities"], atol=1e-5)


def test_onnx_gives_the_same(run, answer, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    images, expected = answer
    assert main([f"run={run}", "format=onnx", f"output={tmp_path / 'model.onnx'}"]) == 0
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    probabilities, predicted = session.run(["probabilities", "predicted"], {"images": images})
    np.testing.assert_allclose(probabilities, expected["probabilities"], atol=1e-5)
    assert [one.encode() for one in predicted] == expected["predicted"].tolist()


def test_several_modules_take_no_decoded_images(module, tmp_path, capsys):
    parts = [TextEmbedding(module, name=name) for name in ("one", "two")]
    folder = saved(tmp_path / "run", JoinedEmbedding(parts, name=EMBEDDING))
    assert json.loads((folder / "model" / "labels.json").read_text())["content"] == "image"
    assert main([f"run={folder}", "format=tflite", f"output={tmp_path / 'model.tflite'}"]) == 2
    assert "no signature probabilities_of_images" in capsys.readouterr().err
