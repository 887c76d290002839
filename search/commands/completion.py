"""Tab completion of the console script `search`: commands, settings, and the values that a setting may have."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, get_type_hints

SHELLS = ("bash", "zsh", "fish")
ASKED = "--complete"
"""The word with which the shell asks for completions; the words of the line follow, the last one unfinished."""

# The shell breaks words at =, and the script gets whole ones: what stands before the last = is taken off again.
_BASH = """_search() {
  local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\\n'
  local word="${line##* }" words
  IFS=' ' read -r -a words <<< "$line"
  [[ "$line" == *' ' ]] && words+=("")
  COMPREPLY=($(search --complete "${words[@]:1}" 2>/dev/null))
  [[ "${COMPREPLY[0]}" == *[=.] ]] && compopt -o nospace
  local before="${word%"${word##*=}"}"
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o default -F _search search"""
_SCRIPTS = {
    "bash": _BASH,
    "zsh": f"autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n{_BASH}",
    "fish": "complete -c search -f -a '(search --complete (commandline -opc)[2..] (commandline -ct))'",
}
_FLAGS = ("--help", "--version", "--cfg", "--multirun", "--config-dir")


def script(shell: str) -> str:
    """The lines that a shell reads to complete `search`."""
    return _SCRIPTS[shell]


def completions(words: list[str], commands: Mapping[str, tuple[str, str]]) -> list[str]:
    """The words that the last one may become.

    Args:
        words: The words behind `search`, the last one as far as it was typed.
        commands: Name of each command to its module and its help.
    """
    word = words[-1] if words else ""
    if len(words) < 2:
        found: Iterable[str] = (*commands, "completion", "--help", "--version")
    elif words[0] == "completion":
        found = SHELLS
    elif words[0] == "run":
        found = _of_settings(word)
    elif words[0] in commands:
        found = _of_help(commands[words[0]][0])
    else:
        found = ()
    return sorted({one for one in found if one.startswith(word)})


def _of_help(module: str) -> Iterator[str]:
    """The arguments and the subcommands that the help of a command lists."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        import_module(module).main(["--help"])
    yield "--help"
    yield from re.findall(r"^ {4}([a-z]+) {2,}\w", printed.getvalue(), re.MULTILINE)
    for name, choices in re.findall(r"^  ([a-z_.]+)=(\S*)", printed.getvalue(), re.MULTILINE):
        yield f"{name}="
        if name == "run":
            yield "run=latest"
        if "|" in choices:
            yield from (f"{name}={one}" for one in choices.split("|"))


def _of_settings(word: str) -> Iterator[str]:
    """The settings of a search, one level at a time, and the values of those with a few."""
    from search.config import Config, configuration_folder
    from spaces import SETTINGS

    yield from _FLAGS
    yield "resume=latest"
    for group in ("dataset", "experiment", "tuner", "space"):
        yield f"{group}="
        for file in (configuration_folder() / group).glob("*.yaml"):
            yield f"{group}={file.stem}"
    every = {**dict(_leaves(Config, "")), **{f"space.{name}": () for name in SETTINGS}}
    for key, values in every.items():
        if word.startswith(f"{key}="):
            yield from (f"{key}={value}" for value in values)
        group, dot, _ = key.partition(".")
        yield f"{key}=" if not dot or word.startswith(f"{group}.") else f"{group}."


def _leaves(schema: type, prefix: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each setting below a dataclass, with its values where there are few."""
    hints = get_type_hints(schema)
    for one in fields(schema):
        kind, key = hints[one.name], f"{prefix}{one.name}"
        if is_dataclass(kind) and isinstance(kind, type):
            yield from _leaves(kind, f"{key}.")
        elif key != "space":
            values = ("true", "false") if kind is bool else one.metadata.get("names", ())
            yield key, tuple(values)


def answer(words: list[str], commands: Mapping[str, tuple[str, str]]) -> int:
    """Prints the completions, a line each; returns the exit code."""
    sys.stdout.writelines(f"{one}\n" for one in completions(words, commands))
    return 0
