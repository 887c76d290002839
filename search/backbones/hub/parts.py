"""An encoder together with the preprocessor that makes its inputs of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from search.backbones.hub.adapt import needs_preprocessor, trial
from search.backbones.hub.calls import Call, best_call
from search.backbones.hub.contract import ChoiceNeeded, describe, named
from search.backbones.hub.layer_groups import ANY_SIZE, ImageEncoder, read_groups
from search.backbones.hub.saved_model import load_saved_model
from search.backbones.images.decoding import Decoding, chosen_size
from search.datasets.content import IMAGE, TEXT, Content
from search.errors import InputError


@dataclass(frozen=True)
class Preprocessor:
    """A preprocessor, which turns texts into the inputs of an encoder.

    Attributes:
        name: Its name, as the user gave it.
        folder: Its SavedModel.
    """

    name: str
    folder: Path


@dataclass(frozen=True, eq=False)
class Parts:
    """An encoder, and its preprocessor if it takes no texts, in memory.

    Attributes:
        encoder: The loaded encoder.
        encode: How to call it.
        preprocessor: The loaded preprocessor, or None.
        preprocess: How to call that; of images what decodes them, without a preprocessor.
    """

    encoder: Any
    encode: Call
    preprocessor: Any = None
    preprocess: Call | Decoding | None = None

    @property
    def content(self) -> Content:
        """What the strings are: texts, or encoded images."""
        return IMAGE if isinstance(self.preprocess, Decoding) else TEXT

    def __call__(self, texts: tf.Tensor, training: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        """Encodes strings [batch], texts or encoded images.

        Returns:
            The outputs of the encoder by name, and those of the preprocessor.
        """
        if self.preprocess is None:
            return self.encode.on_texts(texts, training), {}
        return self._encoded(self.preprocess.on_texts(texts), training)

    def on_images(self, images: tf.Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
        """Encodes decoded images, uint8 [batch, height, width, 3], of the encoder's size, as `__call__` does."""
        assert isinstance(self.preprocess, Decoding)
        return self._encoded(self.preprocess.on_images(images), training=False)

    def _encoded(self, made: dict[str, Any], training: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        return named(self.encode(_inputs(made, self.encode.inputs), training)), made


def load_parts(folder: Path, name: str, preprocessor: Preprocessor | None, image_size: int | None = None) -> Parts:
    """Loads an encoder, and its preprocessor if it takes no texts: of images what decodes them, which is known here.

    Args:
        folder: The encoder's SavedModel.
        name: Its name in messages.
        preprocessor: Used if the encoder takes neither texts nor images.
        image_size: Height and width of the images; None: as the encoder says.

    Raises:
        ChoiceNeeded: It takes no texts, and there is no preprocessor.
        InputError: The parts do not fit together, or one cannot be used.
    """
    encoder = load_saved_model(folder, name)
    encode = best_call(encoder, name)
    if encode.takes_texts:
        return Parts(encoder, encode)
    if encode.takes_images:
        (images,), known = tf.nest.flatten(encode.inputs), read_groups(folder)
        best = known.size if isinstance(known, ImageEncoder) else ANY_SIZE
        key = next(iter(encode.inputs)) if isinstance(encode.inputs, Mapping) else ""
        return Parts(encoder, encode, None, Decoding(chosen_size(images, best, image_size, name), images.dtype, key))
    if preprocessor is None:
        raise ChoiceNeeded(needs_preprocessor(encode, name))
    loaded = load_saved_model(preprocessor.folder, preprocessor.name)
    preprocess = best_call(loaded, preprocessor.name)
    if not preprocess.takes_texts:
        raise InputError(
            f"module.preprocessor={preprocessor.name} is no preprocessor: expected one that takes string [?], but it "
            f"takes {describe(preprocess.inputs)}."
        )
    made, _ = trial(preprocess.on_texts, f"the preprocessor {preprocessor.name}", [TEXT])
    misfits = _misfits(made, encode.inputs)
    if misfits:
        raise InputError(
            f"the preprocessor {preprocessor.name} does not fit module {name}, which takes {describe(encode.inputs)}: "
            f"{'; '.join(misfits)}."
        )
    return Parts(encoder, encode, loaded, preprocess)


def _inputs(made: Mapping[str, Any], inputs: Any) -> Any:
    """The inputs of an encoder by name, selected from the outputs of a preprocessor."""
    if isinstance(inputs, Mapping):
        return {key: tf.cast(made[key], spec.dtype) for key, spec in inputs.items()}
    return tf.cast(next(iter(made.values())), inputs.dtype)


def _misfits(made: Mapping[str, Any], inputs: Any) -> list[str]:
    """The mismatches between the outputs of a preprocessor for `TRIAL` and the inputs of an encoder."""
    gives = describe(made.get("", made))
    if isinstance(inputs, tf.TensorSpec):
        wanted = {next(iter(made)): inputs} if len(made) == 1 else {}
    else:
        wanted = dict(inputs) if isinstance(inputs, Mapping) else {}
    if not wanted or not all(isinstance(spec, tf.TensorSpec) for spec in wanted.values()):
        return [f"the tensors that it gives, {gives}, cannot be told apart"]
    missing = sorted(wanted.keys() - made.keys())
    if missing:
        return [f"it does not give {', '.join(missing)} but {gives}"]
    return [
        f"it gives {key or 'a tensor'} as {describe(made[key])}"
        for key, spec in sorted(wanted.items())
        if not _fits(made[key], spec)
    ]


def _fits(value: Any, spec: tf.TensorSpec) -> bool:
    if not isinstance(value, tf.Tensor) or not spec.shape.is_compatible_with(value.shape):
        return False
    return bool(value.dtype == spec.dtype or (value.dtype.is_integer and spec.dtype.is_integer))
