"""What modules of tokens are called; without TensorFlow, for those who list or report them."""

from __future__ import annotations

from collections.abc import Iterable

NOTE = "tokens.json"
"""In the folder of a module that `token_module` made: what it holds."""

_SUFFIX = ", tokens"


def tokens_key(name: str) -> str:
    """What the tokens of a module are called among other modules, by the name that `space.embedding` calls it."""
    return f"{name}{_SUFFIX}"


def is_tokens_key(key: str) -> bool:
    """Whether `tokens_key` gave this."""
    return key.endswith(_SUFFIX)


def token_level(keys: Iterable[str]) -> list[str]:
    """The names that `tokens_key` was given for those of the keys that it made."""
    return [key.removesuffix(_SUFFIX) for key in keys if is_tokens_key(key)]
