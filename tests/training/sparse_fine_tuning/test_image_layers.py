"""The last layers of an encoder of images learn on what the layers below give for each image once, as in Keras."""

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from declared import backbones
from made_image_modules import write_network
from made_pictures import encoded, picture

from search.backbones.catalog import ModulePlaces
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig
from search.datasets import Examples
from search.datasets.table import object_array
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models.weights import assign, model_weights
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, LayerTrainer, choose, make_training
from spaces import space_from

ROWS = 12
VALUES = {"trainable": True, "layers": 0, "optimizer": "adam", "batch_size": 5, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def examples():
    pictures = [encoded(picture(seed, 20 + seed, 30)) for seed in range(ROWS)]
    return Examples(object_array(pictures), np.arange(ROWS) % 2, np.arange(1, ROWS + 1))


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    write_network(folder / "module")
    name = f"{folder / 'module'}@33"
    return resolve_modules([name], ModulePlaces(ModuleConfig(), folder, [folder]))[name]


@pytest.fixture
def task(module, examples, tmp_path):
    def make(unfreeze):
        rates = {"fine_tuning_rate": 0.005, "unfreeze": unfreeze, "layer_decay": 0.7}
        space = space_from({**VALUES, **rates, "modules": ["network"], "frozen": []}, layered=["network"])
        standing = backbones(space, {"network": module}, examples.texts)
        hypermodel = TrainableHyperModel(space, standing, Target(2), 0, FeatureCache(tmp_path / "features"))
        return hypermodel.task(keras_tuner.HyperParameters(), examples, examples)

    return make


def run(training):
    losses = []

    def note(epoch, metrics):
        losses.append(metrics["val_loss"])
        return False

    training.run(range(2), note)
    return losses


@pytest.mark.parametrize("unfreeze", ["1", "all"])
def test_the_losses_are_those_of_the_whole_model_in_keras(task, unfreeze):
    wanted = task(unfreeze)
    assert type(choose(wanted)) is LayerTrainer
    training = make_training(wanted)
    model = wanted.hypermodel.model(wanted.values)
    assign(model_weights(model), training.weights())
    before = [np.array(variable.numpy()) for variable in model_weights(model)]
    model.run_eagerly = True
    losses, expected = run(training), run(KERAS.training_of(model, wanted))
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert abs(losses[1] - losses[0]) > 1e-4
    after = [variable.numpy() for variable in model_weights(model)]
    changed = sum(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    # Kernels and biases: of the head of the network, of its blocks and its stem; then of the head of the model.
    assert changed == {"1": 2, "all": 2 + 4 + 6 + 6 + 2}[unfreeze] + 2
    assign(model_weights(model), training.weights())
    np.testing.assert_allclose(
        [variable.numpy().sum() for variable in model_weights(model)], [one.sum() for one in after], atol=1e-3
    )


def test_images_that_are_too_many_are_decoded_when_they_are_asked_for(task, examples, monkeypatch):
    layers, rows = task("all").layers, np.array([3, 0, 7])
    held, lengths = layers.tokens(examples.texts).take(rows)
    monkeypatch.setattr("search.backbones.hub.layers._MOST_MEMORY", 1000)
    read, others = layers.tokens(examples.texts).take(rows)
    np.testing.assert_array_equal(read, held)
    np.testing.assert_array_equal(others, lengths)
    assert read.dtype == np.uint8 and read.shape == (3, 1, 33, 33, 3)


def test_images_are_kept_after_the_constant_layers_at_their_own_width(task, examples):
    wanted = task("1")
    layers = wanted.layers
    kept = wanted.hypermodel.below(layers, examples)
    values, lengths = kept.take(np.arange(ROWS), np.float32)
    assert layers.constant == 3 and values.shape == (ROWS, 1, layers.width) and set(lengths) == {1}
    vectors = layers.above(tf.constant(values), tf.constant(lengths), False)
    np.testing.assert_allclose(vectors, layers.module(tf.constant(examples.texts.tolist())), atol=1e-5)
