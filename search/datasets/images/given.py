"""Pictures that a person holds in memory: arrays, bytes, paths, pictures of Pillow, columns of Hugging Face."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from search.datasets.images.faults import Unreadable
from search.datasets.images.normalise import as_png, normalized, quietly, upright_rgb
from search.errors import InputError

_KEYS = ("bytes", "path")
_EXPECTED = "expected a picture: a path, encoded bytes, an array of uint8 [h, w, 3] or [h, w], or a picture of Pillow"


def is_picture(value: Any) -> bool:
    """Whether a value is a picture, or names one, by its type; of a string that cannot be told."""
    if isinstance(value, Mapping):
        return set(_KEYS) <= set(value)
    return isinstance(value, bytes | Path | Image.Image) or (isinstance(value, np.ndarray) and value.ndim > 1)


def with_bytes(value: Any, where: str) -> dict[str, Any] | None:
    """A picture as Hugging Face keeps one: its encoded bytes, and its path.

    Args:
        value: uint8 [h, w, 3] or [h, w], encoded bytes, a picture of Pillow, a path, or a mapping of bytes and path.
        where: The value's place, for messages.

    Returns:
        `bytes` and `path`; no bytes where there is no file at the path, no path where none is known. None for None, NaN
        and an empty path.

    Raises:
        InputError: It is none of these.
    """
    if isinstance(value, Mapping) and is_picture(value):
        if value["bytes"] is not None:
            return {key: value[key] for key in _KEYS}
        value = value["path"]
    if isinstance(value, np.ndarray):
        value = _of_array(value, where)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Image.Image):
        return {"bytes": as_png(upright_rgb(ImageOps.exif_transpose(value), where)), "path": None}
    if isinstance(value, bytes):
        return {"bytes": value, "path": None}
    if not isinstance(value, str | Path):
        raise InputError(f"{where} is {value!r:.80}: {_EXPECTED}.")
    path = Path(value)
    try:
        return {"bytes": path.read_bytes(), "path": str(value)}
    except (OSError, ValueError):  # what is not there is told with all other pictures that cannot be used
        return {"bytes": None, "path": str(path.absolute())}


def named_pictures(values: Any, max_pixels: int) -> tuple[list[str], list[bytes | None]]:
    """The names of pictures, and their bytes as models take them; None where one is missing.

    Args:
        values: As `with_bytes` takes them, any number or a single one.
        max_pixels: See `normalized`.

    Raises:
        InputError: One cannot be used.
    """
    if _is_one(values):
        values = [values]
    names: list[str] = []
    found: list[bytes | None] = []
    with quietly():
        for place, value in enumerate(values):
            held = with_bytes(value, f"Picture {place}")
            names.append(str(held["path"] or place) if held else "")
            if held is not None and held["bytes"] is None:
                raise InputError(f"Picture {place}: {held['path']} is not there.")
            try:
                found.append(normalized(held["bytes"], f"Picture {names[-1]}", max_pixels) if held else None)
            except Unreadable as error:
                raise InputError(f"{error}.") from error
    return names, found


def _is_one(values: Any) -> bool:
    """Whether this is a single picture: of three dimensions, if the last is of colours."""
    if isinstance(values, np.ndarray):
        return values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4))
    return isinstance(values, str) or is_picture(values)


def _of_array(value: NDArray[Any], where: str) -> Image.Image:
    plain = value[..., 0] if value.ndim == 3 and value.shape[2] == 1 else value
    shaped = plain.ndim == 2 or (plain.ndim == 3 and plain.shape[2] in (3, 4))
    if value.dtype != np.uint8 or not shaped or not value.size:
        of_floats = "; of numbers from 0 to 1: (255 * array).round().astype('uint8')" if value.dtype.kind == "f" else ""
        raise InputError(
            f"{where} is an array of {value.dtype} {list(value.shape)}: expected uint8 [h, w, 3] or [h, w]{of_floats}."
        )
    return Image.fromarray(plain)
