"""Words and word pairs of the training texts, and what they weigh in others."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from search.evaluation.word_pairs import words_and_pairs
from search.models.wide.linear_words import LinearWords

# Stands where the training texts have no words: no text has this one.
_NO_TERM = ""


class Words:
    """Learns the vocabulary and its inverse document frequencies when it is first asked, as the baseline does.

    Args:
        texts: Those of the training split, strings [n]: what is learned follows from them and no others.
    """

    def __init__(self, texts: NDArray[np.object_]) -> None:
        self._texts = texts
        # By identity; the texts are kept so that no others can take theirs.
        self._matrices: dict[int, tuple[NDArray[np.object_], csr_array]] = {}
        self._others: dict[int, Words] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process learns them anew: what is kept here hangs on identities of this one.
        return Words, (self._texts,)

    def learning_from(self, texts: NDArray[np.object_]) -> Words:
        """The words of other training texts [n], the same ones for all who ask with these."""
        # Each holds on to its texts: their identity is theirs alone.
        return self if texts is self._texts else self._others.setdefault(id(texts), Words(texts))

    def matrix(self, texts: NDArray[np.object_]) -> csr_array:
        """TF-IDF of texts [n], float64 [n, terms], each row of length 1 or 0; kept for all who ask with these."""
        known = self._vectorizer  # keeps the matrix of the training texts, which are counted to learn it
        if id(texts) not in self._matrices:
            made = csr_array((len(texts), 1)) if known is None else csr_array(known.transform(texts))
            self._matrices[id(texts)] = (texts, made)
        return self._matrices[id(texts)][1]

    @property
    def terms(self) -> list[str]:
        """All terms, in the order of the columns."""
        known = self._vectorizer
        return [_NO_TERM] if known is None else known.get_feature_names_out().tolist()

    @property
    def idf(self) -> NDArray[np.float32]:
        """The inverse document frequency of each term."""
        known = self._vectorizer
        return np.ones(1, np.float32) if known is None else known.idf_.astype(np.float32)

    def layer(self, classes: int) -> LinearWords:
        """A linear layer above the TF-IDF of texts, its weights zero."""
        return LinearWords.over(self.terms, self.idf, classes)

    @cached_property
    def _vectorizer(self) -> TfidfVectorizer | None:
        """Fitted; None where there are no words."""
        # In few texts hardly a word stands twice.
        for settings in ({}, {"min_df": 1}):
            vectorizer: Any = words_and_pairs().set_params(**settings)
            try:
                self._matrices[id(self._texts)] = (self._texts, csr_array(vectorizer.fit_transform(self._texts)))
                return vectorizer
            except ValueError as error:  # its way to say so
                if "empty vocabulary" not in str(error) and "no terms remain" not in str(error):
                    raise
        return None
