"""Near duplicates between splits, which make a test score too good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

from search.datasets.content import content_of

Traits: TypeAlias = "sparse.csr_matrix | NDArray[np.uint64]"
"""What rows are compared by: the words of texts, or the difference hashes of pictures."""
SIMILARITY = 0.8
_MOST_BITS = 6
"""Of the 64 of two pictures' hashes that may differ: of different photos at 32 x 32 hardly two come so near."""
_WORDS = 2**20
_PRIME = 2**31 - 1
# Of two texts at SIMILARITY 0.995 meet in at least one band; of two at 0.5 less than a half.
_BANDS, _BAND = 10, 4
_CANDIDATES = 8
_CHUNK = 100_000


@dataclass(frozen=True)
class Twins:
    """The nearest text elsewhere of each text that has a near duplicate there, each array [k].

    Attributes:
        text: Positions of the texts, rising.
        twin: Positions of the other texts.
        similarity: Shared words over all words of both, from `SIMILARITY` to 1; of pictures the part of the bits of
            their hashes that agree.
    """

    text: NDArray[np.int64]
    twin: NDArray[np.int64]
    similarity: NDArray[np.float64]


def traits(rows: Sequence[Any]) -> Traits:
    """What texts, or pictures, are compared by."""
    if content_of(rows).has_words:
        return word_sets(rows)
    from search.datasets.images.alike import difference_hashes  # brings Pillow

    return difference_hashes(rows)


def together(one: Traits, other: Traits) -> Traits:
    """The traits of rows and of others below them."""
    return np.concatenate([one, other]) if isinstance(one, np.ndarray) else sparse.vstack([one, other], format="csr")


def near_duplicates(one: Traits, other: Traits) -> Twins:
    """Finds the rows of which another split holds all but the same.

    Args:
        one: The traits of the rows [n].
        other: Those of another split [m].
    """
    return _alike_pictures(one, other) if isinstance(one, np.ndarray) else _alike_texts(one, other)


def _alike_pictures(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> Twins:
    from search.datasets.images.alike import BITS, nearest_hashes

    nearest, differ = nearest_hashes(hashes, others)
    found = np.flatnonzero(differ <= _MOST_BITS)
    return Twins(found, nearest[found], 1 - differ[found] / BITS)


def _alike_texts(sets: sparse.csr_matrix, other_sets: sparse.csr_matrix) -> Twins:
    """Finds the texts whose words are all but those of another text, whatever their order, case and punctuation.

    Words are compared as sets, by Jaccard's similarity; candidates come from MinHash signatures in bands (Broder, 1997;
    Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3), so a few in a thousand pairs near the limit
    are missed.

    Args:
        sets: `word_sets` of the texts [n].
        other_sets: `word_sets` of the texts of another split [m].
    """
    best = np.zeros(sets.shape[0])
    twin = np.full(sets.shape[0], -1, np.int64)
    random = np.random.default_rng(0)
    for _ in range(_BANDS):
        factors, shifts = random.integers(1, _PRIME, (2, _BAND))
        keys, other_keys = _band_keys(sets, factors, shifts), _band_keys(other_sets, factors, shifts)
        for at, other in _candidates(keys, other_keys):
            similarity = _jaccard(sets, other_sets, at, other)
            better = similarity > best[at]
            best[at[better]], twin[at[better]] = similarity[better], other[better]
    found = np.flatnonzero(best >= SIMILARITY)
    return Twins(found, twin[found], best[found])


def word_sets(texts: Sequence[str]) -> sparse.csr_matrix:
    """The words of texts as a sparse matrix: a row for each text, 1 in the columns of its words, without links."""
    words = HashingVectorizer(
        preprocessor=_without_links,
        token_pattern=r"\w+",
        n_features=_WORDS,
        binary=True,
        norm=None,
        alternate_sign=False,
    )
    return words.transform(texts)


def _without_links(text: str) -> str:
    return " ".join(word for word in text.lower().split() if "://" not in word)


def _band_keys(sets: sparse.csr_matrix, factors: NDArray[np.int64], shifts: NDArray[np.int64]) -> NDArray[np.int64]:
    """A key for each text, equal for texts whose sets have the same minima under all hashes; -1 without words."""
    keys = np.full(sets.shape[0], -1, np.int64)
    for start in range(0, sets.shape[0], _CHUNK):
        part = sets[start : start + _CHUNK]
        filled = np.flatnonzero(np.diff(part.indptr))
        if not len(filled):
            continue
        key = np.zeros(len(filled), np.uint64)
        for factor, shift in zip(factors, shifts, strict=True):
            hashed = (part.indices.astype(np.int64) * factor + shift) % _PRIME
            smallest = np.minimum.reduceat(hashed, part.indptr[filled]).astype(np.uint64)
            key = key * np.uint64(0x9E3779B97F4A7C15) + smallest  # overflow is what mixes
        keys[start + filled] = (key >> np.uint64(1)).astype(np.int64)
    return keys


def _candidates(
    keys: NDArray[np.int64], other_keys: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of positions with the same key, the first few of each text."""
    order = np.argsort(other_keys, kind="stable")
    ranked = other_keys[order]
    first, end = np.searchsorted(ranked, keys), np.searchsorted(ranked, keys, side="right")
    pairs = []
    for step in range(_CANDIDATES):
        at = np.flatnonzero((first + step < end) & (keys >= 0))
        if len(at):
            pairs.append((at, order[first[at] + step]))
    return pairs


def _jaccard(
    sets: sparse.csr_matrix, other_sets: sparse.csr_matrix, at: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    shared = np.asarray(sets[at].multiply(other_sets[other]).sum(axis=1)).ravel()
    size, other_size = np.diff(sets.indptr)[at], np.diff(other_sets.indptr)[other]
    similarity: NDArray[np.float64] = shared / (size + other_size - shared)
    return similarity
