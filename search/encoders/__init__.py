"""Encoders learned from the training texts, beside the published modules or over the vectors that these give."""

from search.encoders.encoders import Encoders
from search.encoders.network import EMBEDDING
from search.encoders.sources import resolve_embeddings

__all__ = ["EMBEDDING", "Encoders", "resolve_embeddings"]
