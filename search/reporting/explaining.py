"""The words that drive a model's predictions, found by leaving each out, since a module is a black box."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.text_columns import words_left_out

Classify = Callable[[Sequence[str], NDArray[Any] | None], NDArray[np.float64]]
Decide = Callable[[NDArray[np.float64]], NDArray[np.integer]]

_AT_ONCE = 2048
"""Texts that the model gets at once, those with a word left out among them."""
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True)
class Row:
    """A text to explain.

    Attributes:
        text: The text.
        beside: The columns beside it, structured [1], which stay as they are; None: there are none.
        of: Index of the class to explain; None: the one that is decided for.
    """

    text: str
    beside: NDArray[Any] | None = None
    of: int | None = None


@dataclass(frozen=True)
class Explained:
    """A text, the class that is explained, and the effect of each word.

    Attributes:
        text: The text.
        of: Index of the class.
        probability: The probability of that class.
        words: The words of the text, by white space.
        effects: By how much the probability falls where a word is left out, float64 [words]; below 0 it rises. NaN for
            words that were not tried.
    """

    text: str
    of: int
    probability: float
    words: list[str]
    effects: NDArray[np.float64]


def explained(
    rows: Iterable[Row], classify: Classify, decide: Decide, most_words: int, text_columns: int = 1
) -> Iterator[Explained]:
    """Leaves each word of each text out once (Li, Monroe & Jurafsky, 2016), and asks the model again.

    Args:
        rows: The texts.
        classify: Maps texts [n], and the columns beside them, to probabilities [n, classes].
        decide: Maps probabilities [n, classes] to the classes that a model decides for [n].
        most_words: Words of a text that are tried, the first ones.
        text_columns: Number of columns of texts, each of which has a line of a text.

    Yields:
        An explanation for each text.
    """
    waiting: list[tuple[Row, list[str], int]] = []
    asked: list[str] = []
    besides: list[NDArray[Any]] = []

    def answers() -> Iterator[Explained]:
        return _answers(waiting, classify(asked, np.concatenate(besides) if besides else None), decide)

    for row in rows:
        words, without = words_left_out(row.text, text_columns, most_words)
        waiting.append((row, words, len(without)))
        asked += [row.text, *without]
        if row.beside is not None:
            besides.append(np.repeat(row.beside, 1 + len(without)))
        if len(asked) >= _AT_ONCE:
            yield from answers()
            waiting, asked, besides = [], [], []
    if asked:
        yield from answers()


def _answers(
    waiting: Iterable[tuple[Row, list[str], int]],
    probabilities: NDArray[np.float64],
    decide: Decide,
) -> Iterator[Explained]:
    at = 0
    for row, words, tried in waiting:
        own = probabilities[at : at + 1 + tried]
        of = int(decide(own[:1])[0]) if row.of is None else row.of
        effects = np.full(len(words), np.nan)
        effects[:tried] = own[0, of] - own[1:, of]
        yield Explained(row.text, of, float(own[0, of]), words, effects)
        at += 1 + tried


@dataclass(frozen=True)
class Word:
    """A word over many texts.

    Attributes:
        word: In lower case, without punctuation around.
        effect: Its mean effect.
        texts: The number of texts that it was tried in.
    """

    word: str
    effect: float
    texts: int


def words_of_classes(found: Iterable[Explained], least: int) -> Mapping[int, list[Word]]:
    """The mean effect of each word on the class that was explained.

    Args:
        found: The explanations of many texts.
        least: The number of texts that a word must stand in.

    Returns:
        Class to its words, those that speak most for it first.
    """
    effects: dict[int, dict[str, list[float]]] = {}
    for one in found:
        in_text: dict[str, float] = {}
        for word, effect in zip(one.words, one.effects.tolist(), strict=True):
            if (plain := _EDGES.sub("", word).lower()) and effect == effect:
                in_text[plain] = in_text.get(plain, 0.0) + effect
        of_class = effects.setdefault(one.of, {})
        for word, effect in in_text.items():
            of_class.setdefault(word, []).append(effect)
    return {
        k: sorted(
            (Word(word, sum(each) / len(each), len(each)) for word, each in words.items() if len(each) >= least),
            key=lambda word: -word.effect,
        )
        for k, words in sorted(effects.items())
    }
