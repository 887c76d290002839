"""The table of a module of word vectors, from which an embedding starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.load import published
from search.errors import InputError


class WordVectors:
    """The words and vectors of a module.

    Args:
        words: Distinct words.
        table: Their vectors, perhaps with rows for all other words, float32 [words or more, dim].
    """

    def __init__(self, words: Sequence[str], table: NDArray[np.float32]) -> None:
        self._rows = {word: row for row, word in enumerate(words)}
        self._table = table
        # What the module itself gives for words that it does not know, where it says.
        others = table[len(words) :]
        self._others = (others if len(others) else table).mean(axis=0)

    @classmethod
    def of(cls, folder: Path, name: str) -> WordVectors | None:
        """Reads the word vectors of a SavedModel that is a table with a row for each line of a list of words.

        Args:
            folder: The SavedModel.
            name: Its name in messages.

        Returns:
            The word vectors; None for another kind of module, or one that does not embed texts by itself.
        """
        lists = [path for path in (folder / "assets").glob("*") if path.is_file()]
        if len(lists) != 1:
            return None
        try:
            variables = published(folder, name).variables
        except InputError:
            return None
        if len(variables) != 1 or variables[0].shape.rank != 2:
            return None
        words = lists[0].read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")
        if len(words) > variables[0].shape[0]:
            return None
        return cls(words, np.asarray(variables[0].numpy(), np.float32))

    def table(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """Vectors for tokens.

        Args:
            tokens: Tokens, padding first; those of several words are split at white space.

        Returns:
            float32 [tokens, dim]: zeros for padding, and the mean over those words of a token that the module knows; if
            it knows none, its vector for unknown words, or else the mean of its vectors.
        """
        found = np.zeros((len(tokens), len(self._others)), np.float32)
        for i, token in enumerate(tokens[1:], 1):
            rows = [self._rows[word] for word in token.split() if word in self._rows]
            found[i] = self._table[rows].mean(axis=0) if rows else self._others
        return found
