"""What TensorBoard shows of a finished search: texts, graph, points, histograms."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from search.backbones.hub.layer import TextEmbedding
from search.datasets import Examples
from search.models.classifier import Classifier
from search.reporting.results import ScoredRows
from search.reporting.tensorboard import REFIT, write_configuration, write_histograms, write_result
from search.reporting.tensorboard.histograms import buckets
from search.reporting.tensorboard.projector import MOST_TEXTS, chosen_rows

CLASSES = ["dull|so", "good_one", "<b>bad"]
TEXTS = ["one\ttab", "two\nlines\r\u2028here", "three", "x" * 900]


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def undecided(examples):
    return ScoredRows(examples, tuple(CLASSES), np.full((len(examples), 3), 1 / 3), None)


def told(folder, tag):
    return tf.make_ndarray(read(folder).Tensors(tag)[-1].tensor_proto).item().decode()


@pytest.fixture(scope="module")
def model(word_module):
    texts = keras.Input((), dtype="string", name="texts")
    hidden = TextEmbedding(word_module, trainable=True, name="embedding")(texts)
    hidden = keras.layers.Dense(60, "relu", name="hidden_1")(hidden)
    hidden = keras.layers.Dropout(0.5, name="dropout_1")(hidden)
    outputs = keras.layers.Dense(3, "softmax", name="probabilities")(hidden)
    return keras.Model(texts, outputs, name="text_classifier")


@pytest.fixture(scope="module")
def test_split():
    texts = np.array([*TEXTS, *(f"good film {i}" for i in range(60))], dtype=object)
    return Examples(texts, np.arange(len(texts)) % 3, np.arange(1, len(texts) + 1))


def made_summary(layers=1):
    one = {"accuracy": 0.5, "macro_f1": 0.4}
    return {
        "classes": CLASSES,
        "sizes": {"train": dict.fromkeys(CLASSES, 1000), "test": dict.fromkeys(CLASSES, 100)},
        "seed": 0,
        "best": {"module": "words", "layers": layers, "learning_rate": 0.00123456},
        "best_trial": "0007",
        "threshold": None,
        "valid": one,
        "test": one,
        "test_interval": {"accuracy": [0.4, 0.6], "macro_f1": None},
        "baselines": {"majority": {"test": one}, "tfidf": {"error": "no words"}},
        "verdict": {"text": "The search is better than the best baseline."},
    }


@pytest.fixture(scope="module")
def written(model, test_split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "tensorboard"
    classifier = Classifier(model, tuple(CLASSES), None)
    probabilities = classifier.probabilities(test_split.texts)
    predicted = probabilities.argmax(axis=1)

    def last_hidden(rows):
        return classifier.last_hidden(test_split.texts, None, rows)

    scored = ScoredRows(test_split, tuple(CLASSES), probabilities, None)
    write_result(folder, made_summary(), model, scored, last_hidden, print)
    return folder, predicted


def test_the_configuration_can_be_composed_from_its_text(tmp_path):
    config = OmegaConf.create({"dataset": {"name": "a_b", "path": "*x*|<y>"}, "seed": 3})
    for resumed in (None, "/runs/this_one"):
        write_configuration(tmp_path, OmegaConf.merge(config, {"resume": resumed}))
    lines = told(tmp_path, "configuration").splitlines()
    assert all(line.startswith("    ") for line in lines)
    assert OmegaConf.create("\n".join(line[4:] for line in lines)) == config


def test_the_summary_has_answer_metrics_intervals_and_baselines(written):
    folder, _ = written
    answer, metrics, rows = (told(folder, f"answer/{name}") for name in ("best", "metrics", "rows"))
    assert "better than the best baseline" in answer
    assert "0007" in answer
    assert "0.001235" in answer
    (line,) = (line for line in metrics.splitlines() if "accuracy" in line)
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["accuracy", "0.5", "**0.5**", "0.4 to 0.6", "0.5"]
    # A class's signs are no signs of the table's.
    assert {line.count("|") for line in rows.splitlines()} == {4}
    assert "<b>" not in rows


def test_the_graph_opens_on_the_layers(written):
    graph = GraphDef.FromString(read(written[0] / REFIT).Graph().SerializeToString())
    names = {node.name for node in graph.node}
    assert {name.partition("/")[0] for name in names if "/" in name} >= {"embedding", "hidden_1", "probabilities"}
    assert not any(name.startswith("text_classifier") for name in names)
    # Nothing points nowhere.
    inputs = {one.lstrip("^").partition(":")[0] for node in graph.node for one in node.input}
    assert inputs <= names
    assert graph.ByteSize() < 1 << 20


def test_a_table_of_words_is_not_in_the_graph(written):
    graph = read(written[0] / REFIT).Graph()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert max(value.ByteSize() for node in nodes for value in node.attr.values()) <= 1024


def test_a_graph_of_too_many_operations_gives_way_to_the_layers(model, tmp_path, monkeypatch):
    from search.reporting.tensorboard import graph

    monkeypatch.setattr(graph, "_LARGEST_GRAPH", 10)
    graph.write_graph(tmp_path, model)
    layers = json.loads(told(tmp_path, "keras"))["config"]["layers"]
    assert [layer["config"] for layer in layers] == [{"name": layer.name} for layer in model.layers]


def test_the_projector_finds_points_and_what_they_are(written, test_split):
    folder, predicted = written
    config = text_format.Parse((folder / REFIT / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (embedding,) = config.embeddings
    assert embedding.tensor_name == "last_hidden_layer"
    points = np.loadtxt(folder / REFIT / embedding.tensor_path, delimiter="\t")
    assert points.shape == (len(test_split), 50)
    header, *lines = (folder / REFIT / embedding.metadata_path).read_text(encoding="utf-8").split("\n")[:-1]
    # A point under the mouse is named by the first column, which is no number whatever the classes are called.
    assert header.split("\t") == ["text", "label", "predicted", "error", "probability", "row"]
    assert len(lines) == len(points)
    assert {len(line.split("\t")) for line in lines} == {6}
    assert len("".join(lines).splitlines()) == 1
    for line, label, one in zip(lines, test_split.labels, predicted, strict=True):
        cells = line.split("\t")
        assert cells[1:4] == [CLASSES[label], CLASSES[one], "right" if label == one else "wrong"]
    assert max(len(line.split("\t")[0]) for line in lines) == 200


def test_neighbours_stay_neighbours_where_points_lose_dimensions(written, model, test_split):
    whole = keras.Model(model.inputs, model.layers[-1].input).predict(tf.constant(test_split.texts.tolist()), verbose=0)
    points = np.loadtxt(written[0] / REFIT / "points.tsv", delimiter="\t")

    def distances(of):
        return np.linalg.norm(of[:, None] - of[None], axis=-1)

    np.testing.assert_allclose(distances(points), distances(whole), atol=1e-2)


def test_of_many_texts_some_are_shown():
    rows = chosen_rows(100_000, seed=1)
    assert len(rows) == MOST_TEXTS
    assert (np.diff(rows) > 0).all()
    assert rows.tolist() == chosen_rows(100_000, seed=1).tolist()
    assert chosen_rows(7, seed=1).tolist() == list(range(7))


def test_without_a_hidden_layer_the_module_is_shown(word_module, test_split):
    texts = keras.Input((), dtype="string", name="texts")
    embedding = TextEmbedding(word_module, name="embedding")
    model = keras.Model(texts, keras.layers.Dense(2, "softmax", name="probabilities")(embedding(texts)))
    rows = np.array([4, 9])
    seen = Classifier(model, ("no", "yes"), None).last_hidden(test_split.texts, None, rows)
    np.testing.assert_allclose(seen, embedding(tf.constant(test_split.texts[rows].tolist())), rtol=1e-5)


def test_what_fails_is_left_out_and_the_rest_is_there(model, test_split, tmp_path, caplog):
    def last_hidden(rows):
        raise RuntimeError("out of memory")

    said = []
    write_result(tmp_path, made_summary(), model, undecided(test_split), last_hidden, said.append)
    assert "The projector is left out of TensorBoard" in caplog.text
    assert said == ["The projector is left out of TensorBoard: RuntimeError; see search.log"]
    assert read(tmp_path / REFIT).Tags()["graph"]


def test_a_full_disk_is_told(model, test_split, tmp_path):
    def last_hidden(rows):
        raise OSError(28, "No space left on device")

    said = []
    with pytest.raises(OSError, match="No space"):
        write_result(tmp_path, made_summary(), model, undecided(test_split), last_hidden, said.append)


def test_histograms_count_every_weight_of_every_epoch(model, tmp_path):
    for epoch in (1, 1, 2):  # killed after the first
        write_histograms(tmp_path, epoch, model.layers[2].weights)
    found = read(tmp_path).Tensors("hidden_1/kernel")
    assert [event.step for event in found] == [1, 2]
    assert tf.make_ndarray(found[0].tensor_proto)[:, 2].sum() == model.layers[2].kernel.shape.num_elements()


def test_a_histogram_of_equal_or_lost_weights_is_one():
    assert buckets(np.zeros(5, np.float32))[:, 2].sum() == 5
    assert buckets(np.array([np.nan, 1.0], np.float32))[:, 2].sum() == 1
