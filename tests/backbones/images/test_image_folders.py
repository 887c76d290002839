"""Encoders of images from folders: Hugging Face's layout and KerasHub's."""

import json

import numpy as np
import pytest
import tensorflow as tf
from made_image_encoders import ARCHITECTURES, SIZE, forward, write_image_encoder
from made_pictures import encoded, picture

from search.backbones.catalog import ModulePlaces
from search.backbones.hub.examine import examine
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.load import published
from search.backbones.resolve import origin, resolve_modules
from search.backbones.transformers.folders import read_folder
from search.commands import modules as command
from search.config import ModuleConfig
from search.errors import InputError

pytest.importorskip("keras_hub")
PICTURES = np.stack([np.asarray(picture(seed, SIZE, SIZE)) for seed in range(3)])
IMAGES = tf.constant([encoded(picture(seed, SIZE, SIZE)) for seed in range(3)])


def found(tmp_path, name):
    return published(resolve_modules([name], ModulePlaces(ModuleConfig(), tmp_path / "modules", [tmp_path]))[name])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_vector_is_that_of_an_independent_pass(architecture, tmp_path):
    weights = write_image_encoder(tmp_path / "encoder", architecture, "" if "2" in architecture else f"{architecture}.")
    module = found(tmp_path, str(tmp_path / "encoder"))
    expected = forward(architecture, weights, PICTURES / 255)
    np.testing.assert_allclose(module(IMAGES), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.1
    names = [group.name for group in read_groups(module.folder).groups]
    assert len(names) == 3 and names[-1] == "embeddings"
