"""Settings as they are typed, key=value, and the grammar in which Hydra reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from search.config import Config
from search.errors import InputError
from search.utils.paths import absolute_path

_FOLDERS_OF_HYDRA = ("hydra.run.dir", "hydra.sweep.dir")
_NULL = "null"
_KEY = re.compile(r"(\+\+?|~)?[A-Za-z_][\w./@:$\[\]-]*", re.ASCII)
_QUOTES = ("'", '"')
# Read as it is, in a list too, but for words such as true and nan.
_PLAIN = re.compile(r"[A-Za-z_/][\w./@+-]*", re.ASCII)


def readable(word: str, sweeps: bool = False) -> str:
    """Writes a setting so that Hydra reads the value as it was typed.

    Outside quotes Hydra's grammar knows only English letters, and gives spaces, parentheses, `~`, `;` and more a
    meaning of their own. Where the schema expects a plain string, every value is quoted, except `null` and what is
    quoted already, and lists where it takes those too; elsewhere only what Hydra cannot read is quoted, such as
    elements of a list.

    Args:
        word: `key=value`, as the shell passes it on.
        sweeps: Whether commas stand between the values of several runs.

    Returns:
        The setting in Hydra's grammar.

    Raises:
        InputError: The key is none, or the value is the folder of a run, and cannot be one.
    """
    key, equals, value = word.partition("=")
    name = key.lstrip("+~")
    if equals and not _KEY.fullmatch(key):
        raise InputError(f"'{word}' cannot be read: expected key=value, such as tuner.max_epochs=3.")
    if not equals or not value:
        return word
    if name in _FOLDERS_OF_HYDRA:
        return f"{key}={quoted(str(absolute_path(_unquoted(value), name)))}" if "${" not in value else word
    read = _read(word)
    if sweeps and read is not None and read.is_sweep_override():
        return word
    if (listed := _plain_settings().get(name)) is not None:
        parts = _split(value) if sweeps else [value]
        return f"{key}={','.join(_lenient(one) if listed and _is_list(one) else _as_typed(one) for one in parts)}"
    return word if read is not None else f"{key}={_lenient(value)}"


def quoted(text: str) -> str:
    """Puts a string in quotes of Hydra's: a backslash there escapes a quote, and itself only in front of one."""
    return "'" + re.sub(r"(\\*)('|\Z)", lambda end: end[1] * 2 + ("\\'" if end[2] else ""), text) + "'"


def literal(value: Any) -> str:
    """Writes a Python value in Hydra's grammar, without quotes where there is no need of them."""
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(literal, value))}]"
    if not isinstance(value, str | Path):
        return str(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and _is_itself(text) else quoted(text)


def columns_given(text: Any, label: Any) -> list[str]:
    """The settings that name the columns of a table which is given from Python.

    Args:
        text: The column of texts, or several; None: not given.
        label: The column of labels, or several of 0 and 1; None: not given.
    """
    given = {"dataset.text": text, "dataset.label" if _is_name(label) else "dataset.labels": label}
    listed = {key: one if _is_name(one) else list(one) for key, one in given.items() if one is not None}
    return [f"{key}={literal(one)}" for key, one in listed.items()]


def _is_name(given: Any) -> bool:
    """Whether a column is given, by its name or number, and no list of columns."""
    return isinstance(given, str) or not isinstance(given, Iterable)


def require_mapping(given: Any, name: str) -> None:
    """Checks settings that are given as a mapping from key to value.

    Raises:
        InputError: They are something else.
    """
    if not isinstance(given, Mapping):
        raise InputError(
            f"{name} is of type {type(given).__name__}: expected a mapping such as {{'tuner.max_epochs': 3}}."
        )


def setting(key: str, value: object) -> str:
    """Writes a plain string setting as a person would type it; `readable` reads the value back."""
    text = str(value)
    if "${" in text or text == _NULL or text.startswith(_QUOTES):
        text = quoted(text.replace("${", "\\${"))
    return f"{key}={text}"


def as_given(words: Iterable[str]) -> list[str]:
    """Settings as they were given on the command line, where a range that replaces another is two words to Hydra."""
    listed = list(words)
    removed = {word[1:] for word in listed if word.startswith("~") and "=" not in word}
    pairs = {key for key in removed if any(word.startswith(f"+{key}=") for word in listed)}
    kept = [word for word in listed if word[1:] not in pairs or not word.startswith("~")]
    return [word[1:] if word.startswith("+") and word[1:].partition("=")[0] in pairs else word for word in kept]


def typed(module: str, *words: str) -> str:
    """A command of this package, to paste into a shell.

    Args:
        module: The module that `python -m` runs.
        words: Its arguments.
    """
    return shlex.join(["python", "-m", module, *words])


@cache
def _plain_settings() -> dict[str, bool]:
    """The settings that are plain strings, and whether each may be a list of them instead."""
    return dict(_strings(Config, ""))


def _strings(schema: type, prefix: str) -> Iterator[tuple[str, bool]]:
    hints = get_type_hints(schema)
    for one in fields(schema):
        hint, listed = hints[one.name], one.metadata.get("plain", False)
        if listed or hint in (str, str | None):
            yield f"{prefix}{one.name}", listed
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _strings(hint, f"{prefix}{one.name}.")


def _read(word: str) -> Override | None:
    """An override as Hydra reads it; None where it cannot."""
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _as_typed(value: str) -> str:
    """A plain value, in quotes where Hydra would read something else."""
    return value if _is_itself(value) or value == _NULL or _is_quoted(value) else quoted(value)


def _is_itself(value: str) -> bool:
    """Whether Hydra reads a value as the string that it is."""
    read = _read(f"key={value}")
    return read is not None and isinstance(read.value(), str) and read.value() == value


def _is_quoted(value: str) -> bool:
    return value.startswith(_QUOTES) and _read(f"key={value}") is not None


def _unquoted(value: str) -> str:
    read = _read(f"key={value}") if value.startswith(_QUOTES) else None
    return value if read is None else str(read.value())


def _lenient(value: str) -> str:
    """A value that Hydra cannot read: a list of which some elements are put in quotes, or a string as a whole."""
    if not value.startswith(("[", "{")):
        return quoted(value)
    if not _is_list(value):
        return value
    elements = [one.strip() for one in _split(value[1:-1])]
    return f"[{','.join(one if _read(f'key={one}') is not None else _lenient(one) for one in elements)}]"


def _is_list(value: str) -> bool:
    return value.startswith("[") and value.endswith("]")


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no quotes and no brackets."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        elif letter in "[{(":
            depth += 1
        elif letter in ")}]":
            depth -= 1
        if letter == "," and not quote and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
