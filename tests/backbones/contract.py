"""The kinds of backbones that the contract holds for. A new kind is a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from made_encoders import write_encoder
from made_image_modules import SHAPES as IMAGE_SHAPES
from made_pictures import encoded, picture
from reviews import make_reviews
from shapes import SHAPES

from search.backbones.base import Backbone
from search.backbones.builders.vectors import write_module
from search.backbones.catalog import ModulePlaces
from search.backbones.of_space import resolve_backbones
from search.config import ModuleConfig
from spaces import ENCODERS, TFIDF, space_from

TRAIN = np.array(make_reviews(60, seed=1)[0], object)
OTHERS = np.array([*make_reviews(20, seed=2)[0], "", "!", "zebra", "a film " * 30], object)
VARIED = [" ".join([word] * 6) for word in "film food hotel place room story".split()]
IMAGES = [encoded(picture(seed, 20 + seed, 30), kind) for seed, kind in enumerate(["PNG", "JPEG"] * 5)]
ENCODER = "encoder in Hugging Face's layout"
_HEAD = {"layers": 0, "optimizer": "adam", "learning_rate": 0.01, "clip_norm": 0.0, "dropout": 0.0}
_ENCODER = {"vocabulary_size": 50, "sequence_length": 6, "ngrams": 1, "embedding_size": 4, "encoder_units": 3}


@dataclass(frozen=True)
class Kind:
    """A backbone to be tested.

    Attributes:
        module: The value of `module`, of the folder where the module lies.
        trained: What changes where its published weights are trained; None: it has none.
        embedding: The value of `embedding`, of the same folder.
        shape: What makes the module, one of `_BUILDERS`; None: it is of word vectors.
        learns: Whether it learns a vocabulary from the training texts.
        has_vectors: Whether there is anything under a head, and a head.
        of_images: Whether it takes images.
    """

    module: Callable[[Path], str]
    trained: dict[str, Any] | None = None
    embedding: Callable[[Path], str] | None = None
    shape: str | None = None
    learns: bool = False
    has_vectors: bool = True
    of_images: bool = False

    @property
    def train(self) -> Any:
        """The rows that it learns from."""
        return np.array(IMAGES[:4], object) if self.of_images else TRAIN

    @property
    def others(self) -> Any:
        """Other rows, of all kinds."""
        return np.array(IMAGES[4:], object) if self.of_images else OTHERS

    @property
    def varied(self) -> list[Any]:
        """Rows that a backbone which is no vocabulary of others must tell apart."""
        return IMAGES[:6] if self.of_images else VARIED

    def values(self, folder: Path) -> dict[str, Any]:
        """Hyperparameters with which it is as frozen as it can be."""
        values = {**_HEAD, "module": self.module(folder), "trainable": False}
        return {**values, **_ENCODER, "embedding": self.embedding(folder)} if self.embedding else values

    def trained_values(self, folder: Path) -> dict[str, Any]:
        """Hyperparameters with which the published weights are trained."""
        return {**self.values(folder), **(self.trained or {})}

    def make(self, folder: Path, place: Path) -> Backbone:
        """Makes it by its names, as a search does."""
        settings = _BUILDERS[self.shape](folder) if self.shape else {}
        given = self.values(folder)
        ranges = {name: given[name] for name in (*_ENCODER, "embedding") if name in given}
        space = space_from({"modules": [given["module"]], **ranges})
        return resolve_backbones(space, self.train, ModulePlaces(ModuleConfig(**settings), place, [place]))[
            given["module"]
        ]


def _of_folder(folder: Path) -> str:
    return str(folder)


def _always(name: str) -> Callable[[Path], str]:
    return lambda folder: name


def _encoder(folder: Path) -> dict[str, Any]:
    write_encoder(folder)
    return {}


def _of_images(build: Callable[[Path], Any]) -> Callable[[Path], dict[str, Any]]:
    def written(folder: Path) -> dict[str, Any]:
        build(folder)
        return {}

    return written


def _small(folder: Path) -> str:
    return f"{folder}@40"


def _two(folder: Path) -> dict[str, Any]:
    words = sorted({*"a film the was food good bad hotel zebra".split()})
    for seed, place in enumerate(_both(folder).split("+")):
        vectors = np.random.default_rng(seed).normal(size=(len(words), 3 + seed)).astype(np.float32)
        write_module(words, vectors, Path(place))
    return {}


def _both(folder: Path) -> str:
    return f"{folder / 'one'}+{folder / 'other'}"


TWO = "two modules of word vectors"
_BUILDERS = {
    **{name: shape.build for name, shape in SHAPES.items()},
    **{name: _of_images(build) for name, build in IMAGE_SHAPES.items()},
    **{ENCODER: _encoder, TWO: _two},
}
_FINE_TUNED = {"trainable": True, "fine_tuning_rate": 0.001}
KINDS = {
    "module of word vectors": Kind(_of_folder, _FINE_TUNED),
    "encoder of which the last layer learns": Kind(_of_folder, {**_FINE_TUNED, "unfreeze": "1"}, shape=ENCODER),
    "module of a sentence encoder": Kind(_of_folder, _FINE_TUNED, shape="BERT of tokens alone"),
    "modules side by side": Kind(_both, shape=TWO),
    "images in a signature": Kind(_of_folder, _FINE_TUNED, shape="images in a signature", of_images=True),
    "images brought to a size": Kind(_small, _FINE_TUNED, shape="images, told of training", of_images=True),
    "network of images of which the last layer learns": Kind(
        _small, {**_FINE_TUNED, "unfreeze": "1"}, shape="network of images", of_images=True
    ),
    "words alone": Kind(_always(TFIDF), has_vectors=False),
    **{name: Kind(_always(name), embedding=_always("learned"), learns=True) for name in ENCODERS},
    "gru over word vectors": Kind(_always("gru"), {"embedding_trainable": True}, _of_folder, learns=True),
    "gru over tokens of a module": Kind(
        _always("gru"), {"embedding_trainable": True}, _of_folder, "BERT of tokens alone"
    ),
}
