"""Turns the command line of `python -m search` into what Hydra can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser
from hydra.errors import ConfigCompositionException

from search.errors import InputError
from search.utils.overrides import readable
from spaces import SETTINGS

_FLAGS_WITH_VALUE = {
    "--config-dir",
    "-cd",
    "--config-name",
    "-cn",
    "--config-path",
    "-cp",
    "--package",
    "-p",
    "--cfg",
    "-c",
}


def flags_first(arguments: list[str]) -> list[str]:
    """Puts Hydra's flags before the overrides, which must not be interrupted by flags."""
    flags: list[str] = []
    overrides: list[str] = []
    rest = iter(arguments)
    sweeps = not {"-m", "--multirun", "hydra.mode=MULTIRUN"}.isdisjoint(arguments)
    for argument in rest:
        if argument.startswith("-"):
            flags.append(argument)
            if argument in _FLAGS_WITH_VALUE:
                flags.extend(value for value in [next(rest, None)] if value is not None)
        else:
            overrides.extend(replacing(readable(argument, sweeps)))
    words = [*flags, *overrides]
    _check_flags(words)
    return words


def _check_flags(words: Sequence[str]) -> None:
    """Checks Hydra's flags, for which Hydra would print its usage or a traceback."""

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message}: python -m search --hydra-help lists the flags.")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    given = parser.parse_args(words)
    modes = [mode for mode in ("run", "multirun", "cfg", "info", "shell_completion") if getattr(given, mode)]
    if len(modes) > 1:
        refuse(f"--{' and --'.join(modes)} exclude each other")
    for flag in ("resolve", "package"):
        if getattr(given, flag) and not given.cfg:
            refuse(f"--{flag} is for --cfg")


def adding_absent(error: ConfigCompositionException, words: list[str]) -> list[str]:
    """Adds to the overrides a setting of the space that the chosen YAML file leaves out.

    Args:
        error: Hydra's error about the setting.
        words: The overrides.

    Raises:
        ConfigCompositionException: The error is about something else.
    """
    absent = re.match(r"Could not (?:delete from config\. |override )'space\.(\w+)'", str(error))
    if absent is None or absent[1] not in SETTINGS:
        raise error
    key = f"space.{absent[1]}"
    changed = [f"+{word}" if word.startswith(f"{key}=") else word for word in words if word != f"~{key}"]
    if changed == words:
        raise error
    return changed


def replacing(argument: str) -> list[str]:
    """Makes a list or mapping for a parameter of the space replace the range in the YAML file.

    Hydra would merge the two, and fail where one is a list and the other a mapping.
    """
    if re.match(r"space\.[^.=]+=[\[{]", argument):
        key = argument.partition("=")[0]
        return [f"~{key}", f"+{argument}"]
    return [argument]
