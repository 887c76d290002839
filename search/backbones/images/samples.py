"""Made images that modules are tried on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_SIZE = 96
_WHITE, _RED, _BLUE = (255, 255, 255), (200, 30, 30), (30, 60, 200)

IMAGE_PAIRS = (
    ("a red disc", "the same further right"),
    ("a red disc", "a blue disc"),
    ("a red disc", "a red square"),
    ("a red disc", "black stripes"),
)
"""Names of images in `sample_images`, two and two."""


def sample_images() -> Mapping[str, bytes]:
    """Images by their names, as PNG: those of `IMAGE_PAIRS`, and some of which there is little to see."""
    row, column = np.indices((_SIZE, _SIZE))

    def disc(x: int) -> NDArray[np.bool_]:
        return np.hypot(row - _SIZE // 2, column - x) < _SIZE // 4

    square = np.maximum(abs(row - _SIZE // 2), abs(column - _SIZE // 2)) < _SIZE // 4
    made = {
        "a red disc": _painted(disc(_SIZE // 2), _RED),
        "the same further right": _painted(disc(_SIZE * 2 // 3), _RED),
        "a blue disc": _painted(disc(_SIZE // 2), _BLUE),
        "a red square": _painted(square, _RED),
        "black stripes": _painted(column // 8 % 2 == 0, (0, 0, 0)),
        "white": _painted(np.zeros((_SIZE, _SIZE), np.bool_), _RED),
        "one pixel": _painted(np.ones((1, 1), np.bool_), _BLUE),
        "a line": _painted(np.ones((2, 300), np.bool_), _BLUE),
        "noise": np.random.default_rng(0).integers(0, 256, (_SIZE * 2, _SIZE, 3), np.uint8),
    }
    return {name: tf.io.encode_png(image).numpy() for name, image in made.items()}


def _painted(where: NDArray[np.bool_], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.where(where[..., np.newaxis], np.array(colour), np.array(_WHITE)).astype(np.uint8)
