"""Encoders learned from the training texts, beside the published modules or over the vectors that these give."""

from search.backbones.learned.encoders import Encoders
from search.backbones.learned.network import EMBEDDING
from search.backbones.learned.sources import resolve_embeddings

__all__ = ["EMBEDDING", "Encoders", "resolve_embeddings"]
