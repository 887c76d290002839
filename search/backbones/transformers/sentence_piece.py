"""Files of SentencePiece: models in the format of protocol buffers, and what their normalizer replaces.

Kudo and Richardson, SentencePiece, 2018, https://arxiv.org/abs/1808.06226. The fields are those of its
sentencepiece_model.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

UNIGRAM = 1
"""The kind of models that choose the most probable pieces, Kudo 2018, https://arxiv.org/abs/1804.10959."""
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_PIECE, _SCORE, _TYPE = 1, 2, 3
_MODEL_TYPE, _CHARSMAP = 3, 2
_UNKNOWN = 2
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class SentencePieceModel:
    """A model.

    Attributes:
        kind: Such as `UNIGRAM`.
        pieces: Each piece with its score, the logarithm of its probability.
        charsmap: What the normalizer replaces, in SentencePiece's format.
    """

    kind: int
    pieces: tuple[tuple[str, float], ...]
    charsmap: bytes


def parse_model(content: bytes) -> SentencePieceModel:
    """Reads a model.

    Raises:
        ValueError: It is damaged.
    """
    kind, pieces, charsmap = UNIGRAM, [], b""
    for field, value in _fields(content):
        if field == _PIECES:
            parts = dict(_fields(_message(value)))
            (score,) = struct.unpack("<f", _message(parts.get(_SCORE, b"\0\0\0\0")))
            pieces.append((_message(parts[_PIECE]).decode(), float(score)))
        elif field == _TRAINER:
            kind = int(dict(_fields(_message(value))).get(_MODEL_TYPE, UNIGRAM))
        elif field == _NORMALIZER:
            charsmap = _message(dict(_fields(_message(value))).get(_CHARSMAP, b""))
    if not pieces:
        raise ValueError("no pieces")
    return SentencePieceModel(kind, tuple(pieces), charsmap)


def unigram_model(pieces: Sequence[tuple[str, float]], unknown: str) -> bytes:
    """Writes a model that cuts words as they are, without a normalizer.

    Args:
        pieces: Each piece with its score.
        unknown: What stands for characters of no piece, itself found in no text; its number follows the pieces'.
    """
    options = b"".join(_varint(number << 3 | _VARINT) + b"\0" for number in (3, 4, 5))
    written = [_field(_PIECES, _field(_PIECE, piece.encode()) + _score(score)) for piece, score in pieces]
    last = _field(_PIECE, unknown.encode()) + _score(0.0) + _varint(_TYPE << 3 | _VARINT) + _varint(_UNKNOWN)
    return b"".join([*written, _field(_PIECES, last), _field(_NORMALIZER, options)])


def replaced_by(charsmap: bytes, longest: int) -> dict[bytes, bytes]:
    """Says by what a normalizer replaces characters and sequences of them.

    Args:
        charsmap: In SentencePiece's format: the length of a double array (Aoe 1989), the array, and the texts that it
            leads to, each with a zero behind.
        longest: Sequences of so many bytes and fewer are given.

    Raises:
        ValueError: It is damaged.
    """
    if len(charsmap) < 4:
        return {}
    size = int.from_bytes(charsmap[:4], "little")
    if size % 4 or size < 4 or 4 + size > len(charsmap):
        raise ValueError(f"a normalizer of {size} in {len(charsmap)} bytes")
    units, texts = np.frombuffer(charsmap[4 : 4 + size], "<u4").astype(np.int64), charsmap[4 + size :]
    bytes_ = np.arange(1, 256)
    found: dict[bytes, bytes] = {}
    prefixes, nodes = [b""], np.zeros(1, np.int64)
    for _ in range(longest):
        nodes = nodes ^ _offsets(units[nodes])
        children = nodes[:, np.newaxis] ^ bytes_
        there = (children < len(units)) & (units[np.minimum(children, len(units) - 1)] & 0x800000FF == bytes_)
        parent, byte = np.nonzero(there)
        nodes = children[there]
        prefixes = [prefixes[one] + bytes([bytes_[other]]) for one, other in zip(parent, byte, strict=True)]
        leaves = nodes ^ _offsets(units[nodes])
        for place in np.flatnonzero(units[nodes] >> 8 & 1):
            begin = int(units[leaves[place]]) & 0x7FFFFFFF
            found[prefixes[place]] = texts[begin : texts.index(b"\0", begin)]
    return found


def _offsets(units: np.ndarray) -> np.ndarray:
    return (units >> 10) << ((units & 0x200) >> 6)


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(content):
        key, place = _read_varint(content, place)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _read_varint(content, place)
            yield field, value
            continue
        size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire)
        if wire == _BYTES:
            size, place = _read_varint(content, place)
        if size is None or place + size > len(content):
            raise ValueError(f"field {field} of wire type {wire} at byte {place}")
        yield field, content[place : place + size]
        place += size


def _read_varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(content) and shift < 64:
        byte = content[place]
        value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
        if byte < 0x80:
            return value, place
    raise ValueError(f"a number without an end at byte {place}")


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a text should be")
    return value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _score(value: float) -> bytes:
    return _varint(_SCORE << 3 | _FOUR_BYTES) + struct.pack("<f", value)
