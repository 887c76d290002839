"""Networks of keras.applications, by name."""

import urllib.error

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from search.backbones.catalog import ModulePlaces
from search.backbones.hub.layer_groups import ANY_SIZE
from search.backbones.images.applications import NETWORKS, SIZES
from search.backbones.resolve import origin, resolve
from search.config import ModuleConfig
from search.errors import InputError


def test_a_network_with_weights_of_ones_own_is_that_of_keras(tmp_path):
    made = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    for weight in made.weights:
        if "variance" in weight.path:
            weight.assign(weight * 0.1)
    made.save_weights(tmp_path / "own.weights.h5")
    network = origin(f"keras://MobileNet{tmp_path / 'own.weights.h5'}", {}).network_of(32)
    images = np.random.default_rng(0).uniform(0, 1, (2, 32, 32, 3)).astype(np.float32)
    expected = np.mean(made(keras.applications.mobilenet.preprocess_input(images * 255)), axis=(1, 2))
    vectors = network.__call__(tf.constant(images))
    np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-3 * abs(expected).max())
    names = [group.name for group in network.described.groups]
    assert names[:2] == ["conv_pw_13", "conv_dw_13"] and len(names) == 27 and network.described.size == (32, 32)


def test_without_a_network_one_line_says_where_the_weights_go(tmp_path, monkeypatch):
    def unreachable(*_):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(file_utils, "urlretrieve", unreachable)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    name = "keras://MobileNet@32"
    places = ModulePlaces(ModuleConfig(), tmp_path, [tmp_path])
    with pytest.raises(InputError, match=r"\(no route\): bring https://\S+\.h5 by .* to \S+/models, or") as raised:
        resolve(name, places.entries([name]), places)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("handle", "told"),
    [("keras://MobilNet", "Did you mean 'MobileNet'"), ("keras://VGG16/missing.h5", "expected a file of weights")],
)
def test_what_is_not_there_is_told_before_tensorflow_is_needed(handle, told):
    with pytest.raises(InputError, match=told):
        origin(handle, {})


def test_names_and_sizes_are_those_of_keras(monkeypatch):
    class Asked(Exception):
        pass

    def asked(*_, default_size, **__):
        raise Asked(default_size)

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", asked)
    functions = {name for name in dir(keras.applications) if name[0].isupper()}
    assert functions == {*NETWORKS}
    for name, family in NETWORKS.items():
        assert hasattr(getattr(keras.applications, family), "preprocess_input")
        if family != "mobilenet_v3":  # which asks another function
            with pytest.raises(Asked) as raised:
                getattr(keras.applications, name)(include_top=False, weights=None)
            assert raised.value.args == (SIZES.get(name, ANY_SIZE[0]),)
