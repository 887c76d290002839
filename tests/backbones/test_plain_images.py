"""Modules without weights: pixels and colours of images."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from search.backbones.builders.plain_images import build_plain


def test_pixels_are_the_image_itself(tmp_path: Path) -> None:
    module = tf.saved_model.load(str(build_plain("pixels", tmp_path)))
    images = np.random.default_rng(0).random((3, 24, 24, 3), np.float32)
    np.testing.assert_array_equal(module(images), images.reshape(3, -1))


def test_colours_are_the_shares_of_the_pixels_that_have_each(tmp_path: Path) -> None:
    module = tf.saved_model.load(str(build_plain("colours", tmp_path)))
    black_and_white = np.zeros((2, 64, 64, 3), np.float32)
    black_and_white[0, :16] = 1.0
    shares = module(black_and_white).numpy()
    np.testing.assert_allclose(shares[:, [0, -1]], [[0.75, 0.25], [1.0, 0.0]])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_a_module_is_built_once(tmp_path: Path) -> None:
    folder = build_plain("pixels", tmp_path)
    before = (folder / "saved_model.pb").stat().st_mtime_ns
    assert build_plain("pixels", tmp_path) == folder
    assert (folder / "saved_model.pb").stat().st_mtime_ns == before
