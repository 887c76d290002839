"""Modules that take images, behind the step that makes images of bytes."""

import io
import logging

import numpy as np
import pytest
import tensorflow as tf
from made_image_modules import SHAPES, SIZE, expected
from made_pictures import encoded, picture
from PIL import Image

from search.backbones.catalog import Entry, ModulePlaces, catalog
from search.backbones.hub.answers import answers
from search.backbones.hub.examine import examine
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.load import published
from search.backbones.images.decoding import decoded
from search.backbones.of_space import resolve_backbones
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError
from spaces import space_from

PICTURES = [picture(1, 30, 20), picture(2, 9, 40), picture(3, SIZE, SIZE)]


def found(tmp_path, name, **entries):
    return resolve_modules([name], ModulePlaces(ModuleConfig(), tmp_path / "modules", [tmp_path]))[name]


def pixels(pictures, size):
    """The pictures brought to a size by Pillow, whose bilinear filter is wide where it makes them smaller, too."""
    made = [np.asarray(one.resize((size, size), Image.Resampling.BILINEAR)) for one in pictures]
    return np.array(made, np.float32) / 255


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_an_image_is_squeezed_to_the_size_whatever_its_kind_and_shape(kind):
    images = [encoded(one, kind) for one in PICTURES]
    given = decoded(tf.constant(images), (12, 12)).numpy()
    assert given.dtype == np.uint8 and given.shape == (3, 12, 12, 3)
    wanted = pixels([Image.open(io.BytesIO(one)).convert("RGB") for one in images], 12)
    assert abs(given - 255 * wanted).max() <= (16 if kind == "JPEG" else 1.01)  # of which readers differ a little


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "network of images"])
def test_a_module_of_each_shape_gives_the_vector_of_the_image(shape, tmp_path):
    SHAPES[shape](tmp_path / "module")
    module = published(found(tmp_path, str(tmp_path / "module")))
    assert module.content.name == "image" and module.trainable_variables
    size = 224 if shape in ("images of any size", "images, told of training") else SIZE
    vectors = module(tf.constant([encoded(one) for one in PICTURES[2:]]))
    # The width is given and the height is not.
    given = expected(pixels(PICTURES[2:], size)) if "serving" not in shape else vectors
    np.testing.assert_allclose(vectors, given, atol=0.01)


def test_any_number_of_images_is_embedded_some_at_a_time(tmp_path):
    SHAPES["images of any size"](tmp_path / "module")
    module = published(found(tmp_path, f"{tmp_path / 'module'}@700"))
    images = [encoded(picture(seed)) for seed in range(5)]
    together = module(tf.constant(images))
    np.testing.assert_allclose(together[3], module(tf.constant(images[3:4]))[0], atol=1e-5)
    assert module(tf.constant([], tf.string)).shape == (0, module.dimension)


def test_the_size_is_part_of_the_name_of_a_module_of_any_size(tmp_path):
    SHAPES["network of images"](tmp_path / "network")
    SHAPES["images of one size"](tmp_path / "fixed")
    SHAPES["images of any size"](tmp_path / "any")
    small, other = (found(tmp_path, f"{tmp_path / 'any'}@{size}") for size in (40, 48))
    assert published(small).fingerprint != published(other).fingerprint
    folder, (best, _) = found(tmp_path, str(tmp_path / "network")), read_groups(tmp_path / "network").size
    assert read_groups(folder).size == (best, best) and folder == found(tmp_path, f"{tmp_path / 'network'}@{best}")
    with pytest.raises(InputError, match="6 x 6 alone: name it without @40"):
        found(tmp_path, f"{tmp_path / 'fixed'}@40")
    listed = ModulePlaces(ModuleConfig(), tmp_path / "modules", [configuration_folder()])
    with pytest.raises(InputError, match="Did you mean 'efficientnet-lite0'"):
        resolve_modules(["efficientnet-lite1@40"], listed)
    with pytest.raises(InputError, match="no such folder"):
        found(tmp_path, f"{tmp_path / 'missing'}@40")


def test_a_module_of_texts_has_no_size(tmp_path, word_module):
    with pytest.raises(InputError, match="name it without @40"):
        found(tmp_path, f"{word_module}@40")


def test_an_entry_of_the_catalog_is_the_same_module_at_another_size(tmp_path):
    SHAPES["images of any size"](tmp_path / "module")
    (tmp_path / "conf" / "module").mkdir(parents=True)
    text = f"name: mine\nhandle: {tmp_path / 'module'}\ntakes: images\ndimension: 4\nlicence: MIT\nlanguage: '-'\n"
    (tmp_path / "conf" / "module" / "mine.yaml").write_text(text)
    places = ModulePlaces(ModuleConfig(), tmp_path / "modules", [tmp_path / "conf"])
    entries = places.entries(["mine@32"])
    handle = str(tmp_path / "module")
    assert entries["mine@32"] == Entry("mine@32", handle, None, 4, "MIT", "-", takes="images", image_size=32)
    backbone = resolve_backbones(space_from({"modules": ["mine@32"]}), np.array([], object), places)["mine@32"]
    assert [module.licence for module in backbone.modules] == ["MIT"]
    assert [module.content.name for module in backbone.modules] == ["image"]
    (tmp_path / "conf" / "module" / "mine.yaml").write_text(text.replace("images", "films"))
    with pytest.raises(InputError, match="texts or images"):
        catalog([tmp_path / "conf"])


def test_a_module_of_images_is_examined_on_images(tmp_path, caplog):
    SHAPES["images of any size"](tmp_path / "module")
    found_out = examine(published(found(tmp_path, f"{tmp_path / 'module'}@40")))
    assert not found_out.frozen and not found_out.fine_tuned and found_out.empty is None
    assert found_out.cosines["a red disc", "the same further right"] > found_out.cosines["a red disc", "black stripes"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_is_no_image_is_named(tmp_path):
    SHAPES["images of one size"](tmp_path / "module")
    module = published(found(tmp_path, str(tmp_path / "module")))
    broken = encoded(PICTURES[0])[:60]
    with pytest.raises(InputError, match="cannot be used on the image of 60 bytes") as caught:
        answers(module, [encoded(PICTURES[1]), broken], "module images")
    assert "\n" not in str(caught.value)
