"""Normalizers of the `tokenizers` library as operations of TensorFlow: from strings to strings."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from search.backbones.transformers.characters import AS_IT_IS, WHITE_SPACE, CharacterTable
from search.backbones.transformers.marks import joining_characters, undecomposed, young_accents
from search.backbones.transformers.sentence_piece import replaced_by

Step = Callable[[tf.Tensor], tf.Tensor]
# The library looks for shorter clusters as a whole, and for the characters of longer ones each.
_LONGEST = 5
_JOINING, _CONTROL, _LEADING = 1, 2, 3
_ASSIGNED = (*range(0x30000), *range(0xE0000, 0xE1000))


def normalizing(settings: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Makes the steps that tokenizer.json lists.

    Args:
        settings: Of those kinds that `tokenizer_files` lets pass.
    """
    steps: list[Step] = []
    by_character: list[str] = []
    for one in (*settings, {"type": ""}):
        kind = str(one["type"])
        if kind in PER_CHARACTER:
            by_character.append(kind)
            continue
        if by_character:
            steps.append(_of_characters(tuple(by_character)))
            by_character = []
        if kind == "Precompiled" and one.get("precompiled_charsmap"):
            steps.append(Precompiled(base64.b64decode(one["precompiled_charsmap"])))
        elif kind == "Replace":
            pattern = one["pattern"]
            expression = pattern["Regex"] if "Regex" in pattern else re.escape(pattern["String"])
            steps.append(_replacing(expression, one["content"].replace("\\", r"\\")))
        elif kind == "Strip":
            sides = [f"^[{WHITE_SPACE}]+"] * bool(one["strip_left"]) + [f"[{WHITE_SPACE}]+$"] * bool(one["strip_right"])
            steps += [_replacing("|".join(sides), "")] * bool(sides)
    return steps


def _replacing(expression: str, by: str) -> Step:
    return lambda texts: tf.strings.regex_replace(texts, expression, by)


class _Characters:
    """Replaces each character by a text of its own."""

    def __init__(self, replacements: Mapping[int, str]) -> None:
        texts = {"": 1} | {text: 2 + place for place, text in enumerate(sorted({*replacements.values()} - {""}))}
        self._table = CharacterTable.with_entries({code: texts[text] for code, text in replacements.items()})
        self._texts = ["", *texts]

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        characters = tf.strings.unicode_split(texts, "UTF-8")
        entries = self._table.of_codes(tf.strings.unicode_decode(characters.values, "UTF-8").values)
        changed = tf.where(entries == AS_IT_IS, characters.values, tf.gather(self._texts, entries))
        return _joined(changed, characters, texts)


def _joined(parts: tf.Tensor, characters: tf.RaggedTensor, texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.unsorted_segment_join(parts, characters.value_rowids(), tf.size(texts))


@cache
def _of_characters(kinds: tuple[str, ...]) -> _Characters:
    replacements = {}
    for code in _ASSIGNED:
        character = text = chr(code)
        for kind in kinds if unicodedata.category(character) not in ("Cn", "Cs", "Co") else ():
            text = PER_CHARACTER[kind](text)
        if text != character:
            replacements[code] = text
    return _Characters(replacements)


def _decomposed(text: str) -> str:
    """Compatibility decomposition, as Unicode had it when the library's tables were made."""
    return text if ord(text) in undecomposed() else unicodedata.normalize("NFKD", text)


def _without_accents(text: str) -> str:
    return "".join(one for one in text if unicodedata.category(one)[0] != "M" or ord(one) in young_accents())


def _small(text: str) -> str:
    return "".join(one.lower() for one in text)


PER_CHARACTER: Mapping[str, Callable[[str], str]] = {
    "NFKD": _decomposed,
    "StripAccents": _without_accents,
    "Lowercase": _small,
}
"""Normalizers that look at one character at a time; NFKD does where accents leave behind it."""


class Precompiled:
    """SentencePiece's normalizer as the library applies it.

    It looks for each cluster of characters that are seen as one, if that is short; where the table has what a cluster
    begins with, all of the cluster is replaced. Otherwise it looks for each character.

    Args:
        charsmap: In SentencePiece's format.
    """

    def __init__(self, charsmap: bytes) -> None:
        replaced = replaced_by(charsmap, _LONGEST)
        self._texts = [b"", *sorted({*replaced.values()})]
        places = {text: place for place, text in enumerate(self._texts) if place}
        joining, control, leading = joining_characters()
        entries = dict.fromkeys(joining, _JOINING) | dict.fromkeys(control, _CONTROL) | dict.fromkeys(leading, _LEADING)
        for key, text in replaced.items():
            if len(character := key.decode(errors="ignore")) == 1:
                entries[ord(character)] = entries.get(ord(character), 0) + 4 * places[text]
        self._table = CharacterTable.with_entries(entries)
        keys = sorted((_number(key), places[text]) for key, text in replaced.items())
        self._keys = np.array([key for key, _ in keys] or [-1], np.int64)
        self._values = np.array([value for _, value in keys] or [0], np.int32)

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalizes strings [batch]."""
        characters = tf.strings.unicode_split(texts, "UTF-8")
        codes = tf.strings.unicode_decode(characters.values, "UTF-8").values
        entries = self._table.of_codes(codes)
        chosen = entries // 4
        first = tf.logical_not(_joins(codes, entries % 4, characters))
        cluster = tf.cumsum(tf.cast(first, tf.int32)) - 1
        count = tf.reduce_max(tf.concat([cluster, [-1]], 0)) + 1
        size = tf.math.unsorted_segment_sum(tf.strings.length(characters.values), cluster, count)
        some = tf.math.unsorted_segment_sum(tf.ones_like(cluster), cluster, count) > 1
        short = tf.where(some & (size <= _LONGEST))[:, 0]
        inside = tf.gather(some & (size <= _LONGEST), cluster)
        # The place of each short cluster among them; the others' characters do not come so far.
        place = tf.cumsum(tf.cast(some & (size <= _LONGEST), tf.int32)) - 1
        written = tf.strings.unsorted_segment_join(
            tf.boolean_mask(characters.values, inside),
            tf.gather(place, tf.boolean_mask(cluster, inside)),
            tf.size(short),
        )
        of_cluster = tf.tensor_scatter_nd_update(
            tf.zeros([count], tf.int32), short[:, tf.newaxis], self._found(written)
        )
        whole = tf.gather(of_cluster, cluster)
        parts = tf.where(chosen == AS_IT_IS, characters.values, tf.gather(self._texts, chosen))
        parts = tf.where(whole == 0, parts, tf.where(first, tf.gather(self._texts, whole), b""))
        return _joined(parts, characters, texts)

    def _found(self, written: tf.Tensor) -> tf.Tensor:
        """Places of the texts for the shortest beginnings that the table has, 0 where it has none, int32 [clusters]."""
        raw = tf.cast(tf.io.decode_raw(written, tf.uint8, fixed_length=_LONGEST), tf.int64)
        found = tf.zeros_like(raw[:, 0], tf.int32)
        number = tf.zeros_like(raw[:, 0])
        for byte in range(_LONGEST):
            number += raw[:, byte] * 256 ** (_LONGEST - 1 - byte)
            place = tf.minimum(tf.searchsorted(self._keys, number), len(self._keys) - 1)
            here = (tf.gather(self._keys, place) == number) & (found == 0)
            found = tf.where(here, tf.gather(self._values, place), found)
        return found


def _number(key: bytes) -> int:
    return int.from_bytes(key.ljust(_LONGEST, b"\0"), "big")


def _joins(codes: tf.Tensor, kinds: tf.Tensor, characters: tf.RaggedTensor) -> tf.Tensor:
    """Whether each character joins the one before it, in short clusters: https://unicode.org/reports/tr29."""
    rows = characters.value_rowids()
    before = tf.concat([[_CONTROL], kinds[:-1]], 0)
    joined = ((kinds == _JOINING) & (before != _CONTROL)) | ((before == _LEADING) & (kinds != _CONTROL))
    lines = (codes == ord("\n")) & (tf.concat([[0], codes[:-1]], 0) == ord("\r"))
    return (joined | lines) & (tf.concat([[-1], rows[:-1]], 0) == rows)
