"""The names of token-level modules; without TensorFlow, for lists and reports."""

from __future__ import annotations

NOTE = "tokens.json"
"""The file of facts in the folder of a token-level module."""


def title_of_tokens(name: str) -> str:
    """The title of a token-level module in messages and lists, beside the module it was made from."""
    return f"{name}, tokens"
