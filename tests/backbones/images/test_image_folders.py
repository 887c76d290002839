"""Encoders of images from folders: Hugging Face's layout and KerasHub's."""

import json

import numpy as np
import pytest
import tensorflow as tf
from made_image_encoders import ARCHITECTURES, DEVIATION, MEAN, SIZE, forward, write_image_encoder
from made_pictures import encoded, picture

from search.backbones.builders import packaged
from search.backbones.catalog import ModulePlaces
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.load import published
from search.backbones.images.folder_network import read_network
from search.backbones.resolve import origin, resolve_modules
from search.backbones.transformers.folders import read_folder
from search.commands import modules as command
from search.config import ModuleConfig
from search.errors import InputError

keras_hub = pytest.importorskip("keras_hub")
PICTURES = np.stack([np.asarray(picture(seed, SIZE, SIZE)) for seed in range(3)])
ENCODED = [encoded(picture(seed, SIZE, SIZE)) for seed in range(3)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_vector_is_that_of_an_independent_pass(architecture, tmp_path):
    prefix = "" if architecture == "dinov2" else f"{architecture}."
    weights = write_image_encoder(tmp_path, architecture, prefix)
    network = read_network(read_folder(tmp_path, "made"))
    expected = forward(architecture, weights, PICTURES / 255)
    np.testing.assert_allclose(network.__call__(tf.constant(PICTURES / 255, tf.float32)), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01
    assert [group.name == "embeddings" for group in network.described.groups] == [False, False, True]


def test_a_folder_is_a_module_of_encoded_images_whose_last_layers_can_learn(tmp_path, capfd):
    weights = write_image_encoder(tmp_path / "encoder", prefix="vit.")
    kept = f"paths.modules={tmp_path / 'kept'}"
    assert command.main(["export", "format=transformers", f"path={tmp_path / 'encoder'}", "name=mine", kept]) == 0
    assert f"images of {SIZE} x {SIZE}" in capfd.readouterr().out
    places = ModulePlaces(ModuleConfig(), tmp_path / "kept", [tmp_path])
    assert places.entries(["mine"])["mine"].takes == "images"
    module = published(resolve_modules(["mine"], places)["mine"])
    expected = forward("vit", weights, PICTURES / 255)
    np.testing.assert_allclose(module(tf.constant(ENCODED)), expected, atol=1e-4)
    layers = ModuleLayers(module, read_groups(module.folder), unfreeze=1)
    with tf.GradientTape() as tape:
        vectors = layers(tf.constant(ENCODED))
    np.testing.assert_allclose(vectors, expected, atol=1e-4)
    gradients = tape.gradient(vectors, module.trainable_variables)
    (learning,) = layers.learning
    assert len(learning) == 18 and all(gradients[place] is not None for place in learning)


def test_a_folder_needs_no_package_of_texts(tmp_path, monkeypatch):
    write_image_encoder(tmp_path)
    asked = []
    monkeypatch.setattr(packaged, "_is_installed", lambda package: asked.append(package) or True)
    assert origin(str(tmp_path), {}) == tmp_path and asked == ["keras-hub"]
    asked.clear()
    assert origin("hf://someone/vit", {}) == "hf://someone/vit" and asked == ["keras-hub"]


def test_a_preset_is_what_keras_hub_makes_of_it_at_any_size(tmp_path):
    """With positions that are interpolated, and an independent reader: KerasHub's own."""
    shape = (SIZE, SIZE, 3)
    made = keras_hub.models.DINOV2Backbone(8, 1, 8, 2, 12, image_shape=shape, position_embedding_shape=shape)
    embeddings = made.embeddings
    embeddings.interpolated_position_embeddings.assign(embeddings.position_embeddings)
    made.save_to_preset(str(tmp_path))
    converter = keras_hub.layers.ImageConverter(image_size=(SIZE, SIZE), scale=[0.01, 0.02, 0.03], offset=-1.0)
    converter.save_to_preset(str(tmp_path))
    layout = read_folder(tmp_path, "made", image_size=16)
    small = PICTURES[:, :16, :16]
    theirs = keras_hub.models.DINOV2Backbone.from_preset(str(tmp_path), image_shape=(16, 16, 3))
    expected = theirs({"images": small * np.float32([0.01, 0.02, 0.03]) - 1})[:, 0]
    np.testing.assert_allclose(read_network(layout).__call__(tf.constant(small / 255, tf.float32)), expected, atol=1e-5)


def test_a_convolutional_preset_normalizes_by_its_statistics_whatever_learns(tmp_path):
    made = keras_hub.models.ResNetBackbone([64], [7], [64, 64], [1, 1], [1, 2], "basic_block")
    for weight in made.weights:
        if "variance" in weight.path or "mean" in weight.path:
            weight.assign(np.random.default_rng(1).uniform(0.5, 2, weight.shape))
    made.save_to_preset(str(tmp_path))
    keras_hub.layers.ImageConverter(image_size=(SIZE, SIZE), scale=1 / 255).save_to_preset(str(tmp_path))
    network = read_network(read_folder(tmp_path, "made"))
    images = tf.constant(PICTURES / 255, tf.float32)
    np.testing.assert_allclose(network.__call__(images), np.mean(made(images), axis=(1, 2)), rtol=1e-4)
    assert [group.name for group in network.described.groups] == ["stack1_block0", "stack0_block0", "embeddings"]
    assert len(network.variables) == len(made.weights)
    assert len(network.trainable_variables) == len(made.trainable_weights)


@pytest.mark.parametrize(
    ("told", "size", "black"),
    [
        ({"size": 20, "image_mean": MEAN, "image_std": DEVIATION}, (20, 20), -2.5),
        ({"size": {"shortest_edge": 40}, "crop_size": {"height": 24, "width": 32}, "do_normalize": False}, (24, 32), 0),
        ({"size": {"shortest_edge": 40}, "do_center_crop": False, "do_normalize": False}, (40, 40), 0),
    ],
)
def test_size_and_scale_are_the_folders_own(tmp_path, told, size, black):
    write_image_encoder(tmp_path, processor=told)
    layout = read_folder(tmp_path, "made")
    assert (layout.size, layout.offset[0]) == (size, black)
    white = 1 if black == 0 else (1 - MEAN[0]) / DEVIATION[0]
    assert 255 * layout.scale[0] + layout.offset[0] == pytest.approx(white)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "swin"}, "bert, .* of texts, deit, dinov2, .*vit of images, .*ResNetBackbone"),
        ({"hidden_act": "swish"}, "activation 'swish' is unknown"),
        (None, "preprocessor_config.json is missing"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, change, told):
    write_image_encoder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **(change or {})}))
    if change is None:
        (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=told) as raised:
        origin(str(tmp_path), {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("size", "told"), [(30, "divisible by patch size"), (None, "encoder.layer.2")])
def test_weights_or_a_size_that_do_not_fit_are_one_line(tmp_path, size, told):
    write_image_encoder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    layers = config["num_hidden_layers"] + (size is None)
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": layers}))
    with pytest.raises(InputError, match=told) as raised:
        read_network(read_folder(tmp_path, "made", image_size=size))
    assert "\n" not in str(raised.value)
