"""The names of modules of tokens; without TensorFlow, for those who list or report them."""

from __future__ import annotations

NOTE = "tokens.json"
"""In the folder of a module that `token_module` made: what it holds."""


def title_of_tokens(name: str) -> str:
    """The title of a module's tokens in messages and lists, where the module itself may stand beside them."""
    return f"{name}, tokens"
