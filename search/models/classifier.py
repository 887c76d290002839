"""A trained classifier: its probabilities for texts, and its files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import answers_in_batches
from search.backbones.hub.identity import seal_module
from search.datasets.beside import Column, texts_of
from search.datasets.content import TEXT, Content
from search.evaluation.weighted import Threshold
from search.features.splits import Inputs
from search.models.keras_model import above_embedding, after_decoding, below_output, linear_words
from search.models.scorer import chosen, scorer
from search.utils.batched import tensors, with_inputs
from search.utils.files import whole_file, whole_folder, write_json


@dataclass(frozen=True)
class Classifier:
    """A trained model, with its classes and threshold.

    Attributes:
        model: Strings [batch], and the columns beside them, to probabilities, float32 [batch, classes].
        classes: Names of the classes, in the order of the probabilities.
        threshold: Two classes: the second is predicted where its probability reaches this; None: the most probable is.
            A sequence: each of several labels is predicted where its probability reaches its own.
        columns: The columns beside the texts, in the order of the model's inputs.
        content: What the strings are: texts, or encoded images.
    """

    model: keras.Model
    classes: tuple[str, ...]
    threshold: Threshold
    columns: tuple[Column, ...] = ()
    content: Content = TEXT

    def probabilities(self, texts: NDArray[Any], features: Inputs | None = None) -> NDArray[np.float64]:
        """Scores texts.

        Args:
            texts: Strings [n], or the structured array of `Examples.inputs` where there are columns beside them.
            features: Their features through the model's frozen module [n, dim], if known.

        Returns:
            Probabilities, float64 [n, classes].
        """
        return _values(self.model, texts, features, np.arange(len(texts)))

    def last_hidden(self, texts: NDArray[Any], features: Inputs | None, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The inputs of the output layer for some texts: the values of the last hidden layer, or of the module.

        Args:
            texts: See `probabilities`.
            features: See `probabilities`.
            rows: Positions of the texts [k].

        Returns:
            float64 [k, dim].
        """
        return _values(below_output(self.model), texts, features, rows)

    def save(self, saved_model: Path, keras_file: Path) -> None:
        """Writes the model twice, each whole or not at all.

        The SavedModel needs this package neither to load nor to run: `tf.saved_model.load(path)(texts)` gives the
        probabilities. Its signature `serving_default` is for TensorFlow Serving: `texts`, strings [batch], with or
        without white space around them, to `probabilities`, float32 [batch, classes], and `predicted`, the names of
        their classes, strings [batch], or 0 and 1, int64 [batch, labels], with several labels. Columns beside the texts
        are inputs too: strings or float64, [batch]. Where the `texts` are encoded images, over a single module, the
        signature `images` takes decoded ones, uint8 [batch, height, width, 3], of the module's height and width.
        `labels.json` in its folder names the classes, the threshold, the columns and the content.

        Args:
            saved_model: Folder of the SavedModel.
            keras_file: A file that ends in .keras; `keras.models.load_model` reads it once `search` is imported.
        """
        # Without the optimizer, whose slots would make the files three times as large.
        plain = keras.Model(self.model.inputs, self.model.outputs, name=self.model.name)
        replace(self, model=plain).export(saved_model)
        with whole_file(keras_file) as file:
            plain.save(file)

    def export(self, saved_model: Path) -> None:
        """Writes the SavedModel alone, see `save`."""
        archive = keras.export.ExportArchive()
        archive.track(self.model)
        signature = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in self.model.inputs]

        def probabilities(*rows: tf.Tensor) -> tf.Tensor:
            return self.model(list(rows) if len(rows) > 1 else rows[0], training=False)

        # The first endpoint is also the default signature.
        strip = _stripped if self.content.has_words else _as_it_is
        archive.add_endpoint("serve", lambda *rows: self._answer(probabilities(*map(strip, rows))), signature)
        archive.add_endpoint("__call__", probabilities, signature)
        if (embed := after_decoding(self.model)) is not None:
            head, decoded = above_embedding(self.model), [*embed.input_signature, *signature[1:]]

            def of_decoded(rows: tf.Tensor, *columns: tf.Tensor) -> tf.Tensor:
                return head([embed(rows), *columns] if columns else embed(rows), training=False)

            with_names, alone = self.content.signatures
            archive.add_endpoint(with_names, lambda *rows: self._answer(of_decoded(*rows)), decoded)
            archive.add_endpoint(alone, lambda *rows: {"probabilities": of_decoded(*rows)}, decoded)
        # One may stand there from before the run was resumed.
        shutil.rmtree(saved_model, ignore_errors=True)
        with whole_folder(saved_model) as folder:
            archive.write_out(str(folder), verbose=False)
            labels: dict[str, Any] = {"labels": list(self.classes), "threshold": self.threshold}
            if self.content is not TEXT:
                labels["content"] = self.content.name
            if self.columns:
                labels["columns"] = [asdict(one) for one in self.columns]
            write_json(folder / "labels.json", labels)
            seal_module(folder)

    def _answer(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        """The response of a server for probabilities, float32 [batch, classes]."""
        if isinstance(self.threshold, Sequence):
            reached = tf.cast(probabilities, tf.float64) >= tf.constant(self.threshold, tf.float64)
            return {"probabilities": probabilities, "predicted": tf.cast(reached, tf.int64)}
        if self.threshold is None:
            predicted = tf.argmax(probabilities, axis=1)
        else:
            # In float64, as the threshold was chosen in.
            predicted = tf.cast(tf.cast(probabilities[:, 1], tf.float64) >= self.threshold, tf.int64)
        return {"probabilities": probabilities, "predicted": tf.gather(tf.constant(self.classes), predicted)}


def _stripped(rows: tf.Tensor) -> tf.Tensor:
    """An input without white space around its strings, if it has any."""
    return tf.strings.strip(rows) if rows.dtype == tf.string else rows


def _as_it_is(rows: tf.Tensor) -> tf.Tensor:
    """An input of bytes, of which white space may be a part."""
    return rows


def _values(
    model: keras.Model, texts: NDArray[Any], features: Inputs | None, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The outputs of a model for rows, computed from features [k, dim] where known."""
    if features is None:
        return answers_in_batches(scorer(model), texts[rows], "the model")
    inputs = chosen(features, rows)
    if texts.dtype.names:
        inputs = with_inputs(inputs, *tensors(texts[rows]).parts[1:])
    if (words := linear_words(model)) is not None:
        logits = scorer(keras.Model(model.inputs[0], words.output))
        offset = answers_in_batches(logits, texts_of(texts)[rows], "the model").astype(np.float32)
        inputs = with_inputs(inputs, tf.constant(offset))
    return scorer(above_embedding(model))(inputs)
