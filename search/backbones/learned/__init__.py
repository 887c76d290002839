"""Encoders learned from the training texts, over vectors of their own or those that published modules give."""
