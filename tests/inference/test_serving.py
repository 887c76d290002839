"""The SavedModel of a run as TensorFlow Serving sees it, the same from our own server, and its conversions."""

import asyncio
import json
import subprocess
import sys

import numpy as np
import pytest
from reviews import VOCABULARY

from search.commands.export import main
from search.inference.predictor import Predictor

TEXTS = ["  Great GREAT film!", "it's a 'boring' one\tdon't", "", "“größer” ÄPFEL o'clock", *sorted(VOCABULARY)[:20]]
CLASSES = ("bäd", "good")


def head_over(module, activation):
    import keras

    from search.backbones.hub.layer import TextEmbedding

    keras.utils.set_random_seed(0)
    texts = keras.Input((), dtype="string", name="texts")
    hidden = keras.layers.Dense(8, "relu")(TextEmbedding(str(module))(texts))
    return keras.Model(texts, keras.layers.Dense(2, activation)(hidden))


@pytest.fixture(scope="module")
def run(word_module, tmp_path_factory):
    from search.models.classifier import Classifier

    model = head_over(word_module, "softmax")
    folder = tmp_path_factory.mktemp("runs") / "made"
    found = np.sort(Classifier(model, CLASSES, None).probabilities(np.array(TEXTS, object))[:, 1])
    widest = int(np.diff(found).argmax())
    # Whatever its weights: both classes are predicted, and none of them by a hair.
    threshold = float(found[widest : widest + 2].mean())
    Classifier(model, CLASSES, threshold).save(folder / "model", folder / "model.keras")
    return folder


# What TensorFlow Serving does with a request: https://www.tensorflow.org/tfx/serving/api_rest
SERVER = """
import json, sys
import numpy as np, tensorflow as tf
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
(name,) = signature.structured_input_signature[1]
answers = []
for request in json.load(sys.stdin):
    if "instances" in request:
        rows = request["instances"]
        given = [row[name] if isinstance(row, dict) else row for row in rows]
    else:
        given = request["inputs"]
        given = given[name] if isinstance(given, dict) else given
    found = {}
    for key, value in signature(**{name: tf.constant(given, tf.string)}).items():
        found[key] = [one.decode() for one in value.numpy()] if value.dtype == tf.string else value.numpy().tolist()
    if "inputs" in request:
        answers.append({"outputs": found})
    else:
        assert {len(value) for value in found.values()} == {len(given)}
        answers.append({"predictions": [dict(zip(found, row)) for row in zip(*found.values())]})
assert "search" not in sys.modules
print(json.dumps(answers))
"""


def test_rest_requests(run):
    requests = [
        {"instances": TEXTS},
        {"instances": [{"texts": text} for text in TEXTS]},
        {"inputs": TEXTS},
        {"inputs": {"texts": TEXTS}},
    ]
    ended = subprocess.run(
        [sys.executable, "-c", SERVER, str(run / "model")],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
    )
    by_row, named, by_column, named_column = json.loads(ended.stdout)
    assert by_row == named and by_column == named_column
    expected = Predictor.load(run)(TEXTS)
    assert len(set(expected.predicted)) == 2
    for predicted, probabilities in (
        (by_column["outputs"]["predicted"], by_column["outputs"]["probabilities"]),
        zip(*((row["predicted"], row["probabilities"]) for row in by_row["predictions"]), strict=True),
    ):
        assert list(predicted) == expected.predicted
        np.testing.assert_allclose(probabilities, expected.probabilities, atol=1e-6)
    for request, answer in zip(requests, json.loads(ended.stdout), strict=True):
        status, own = asyncio.run(served(run, json.dumps(request).encode()))
        assert status == 200
        own, theirs = (tables(one) for one in (own, answer))
        assert own[1] == theirs[1] == expected.predicted
        np.testing.assert_array_equal(own[0], expected.probabilities.astype(np.float32))
        np.testing.assert_allclose(own[0], theirs[0], atol=1e-6)


def tables(answer):
    """Probabilities and predicted classes of a response in either form."""
    if "outputs" in answer:
        return np.float32(answer["outputs"]["probabilities"]), answer["outputs"]["predicted"]
    rows = answer["predictions"]
    assert all(set(row) == {"probabilities", "predicted"} for row in rows)
    return np.float32([row["probabilities"] for row in rows]), [row["predicted"] for row in rows]


async def served(run, body):
    """Asks our own application, without a socket."""
    pytest.importorskip("starlette")
    from search.inference.serving.app import Limits, Served, application
    from search.inference.serving.rest import read_signatures

    predictor = Predictor.load(run)
    app = application(Served("m", predictor.labels, read_signatures(run / "model"), predictor), Limits())
    scope = {"type": "http", "method": "POST", "path": "/v1/models/m:predict", "query_string": b"", "headers": []}
    sent, came = [], iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(came, None) or await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


# A process of its own: onnxruntime-extensions and TensorFlow in one disturb each other.
RUNTIME = """
import json, sys
import numpy as np, onnxruntime, onnxruntime_extensions
options = onnxruntime.SessionOptions()
options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
session = onnxruntime.InferenceSession(sys.argv[1], options)
names = [output.name for output in session.get_outputs()]
answer = session.run(None, {"texts": np.array(json.load(sys.stdin), dtype=object)})
print(json.dumps(dict(zip(names, (value.tolist() for value in answer)))))
"""


def onnx_answer(path, texts):
    pytest.importorskip("onnxruntime_extensions")
    ended = subprocess.run(
        [sys.executable, "-c", RUNTIME, str(path)], input=json.dumps(texts), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_onnx_gives_the_same(run, tmp_path, capsys):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    assert main([f"run={run}", "format=onnx", f"output={path}"]) == 0
    assert str(path) in capsys.readouterr().out
    answer, expected = onnx_answer(path, TEXTS), Predictor.load(run)(TEXTS)
    assert answer["predicted"] == expected.predicted
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5)
    (labels,) = onnx.load(path).metadata_props
    assert (labels.key, json.loads(labels.value)) == ("labels", list(CLASSES))


def test_onnx_gives_the_same_of_several_labels(word_module, tmp_path):
    pytest.importorskip("tf2onnx")
    from search.models.classifier import Classifier

    model = head_over(word_module, "sigmoid")
    found = np.sort(Classifier(model, CLASSES, None).probabilities(np.array(TEXTS, object)), axis=0)
    thresholds = tuple(found[10:12].mean(axis=0).tolist())
    Classifier(model, CLASSES, thresholds).export(tmp_path / "run" / "model")
    assert main([f"run={tmp_path / 'run'}", "format=onnx", f"output={tmp_path / 'model.onnx'}"]) == 0
    answer, expected = onnx_answer(tmp_path / "model.onnx", TEXTS), Predictor.load(tmp_path / "run")(TEXTS)
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5)
    assert 0 < expected.several.mean() < 1
    assert answer["predicted"] == expected.several.tolist()


def test_tflite_names_what_stands_in_the_way(run, tmp_path, capsys):
    assert main([f"run={run}", "format=tflite", f"output={tmp_path / 'model.tflite'}"]) == 2
    err = capsys.readouterr().err
    assert "StringLower" in err and "StaticRegexReplace" in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def made(folder, function):
    """A run whose model is a function of texts."""
    import tensorflow as tf

    module = tf.Module()
    texts = [tf.TensorSpec([None], tf.string, name="texts")]
    module.__call__ = tf.function(function, input_signature=texts)
    called = tf.function(lambda texts: {"probabilities": function(texts)}, texts).get_concrete_function()
    tf.saved_model.save(module, str(folder / "model"), {"serving_default": called, "__call__": called})
    (folder / "model" / "labels.json").write_text(json.dumps({"labels": ["no", "yes"], "threshold": None}))
    return folder


def test_tflite_of_operations_it_has(tmp_path):
    import tensorflow as tf

    folder = made(tmp_path / "run", lambda texts: tf.one_hot(tf.cast(texts == "good", tf.int32), 2))
    assert main([f"run={folder}", "format=tflite", f"output={tmp_path / 'model.tflite'}"]) == 0
    with pytest.warns(UserWarning, match="LiteRT"):
        interpreter = tf.lite.Interpreter(str(tmp_path / "model.tflite"))
    answer = interpreter.get_signature_runner()(texts=np.array([b"good", b"bad"], dtype=object))
    np.testing.assert_array_equal(answer["probabilities"], [[0, 1], [1, 0]])


def test_onnx_names_what_stands_in_the_way(tmp_path, capsys):
    pytest.importorskip("tf2onnx")
    import tensorflow as tf

    def probabilities(texts):
        count = tf.cast(tf.strings.length(texts, unit="UTF8_CHAR"), tf.float32)[:, None]
        return tf.concat([count, 1 - count], 1)

    folder = made(tmp_path / "run", probabilities)
    assert main([f"run={folder}", "format=onnx", f"output={tmp_path / 'model.onnx'}"]) == 2
    err = capsys.readouterr().err
    assert "StringLength" in err and err.count("\n") == 1


def test_onnx_without_its_packages(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    assert main([f"run={run}", "format=onnx", f"output={tmp_path / 'model.onnx'}"]) == 2
    err = capsys.readouterr().err
    assert "search[onnx]" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run=/nowhere", "format=onnx", "output=x"], "/nowhere"),
        (["run=/nowhere", "format=onx", "output=x"], "onnx"),
        (["run=/nowhere", "format=onnx"], "output="),
        (["run=/nowhere", "fromat=onnx", "output=x"], "format"),
        (["onnx"], "key=value"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(capsys, arguments, told):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "format=onnx" in capsys.readouterr().out
