"""RoBERTa's tokenizer as operations of TensorFlow: byte-level BPE with the ids that the `tokenizers` library gives.

Sennrich et al., Neural Machine Translation of Rare Words with Subword Units, 2016, https://arxiv.org/abs/1508.07909, on
bytes, as GPT-2 cuts texts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from search.backbones.transformers.characters import OTHER, SPACE, WHITE_SPACE, class_table
from search.backbones.transformers.tokenizer_files import TokenizerFiles

# Private characters that stand for a special token in a text; those of people's own texts are left out.
_MARKS = 0x10FF00
_MARK = OTHER + 1
_NEVER = 2**31 - 1
_SHORT, _LONG = b"stmd", (b"re", b"ve", b"ll")


class BytePairs(tf.Module):
    """Cuts texts into words, and merges the bytes of each, the pair that was learned first before others.

    Args:
        files: What its files say.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        super().__init__()
        ids = {token: place for place, token in enumerate(files.vocabulary)}
        self._taking_spaces = files.taking_spaces
        self._special = list(files.special.values())
        self._marks = tuple((token, chr(_MARKS + place)) for place, token in enumerate(files.special))
        self._bytes = np.array([ids[character] for character in _written_bytes()], np.int32)
        pairs = np.array([(ids[a], ids[b], ids[a + b]) for a, b in files.merges], np.int64).reshape(-1, 3)
        keys = pairs[:, 0] << 32 | pairs[:, 1]
        self._ranks = np.argsort(keys, kind="stable").astype(np.int32)
        self._keys, self._merged = keys[self._ranks], pairs[self._ranks, 2].astype(np.int32)
        self._classes = class_table(range(_MARKS, _MARKS + max(1, len(self._marks))), _MARK)

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts strings [batch] into ids, int32 [batch, (tokens)], without those around a text."""
        if self._marks:
            texts = tf.strings.regex_replace(texts, f"[{self._marks[0][1]}-{self._marks[-1][1]}]", "")
        for token, mark in self._marks:
            spaces = f"[{WHITE_SPACE}]*" if token in self._taking_spaces else ""
            texts = tf.strings.regex_replace(texts, spaces + re.escape(token), mark)
        characters = tf.strings.unicode_split(texts, "UTF-8")
        codes = tf.strings.unicode_decode(characters.values, "UTF-8").values
        rows = tf.cast(characters.value_rowids(), tf.int32)
        kinds = self._classes.of_codes(codes)
        word = tf.cumsum(tf.cast(_starts(codes, kinds, rows), tf.int32)) - 1
        count = tf.reduce_max(tf.concat([word, [-1]], 0)) + 1
        marked = tf.math.unsorted_segment_max(tf.where(kinds == _MARK, codes, -1), word, count)
        words = tf.strings.unsorted_segment_join(characters.values, word, count)
        distinct, place = tf.unique(
            tf.where(marked >= 0, tf.strings.unicode_encode(tf.maximum(marked, 0)[:, tf.newaxis], "UTF-8"), words)
        )
        symbols = self._symbols(distinct)
        of_row = tf.math.unsorted_segment_max(rows, word, count)
        by_word = tf.gather(symbols, place)
        return (
            tf.RaggedTensor.from_value_rowids(by_word, of_row, nrows=tf.size(texts))
            .merge_dims(1, 2)
            .with_row_splits_dtype(tf.int64)
        )

    def _symbols(self, words: tf.Tensor) -> tf.RaggedTensor:
        """Merges the bytes of distinct words as far as possible, int32 [words, (symbols)]."""
        first = tf.strings.unicode_decode(words, "UTF-8")[:, :1].to_tensor(0, shape=[None, 1])[:, 0] - _MARKS
        marked = (first >= 0) & (first < len(self._special)) if self._special else tf.zeros_like(first, tf.bool)
        plain = tf.where(marked, " ", words)
        lengths = tf.strings.length(plain)
        byte = tf.cast(tf.io.decode_raw(tf.strings.reduce_join(plain), tf.uint8), tf.int32)
        word = tf.repeat(tf.range(tf.size(words)), lengths)
        symbols = tf.gather(self._bytes, byte)
        if self._special:
            special = tf.gather(self._special, tf.clip_by_value(first, 0, len(self._special) - 1))
            symbols = tf.where(tf.gather(marked, word), tf.gather(special, word), symbols)
        if len(self._keys):
            symbols, word = self._merge(symbols, word, tf.size(words))
        return tf.RaggedTensor.from_value_rowids(symbols, word, nrows=tf.size(words))

    def _merge(self, symbols: tf.Tensor, word: tf.Tensor, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def step(symbols: tf.Tensor, word: tf.Tensor, _: tf.Tensor) -> _State:
            key = tf.cast(symbols[:-1], tf.int64) * 2**32 + tf.cast(symbols[1:], tf.int64)
            place = tf.minimum(tf.searchsorted(self._keys, key), len(self._keys) - 1)
            pair = (tf.gather(self._keys, place) == key) & (word[:-1] == word[1:])
            rank = tf.where(pair, tf.gather(self._ranks, place), _NEVER)
            best = tf.math.unsorted_segment_min(rank, word[:-1], words)
            chosen = pair & (rank == tf.gather(best, word[:-1]))
            # Of a run of the same symbol, every other pair, from the left.
            begins = chosen & ~tf.concat([[False], chosen[:-1]], 0)
            run = tf.cumsum(tf.cast(begins, tf.int32))
            position = tf.range(tf.size(chosen))
            begin = tf.gather(tf.concat([[0], tf.boolean_mask(position, begins)], 0), run)
            chosen &= (position - begin) % 2 == 0
            merged = tf.concat([tf.where(chosen, tf.gather(self._merged, place), symbols[:-1]), symbols[-1:]], 0)
            kept = tf.concat([[True], ~chosen], 0)
            return _State(tf.boolean_mask(merged, kept), tf.boolean_mask(word, kept), tf.reduce_any(chosen))

        state = _State(symbols, word, tf.size(symbols) > 1)
        shapes = _State(tf.TensorShape([None]), tf.TensorShape([None]), tf.TensorShape([]))
        found = tf.while_loop(lambda symbols, word, more: more & (tf.size(symbols) > 1), step, state, shapes)
        return found.symbols, found.word


class _State(NamedTuple):
    symbols: tf.Tensor
    word: tf.Tensor
    more: tf.Tensor


def _starts(codes: tf.Tensor, kinds: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    r"""Says where words begin, as GPT-2's expression finds them, which RE2 has no means for.

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

    Args:
        codes: Characters of texts laid end to end, int32 [characters].
        kinds: Their classes.
        rows: Which text each is of.

    Returns:
        Whether a word begins with it, bool [characters].
    """

    def shifted(values: tf.Tensor, by: int, beyond: int) -> tf.Tensor:
        """The values `by` characters further on, or back; `beyond` past the end of a text."""
        size, padding = tf.size(values), abs(by)
        both = tf.pad(tf.stack([values, rows]), [[0, 0], [padding, padding]], constant_values=-1)
        moved = both[:, padding + by : padding + by + size]
        return tf.where(moved[1] == rows, moved[0], beyond)

    before, behind = shifted(kinds, -1, _MARK), shifted(kinds, 1, _MARK)
    space_before = shifted(codes, -1, 0) == ord(" ")
    one, two = shifted(codes, 1, 0), shifted(codes, 2, 0)
    apostrophe = (codes == ord("'")) & (before != OTHER) & ~space_before
    short = apostrophe & tf.reduce_any([one == letter for letter in _SHORT], 0)
    long = apostrophe & tf.reduce_any([(one == first) & (two == second) for first, second in _LONG], 0)
    contraction = tf.cast(short, tf.int32) * 2 + tf.cast(long, tf.int32) * 3
    inside = (shifted(contraction, -1, 0) > 0) | (shifted(contraction, -2, 0) == 3)
    after = (shifted(contraction, -2, 0) == 2) | (shifted(contraction, -3, 0) == 3)
    alike = (kinds == before) & (kinds != _MARK)
    last_space = (behind != SPACE) & (behind != _MARK)
    spaces = ~alike | last_space
    letters = ~alike & ~space_before
    begins = tf.where(kinds == SPACE, spaces, letters | (kinds == _MARK) | (before == _MARK))
    return (begins | after | (contraction > 0)) & ~inside


def _written_bytes() -> list[str]:
    """The character that stands for each byte in the vocabulary, as GPT-2 writes them."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(hidden)) for byte in range(256)]
