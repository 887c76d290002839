"""Composes the configuration with Hydra, runs the job and turns what goes wrong into a line and an exit code."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from search.config import Config, checked, configuration_folder, register
from search.errors import InputError, SearchError, nearest
from search.files import refusal
from search.interrupts import noted_interrupts
from search.resume import resumed
from spaces import SETTINGS, SpaceError

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
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


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m search`.

    Args:
        arguments: The command line without the program's name: Hydra's flags and overrides, and `-v`.

    Returns:
        The exit code: 0, 1 if a search failed, 2 for bad input, 130 after Ctrl-C. Of several runs the highest.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a class name's letters is no reason to stop.
            stream.reconfigure(errors="replace")
    verbose = "-v" in arguments
    sys.argv = ["search", *_flags_first([argument for argument in arguments if argument != "-v"])]
    codes = [0]

    def job(node: DictConfig) -> None:
        with _reported(codes):
            _run(node, verbose)

    register()
    # Hydra prints errors in several lines of its own unless it is told to raise them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(job)
    terminated = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _reported(codes):
            _compose_and(command)
    except KeyboardInterrupt as interrupt:
        codes.append(_said(str(interrupt) or "Interrupted.", INTERRUPTED))
    finally:
        signal.signal(signal.SIGTERM, terminated)
    return max(codes)


def _flags_first(arguments: list[str]) -> list[str]:
    """Puts Hydra's flags before the overrides, which it reads only where they stand in a row."""
    flags: list[str] = []
    overrides: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-"):
            flags.append(argument)
            if argument in _FLAGS_WITH_VALUE:
                flags.extend(value for value in [next(rest, None)] if value is not None)
        else:
            overrides.extend(_replacing(argument))
    return [*flags, *overrides]


def _compose_and(command: Callable[[], Any]) -> None:
    """Runs the command; a setting of the space that the chosen YAML file leaves out is added to it."""
    while True:
        try:
            command()
            return
        except ConfigCompositionException as error:
            absent = re.match(r"Could not (?:delete from config\. |override )'space\.(\w+)'", str(error))
            if absent is None or absent[1] not in SETTINGS:
                raise
            key = f"space.{absent[1]}"
            changed = [f"+{word}" if word.startswith(f"{key}=") else word for word in sys.argv if word != f"~{key}"]
            if changed == sys.argv:
                raise
            sys.argv = changed


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _run(node: DictConfig, verbose: bool) -> None:
    hydra_config = HydraConfig.get()
    output = made = _from_here(Path(hydra_config.runtime.output_dir))
    overrides = list(hydra_config.overrides.task)
    with noted_interrupts() as interrupted:
        try:
            if node.resume is not None:
                output = Path(node.resume)
                node = resumed(node, overrides)
            config = checked(node)
            # Imported only now: --help and --cfg answer without pandas.
            from search import pipeline

            catalogs = [Path(one.path) for one in hydra_config.runtime.config_sources if one.schema == "file"]
            pipeline.run(config, node, overrides, output, catalogs, verbose)
        except (KeyboardInterrupt, Exception) as error:
            has_begun = (output / ".hydra").is_dir()
            if isinstance(error, KeyboardInterrupt) or interrupted():
                told = f"Interrupted. Go on with: {_going_on(output)}" if has_begun else ""
                raise KeyboardInterrupt(told) from None
            reason = refusal(error)
            if reason is None or not has_begun:
                raise
            raise InputError(f"Cannot write to {output}: {reason}. Make room, then: {_going_on(output)}") from error
        finally:
            _remove_empty(made)


def _from_here(folder: Path) -> Path:
    """The folder as a person here would write it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _going_on(folder: Path) -> str:
    return f"python -m search {shlex.quote(f'resume={folder}')}"


def _remove_empty(folder: Path) -> None:
    """Removes the folder Hydra made, and its parents, if the run ended before it wrote anything."""
    for empty in (folder, *folder.absolute().parents[:2]):
        if empty == Path.cwd() or not empty.is_dir() or any(empty.iterdir()):
            return
        empty.rmdir()


@contextmanager
def _reported(codes: list[int]) -> Iterator[None]:
    """Turns an error of the block into one line on stderr and an exit code added to `codes`."""
    try:
        yield
    except (InputError, SpaceError) as error:
        codes.append(_said(str(error), BAD_INPUT))
    except yaml.MarkedYAMLError as error:
        where = f" in {error.problem_mark.name}, line {error.problem_mark.line + 1}" if error.problem_mark else ""
        codes.append(_said(f"The YAML{where} cannot be read: {error.problem}.", BAD_INPUT))
    except (HydraException, OmegaConfBaseException) as error:
        codes.append(_said(_explained(error), BAD_INPUT))
    except SearchError as error:
        codes.append(_said(str(error), FAILED))
    except SystemExit as ended:  # Hydra's flags, such as --help, end the program themselves
        codes.append(int(ended.code or 0))
    except Exception as error:
        reason = refusal(error)
        if reason is None:
            raise
        codes.append(_said(f"Cannot write: {reason}.", BAD_INPUT))


def _said(message: str, code: int) -> int:
    print(f"search: {' '.join(message.split())}", file=sys.stderr)
    return code


def _replacing(argument: str) -> list[str]:
    """Makes a list or mapping given for a parameter of the space replace the range that stands there.

    Hydra would merge the two, and fail where one is a list and the other a mapping.
    """
    if re.match(r"space\.[^.=]+=[\[{]", argument):
        key = argument.partition("=")[0]
        return [f"~{key}", f"+{argument}"]
    return [argument]


def _explained(error: Exception) -> str:
    """One line about an error of Hydra or OmegaConf, with the nearest name where one was misspelt."""
    cause = error.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options is not None:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return f"{group}={choice} is unknown. {nearest(choice, error.options)}"
    if isinstance(cause, ConfigKeyError | ConfigAttributeError):
        return _unknown(cause.full_key or str(cause.key))
    if missing := re.match(r"Could not delete from config\. '(.+)' does not exist", str(error)):
        return _unknown(missing[1])
    if no_choice := re.match(r"Could not override '(\w+)'\. No match in the defaults list", str(error)):
        key = no_choice[1]
        hint = "; which modules are searched is set by space.modules=[…]" if key == "module" else ""
        return f"{key} is no choice but a group of settings: set one of them, {key}.…=…{hint}."
    if isinstance(error, OverrideParseException):
        if "=" not in error.override:
            return f"The override '{error.override}' cannot be read: expected key=value."
        return f"The override '{error.override}' cannot be read: {error.message.splitlines()[0]}"
    if re.search(r"str is not a subclass of \w+Config", str(cause)):
        key, _, value = str(error).rpartition(" ")[2].partition("=")
        return f"{key} is a group of settings: set one of them, such as {key}.name={value}."
    if isinstance(cause, OmegaConfBaseException):
        return f"{cause.full_key}: {str(cause.msg).splitlines()[0]}"
    return str(error).splitlines()[0]


def _unknown(key: str) -> str:
    """Says that there is no such setting, and which ones stand at its place."""
    parent = key.rpartition(".")[0]
    if parent == "space":
        names = SETTINGS
    else:
        node = OmegaConf.select(OmegaConf.structured(Config), parent) if parent else OmegaConf.structured(Config)
        names = tuple(str(name) for name in node or {})
    return f"There is no setting '{key}'. {nearest(key, [f'{parent}.{name}'.lstrip('.') for name in names])}"
