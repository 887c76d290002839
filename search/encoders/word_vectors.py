"""The table of a module of word vectors, as the start of an embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.embedding.load import published
from search.errors import InputError
from spaces import LEARNED, TextClassifierSpace


def check_embeddings(space: TextClassifierSpace, modules: Mapping[str, Path]) -> None:
    """Makes sure that every module that an embedding may start from is one of word vectors.

    Raises:
        InputError: One is not.
    """
    for name in space["embedding"].options or () if "embedding" in space else ():
        if name != LEARNED:
            WordVectors(modules[str(name)], str(name))


class WordVectors:
    """The words and vectors of a module.

    Args:
        folder: Its SavedModel: one table with a row for each line of a list of words, and maybe some for all others.
        name: What messages call it.

    Raises:
        InputError: It cannot be loaded, or is no such module.
    """

    def __init__(self, folder: Path, name: str) -> None:
        module = published(folder, name)
        tables = [one for one in module.variables if one.shape.rank == 2]
        lists = [path for path in (folder / "assets").glob("*") if path.is_file()]
        words: list[str] = []
        if len(module.variables) == len(tables) == len(lists) == 1:
            words = lists[0].read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")
        if not words or len(words) > tables[0].shape[0]:
            raise InputError(
                f"space.embedding=[{name}]: expected a module of word vectors, such as glove-50 or one that "
                "python -m search.modules export made; this one is not a list of words and a table of their vectors."
            )
        self._rows = {word: row for row, word in enumerate(words)}
        self._table: NDArray[np.float32] = np.asarray(tables[0].numpy(), np.float32)
        # What the module itself gives for words that it does not know, where it says.
        others = self._table[len(words) :]
        self._others = (others if len(others) else self._table).mean(axis=0)

    def table(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """Vectors for tokens.

        Args:
            tokens: That of padding first; those of several words are split at white space.

        Returns:
            float32 [tokens, dim]: zeros for padding; the mean over the words of a token that the module has; where it
            has none, what stands for words it does not know, or else the mean of its vectors.
        """
        found = np.zeros((len(tokens), len(self._others)), np.float32)
        for i, token in enumerate(tokens[1:], 1):
            rows = [self._rows[word] for word in token.split() if word in self._rows]
            found[i] = self._table[rows].mean(axis=0) if rows else self._others
        return found
