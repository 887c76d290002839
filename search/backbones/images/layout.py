"""The folder of an encoder of images, in Hugging Face's layout or KerasHub's: its files say how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from search.backbones.catalog import IMAGES
from search.backbones.hub.layer_groups import ANY_SIZE
from search.backbones.transformers.layout import ACTIVATIONS, read_json
from search.backbones.transformers.preset import is_preset
from search.errors import InputError

_PREPROCESSOR = "preprocessor_config.json"
_CONVERTER, _KERAS_PREPROCESSOR = "image_converter.json", "preprocessor.json"
_PIXEL = 1 / 255


@dataclass(frozen=True)
class ImageLayout:
    """How an encoder makes a vector of an image.

    Attributes:
        folder: Where its files are.
        name: What messages call it.
        config: Its config.json.
        architecture: One of those in `search.backbones.images.architectures`.
        size: Height and width that images are brought to.
        scale: What the levels of red, green and blue, from 0 to 255, are multiplied by.
        offset: What is added to that.
        of_keras: Whether the folder is in KerasHub's layout.
    """

    folder: Path
    name: str
    config: Mapping[str, Any]
    architecture: str
    size: tuple[int, int]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    of_keras: bool

    takes: ClassVar[str] = IMAGES
    packages: ClassVar[tuple[str, ...]] = ("keras-hub",)

    @property
    def asked(self) -> str:
        """The size of images, part of what a built module is known by."""
        return f"{self.size[0]} x {self.size[1]}"

    @property
    def rows(self) -> str:
        """The rows that it embeds, in words."""
        return f"images of {self.asked}"

    @property
    def approximate_gelu(self) -> bool:
        """Whether the activation is GELU by its approximation with tanh."""
        return ACTIVATIONS[self.activation]

    @property
    def activation(self) -> str:
        """Name of the activation between the products of a layer."""
        return str(self.config.get("hidden_act", "gelu"))


def read_image_layout(folder: Path, name: str, size: int | None = None) -> ImageLayout:
    """Reads how the encoder of images in a folder is to be used.

    Args:
        folder: The folder, whose config.json is that of one.
        name: What messages call it.
        size: Height and width that images are brought to; None: what the folder says.

    Raises:
        InputError: Its files do not say it.
    """
    config = read_json(folder / "config.json")
    of_keras = is_preset(config)
    try:
        own, scale, offset = (_of_keras if of_keras else _of_hugging_face)(folder, config, name)
        layout = ImageLayout(
            folder,
            name,
            config,
            str(config["class_name"] if of_keras else config["model_type"]),
            own if size is None else (size, size),
            scale,
            offset,
            of_keras,
        )
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise InputError(f"module {name}: the settings in {folder} cannot be read ({error!r:.80}).") from error
    if layout.activation not in ACTIVATIONS:
        raise InputError(
            f"module {name}: its activation {layout.activation!r:.40} is unknown: expected {', '.join(ACTIVATIONS)}."
        )
    return layout


_Settings = tuple[tuple[int, int], tuple[float, ...], tuple[float, ...]]


def _of_hugging_face(folder: Path, config: Mapping[str, Any], name: str) -> _Settings:
    told = read_json(folder / _PREPROCESSOR)
    crops = told.get("do_center_crop", "crop_size" in told) and "crop_size" in told
    factor = float(told.get("rescale_factor", _PIXEL)) if told.get("do_rescale", True) else 1.0
    normalizes = told.get("do_normalize", True)
    mean = _of_colours(told["image_mean"] if normalizes else 0.0)
    deviation = _of_colours(told["image_std"] if normalizes else 1.0)
    scale = tuple(factor / one for one in deviation)
    return _size(told["crop_size" if crops else "size"]), scale, _ratio(mean, deviation)


def _of_keras(folder: Path, config: Mapping[str, Any], name: str) -> _Settings:
    if (folder / _CONVERTER).is_file():
        told = read_json(folder / _CONVERTER)["config"]
    elif (folder / _KERAS_PREPROCESSOR).is_file():
        told = read_json(folder / _KERAS_PREPROCESSOR)["config"]["image_converter"]["config"]
    else:
        raise InputError(f"module {name}: {folder} has no {_CONVERTER}, which says how its images are scaled.")
    scale, offset = told.get("scale"), told.get("offset")
    scales = _of_colours(1.0 if scale is None else scale)
    if "variance" in told and "mean" in told:  # as earlier versions wrote it
        deviation = tuple(one**0.5 for one in _of_colours(told["variance"]))
        offset = _ratio(_of_colours(told["mean"]), deviation)
        scales = tuple(one / other for one, other in zip(scales, deviation, strict=True))
    shape = config["config"].get("image_shape") or ANY_SIZE
    size = told.get("image_size") or (told.get("height"), told.get("width"))
    height, width = (one or other or any_ for one, other, any_ in zip(size, shape, ANY_SIZE, strict=False))
    return (int(height), int(width)), scales, _of_colours(0.0 if offset is None else offset)


def _size(told: Any) -> tuple[int, int]:
    if not isinstance(told, Mapping):
        return int(told), int(told)
    edge = told.get("shortest_edge")
    return int(edge or told["height"]), int(edge or told["width"])


def _of_colours(told: Any) -> tuple[float, ...]:
    """One number for each of red, green and blue."""
    numbers = [float(one) for one in told] if isinstance(told, list | tuple) else [float(told)] * 3
    if len(numbers) != 3:
        raise ValueError(f"{len(numbers)} numbers in place of 3")
    return tuple(numbers)


def _ratio(mean: tuple[float, ...], deviation: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(-one / other for one, other in zip(mean, deviation, strict=True))
