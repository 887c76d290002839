"""How words are counted, wherever they are: by the baseline of logistic regression, and beside a head."""

from __future__ import annotations

from sklearn.feature_extraction.text import TfidfVectorizer


def words_and_pairs() -> TfidfVectorizer:
    """TF-IDF of words and pairs of neighbouring words that stand in two texts at least, of sublinear frequencies."""
    # Fixed for every data set: at or above the defaults on most short texts, and several times faster to fit on.
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
