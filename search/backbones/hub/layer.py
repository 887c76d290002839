"""A module as a Keras 3 layer."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from search.backbones.hub.identity import fingerprint
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.load import Module, published, read, trainable_copy

# A file that holds one of these can be read wherever it holds one of the others.
from search.backbones.tokens.token_vectors import TokenVectors
from search.utils.leftovers import remove_leftovers, unfinished_name

__all__ = ["TextEmbedding", "TokenVectors"]

_SCRATCH = "search-module"


@keras.saving.register_keras_serializable(package="search")
class TextEmbedding(keras.layers.Layer):
    """Embeds texts, strings [batch] or [batch, 1], as float32 [batch, dim].

    Frozen, it is a pure function. The module's weights are not the layer's: no optimizer can reach them, not even where
    `trainable` is set later, and no file of weights holds them. Trainable, the layer has a copy of the module to
    itself, which starts from the published weights, and all of the copy's variables are the layer's.

    It computes in float32 whatever the global dtype policy is.

    A `.keras` file contains the module as a SavedModel, so that it can be loaded where the module is missing. Like any
    SavedModel it is a program that is run: load only files of people you trust.

    Args:
        folder: The module's SavedModel.
        trainable: Whether training changes the module.
        unfreeze: How many of the module's layers training changes, counted from the output; None: all that it has.
        name: Name of the layer.
    """

    def __init__(
        self, folder: str | Path, trainable: bool = False, unfreeze: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, dtype="float32", autocast=False, name=name)
        # XLA knows no strings; without this Keras would compile the model where there is a GPU.
        self.supports_jit = False
        self._folder = Path(folder)
        # `trainable` can be set later, by the layer's model too; whose the weights are cannot.
        self._has_weights = trainable
        self._unfreeze = unfreeze
        self._parts: ModuleLayers | None = None
        self._module: Module | None = None
        # Held as an attribute of its own for TensorFlow to find: it is what an exported model takes along.
        self._saved: Any = None
        self._recorded: _Record | None = None
        self._module_weights: list[keras.Variable] = []

    @property
    def folder(self) -> Path:
        """The module's SavedModel."""
        return self._folder

    def published(self, name: str) -> TextEmbedding:
        """Another layer with the same module, frozen."""
        return TextEmbedding(self._folder, name=name)

    @property
    def module_weights(self) -> list[keras.Variable]:
        """The module's variables, those that training may change first; none where the layer is frozen."""
        return list(self._module_weights)

    @property
    def after_decoding(self) -> Any:
        """The function that stands behind the decoding of images; None: the module decodes none.

        It maps uint8 [batch, height, width, 3], of the height and width of its input signature, to float32 [batch,
        dim].
        """
        return getattr(self._saved, "embed_images", None)

    @property
    def dimension(self) -> int:
        """Width of the embedding; asked for before the layer is built, it loads the module."""
        known = self._module or self._recorded or published(self._folder)
        return known.dimension

    def build(self, input_shape: Any) -> None:
        """Loads the module, or prepares for the one from `load_assets`.

        Raises:
            InputError: The module cannot be loaded, or cannot be trained where the layer is trainable.
        """
        record = self._recorded
        if record is None or (self._folder.is_dir() and fingerprint(self._folder) == record.fingerprint):
            self._adopt(trainable_copy(self._folder, self) if self._has_weights else published(self._folder))
            record = self._record()
        variables = self._variables() or [tf.zeros(weight.shape, weight.dtype) for weight in record.weights]
        for weight, variable in zip(record.weights, variables, strict=True):
            # Given a tf.Variable, Keras's shares its storage: training the layer trains the module.
            self._module_weights.append(
                keras.Variable(variable, trainable=weight.trainable, autocast=False, name=weight.name)
            )

    def call(self, texts: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Embeds texts.

        Args:
            texts: Strings [batch] or [batch, 1].
            training: Whether this is a step of training.

        Returns:
            Embeddings, float32 [batch, dim].
        """
        if self._module is None:
            raise ValueError(f"Layer {self.name} has lost its module: there is none such in {self._folder}.")
        if texts.shape.rank == 2:
            texts = tf.squeeze(texts, axis=1)
        fine_tuning = bool(training) and self._has_weights and self.trainable
        if fine_tuning and self._parts is not None:
            return self._parts(texts)
        embedded = self._module(texts, fine_tuning)
        if fine_tuning:
            for loss in getattr(self._saved, "regularization_losses", None) or ():
                self.add_loss(loss())
        return embedded

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """The shape of the output, so that a functional model is built without calling the module."""
        if len(input_shape) == 1 or (len(input_shape) == 2 and input_shape[1] in (None, 1)):
            return input_shape[0], self.dimension
        raise ValueError(f"Expected texts of shape [batch] or [batch, 1]. Received: {input_shape}")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = {"folder": str(self._folder), "trainable": self._has_weights, "name": self.name}
        return config if self._unfreeze is None else {**config, "unfreeze": self._unfreeze}

    def get_build_config(self) -> dict[str, Any] | None:
        """The record of the module in a file, for `build_from_config`."""
        if self._module is None:
            return None
        return {"input_shape": (None,), "module": asdict(self._record())}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Builds a layer from a file: with the module in its folder if that is unchanged, else with the file's own."""
        recorded = dict(config["module"])
        weights = [_Weight(**{**weight, "shape": tuple(weight["shape"])}) for weight in recorded.pop("weights")]
        self._recorded = _Record(**recorded, weights=tuple(weights))
        self.build(tuple(config["input_shape"]))

    def save_assets(self, folder: str) -> None:
        """Puts the module's SavedModel, with its published weights, into a `.keras` file."""
        if self._module is not None:
            shutil.copytree(self._module.folder, folder, dirs_exist_ok=True)

    def load_assets(self, folder: str | None) -> None:
        """Takes the module out of a `.keras` file, if it was not found in its folder.

        Keras loads the layer's own weights first, and deletes `folder` afterwards.

        Raises:
            InputError: The module in the file cannot be used.
        """
        if self._module is not None or folder is None:
            return
        # The file's copy stays while the layer lives: saving or exporting it needs the module's vocabulary again.
        remove_leftovers(Path(tempfile.gettempdir()), _SCRATCH)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{unfinished_name(_SCRATCH)}."))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        shutil.copytree(folder, self._folder, dirs_exist_ok=True)
        self._adopt(read(self._folder, f"in layer {self.name}"))
        for weight, variable in zip(self._module_weights, self._variables(), strict=True):
            variable.assign(weight.value)
            # From here on they share storage, as in `build`. Keras's optimizers know a weight by this number.
            variable._unique_id = weight.value._unique_id
            weight._initialize(variable)

    def _adopt(self, module: Module) -> None:
        self._module = module
        self._saved = module.saved
        encoder = None if self._unfreeze is None else read_groups(module.folder)
        self._parts = None if encoder is None else ModuleLayers(module, encoder, self._unfreeze)

    def _variables(self) -> tuple[tf.Variable, ...]:
        """The module's variables that are the layer's weights."""
        return self._module.variables if self._module is not None and self._has_weights else ()

    def _record(self) -> _Record:
        assert self._module is not None
        learning = self._module.trainable_variables
        if self._parts is not None:
            learning = tuple(learning[place] for group in self._parts.learning for place in group)
        trained = {id(variable) for variable in learning}
        names: list[str] = []
        for variable in self._variables():
            name = re.sub(r"[^\w.-]", "_", variable.name.removesuffix(":0"))
            names.append(name if name not in names else f"{name}_{len(names)}")
        weights = tuple(
            _Weight(name, tuple(variable.shape), variable.dtype.name, id(variable) in trained)
            for name, variable in zip(names, self._variables(), strict=True)
        )
        return _Record(self._module.fingerprint, self._module.dimension, weights)


@dataclass(frozen=True)
class _Weight:
    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool


@dataclass(frozen=True)
class _Record:
    """The facts about a module with which a file can rebuild the layer, its weights and their optimizer without it."""

    fingerprint: str
    dimension: int
    weights: tuple[_Weight, ...]
