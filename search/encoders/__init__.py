"""Encoders learned from the training texts alone, beside the published modules."""

from search.encoders.encoders import Encoders
from search.encoders.network import EMBEDDING
from search.encoders.word_vectors import check_embeddings

__all__ = ["EMBEDDING", "Encoders", "check_embeddings"]
