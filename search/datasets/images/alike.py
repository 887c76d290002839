"""Pictures that look alike, by what hardly changes when one is stored anew, scaled or brightened."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search.datasets.images.normalise import quietly

BITS = 64
_ROWS, _COLUMNS = 8, 9
_AT_ONCE = 1 << 22
"""Pairs of pictures that are compared at once."""


def difference_hashes(pictures: Sequence[bytes]) -> NDArray[np.uint64]:
    """The difference hashes of pictures [n]: for 8 x 8 places whether the next one to the right is darker.

    It is 0 of a picture without any such place, such as one of a single colour: such pictures have nothing to be
    compared by.
    """
    with quietly():
        return np.array([_hash(picture) for picture in pictures], np.uint64)


def nearest_hashes(
    hashes: NDArray[np.uint64], others: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The most alike of other pictures for each, and how many of the 64 bits differ, int64 [n] each; 64 without any."""
    nearest, distance = np.zeros(len(hashes), np.int64), np.full(len(hashes), BITS, np.int64)
    comparable = np.flatnonzero(others)
    step = max(1, _AT_ONCE // max(1, len(comparable)))
    for start in range(0, len(hashes) if len(comparable) else 0, step):
        some = hashes[start : start + step]
        differ = np.bitwise_count(some[:, None] ^ others[comparable])
        best = differ.argmin(axis=1)
        nearest[start : start + step] = comparable[best]
        distance[start : start + step] = np.where(some == 0, BITS, differ[np.arange(len(some)), best])
    return nearest, distance


def _hash(picture: bytes) -> int:
    with Image.open(io.BytesIO(picture)) as image:
        small = np.asarray(image.convert("L").resize((_COLUMNS, _ROWS), Image.Resampling.BOX), np.int16)
    return int.from_bytes(np.packbits(small[:, 1:] < small[:, :-1]).tobytes(), "big")
