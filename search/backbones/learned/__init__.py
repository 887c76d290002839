"""Encoders learned from the training texts, over token vectors of their own or of published modules."""
