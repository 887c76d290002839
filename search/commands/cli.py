"""The end of a command: an error as one line on stderr, and the exit code."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from search.config import Config
from search.errors import InputError, SearchError, nearest
from search.utils.faults import is_out_of_memory, machine_fault
from search.utils.files import refusal
from search.utils.paths import shown
from spaces import SETTINGS, SpaceError

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
_DIGITS = 20


@contextmanager
def explained() -> Iterator[None]:
    """Turns errors of the block over unusable input into one `InputError` of one line.

    Raises:
        InputError: The configuration, the space, a YAML file or a place to write cannot be used.
    """
    try:
        yield
    except (InputError, SearchError):
        raise
    except SpaceError as error:
        raise InputError(str(error)) from error
    except yaml.MarkedYAMLError as error:
        where = f" in {error.problem_mark.name}, line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"The YAML{where} cannot be read: {error.problem}.") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_explained(error)) from error
    except Exception as error:
        if is_out_of_memory(error):
            raise InputError(f"The memory of this machine is not enough ({machine_fault(error) or error}).") from error
        reason = refusal(error)
        if reason is not None:
            raise InputError(f"Cannot write: {reason}.") from error
        if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
            raise InputError(f"{shown(str(error.filename))} cannot be used: {error.strerror}.") from error
        raise


def exit_code(error: BaseException) -> int:
    """The exit code of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return BAD_INPUT if isinstance(error, InputError) else FAILED


@contextmanager
def reported(codes: list[int]) -> Iterator[None]:
    """Turns an error of the block into one line on stderr and an exit code added to `codes`."""
    try:
        with explained():
            yield
    except InputError as error:
        codes.append(said(str(error), BAD_INPUT))
    except SearchError as error:
        codes.append(said(str(error), FAILED))
    except SystemExit as ended:  # Hydra's flags, such as --help, end the program themselves
        codes.append(int(ended.code or 0))


def command(arguments: Sequence[str], usage: str, job: Callable[[], None]) -> int:
    """Runs a command of the form `python -m search.NAME key=value …`.

    Args:
        arguments: The command line without the program's name.
        usage: What `--help` prints.
        job: The work of the command.

    Returns:
        The exit code: 0, 1 if it failed, 2 for bad input, 130 after Ctrl-C or SIGTERM.
    """
    codes = [0]
    # As after Ctrl-C, what was begun is taken away.
    terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with reported(codes):
            if {"-h", "--help"} & set(arguments):
                print(usage)
            else:
                job()
        sys.stdout.flush()
    except KeyboardInterrupt:
        codes.append(said("Interrupted.", INTERRUPTED))
    except BrokenPipeError:  # whoever reads the output, such as head, has enough
        discard_output()
    finally:
        signal.signal(signal.SIGTERM, terminated)
    return max(codes)


def discard_output() -> None:
    """Sends what is still to be printed nowhere, as nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def key_values(arguments: Sequence[str], known: Sequence[str], usage: str) -> dict[str, str]:
    """Reads the key=value arguments of a command.

    Raises:
        InputError: An argument has another form, or an unknown key.
    """
    values = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise InputError(f"'{argument}' cannot be read: expected key=value, as in {usage}")
        if key not in known:
            raise InputError(f"There is no setting '{key}'. {nearest(key, known)}")
        values[key] = value
    return values


def whole_number(given: str, key: str, least: int, most: int = 2**31 - 1) -> int:
    """Reads an argument that is a whole number.

    Raises:
        InputError: It is no whole number, or outside its limits.
    """
    number = int(given) if given.isdecimal() and len(given) < _DIGITS else -1
    if not least <= number <= most:
        raise InputError(f"{key}={shown(given)} is impossible: expected a whole number from {least} to {most}.")
    return number


def said(message: str, code: int) -> int:
    """Prints a message as one line on stderr; returns the exit code."""
    print(f"search: {' '.join(message.split())}", file=sys.stderr)
    return code


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Raises the message as an `InputError`."""
        raise InputError(f"{message} (see {self.prog} --help)")


def _explained(error: Exception) -> str:
    """An error of Hydra or OmegaConf as one line, with the nearest name where one was misspelt."""
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, InputError):  # of a resolver, such as ${path:…}
            return str(cause)
        cause = cause.__cause__
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
    if several := re.match(r"Ambiguous value for argument '(.+)'", str(error)):
        return f"{several[1]} names several values: python -m search -m makes a run of each, and a list is [a,b]."
    if isinstance(error, OverrideParseException):
        if "=" not in error.override:
            return f"The override '{error.override}' cannot be read: expected key=value, such as dataset.path=new.csv."
        return (
            f"The override '{error.override}' cannot be read: a list is [a,b], a range {{min: 1, max: 3}}, "
            "and what holds other signs stands in quotes, as in ['a b']."
        )
    if re.search(r"str is not a subclass of \w+Config", str(cause)):
        key, _, value = str(error).rpartition(" ")[2].partition("=")
        return f"{key} is a group of settings: set one of them, such as {key}.name={value}."
    if isinstance(cause, OmegaConfBaseException):
        return f"{cause.full_key}: {str(cause.msg).splitlines()[0]}"
    key = getattr(error, "full_key", None)
    return f"{key}: {str(error).splitlines()[0]}" if key else str(error).splitlines()[0]


def _unknown(key: str) -> str:
    """The error about an unknown setting, with the settings of its group."""
    parent = key.rpartition(".")[0]
    if parent == "space":
        names = tuple(SETTINGS)
    else:
        node = OmegaConf.select(OmegaConf.structured(Config), parent) if parent else OmegaConf.structured(Config)
        names = tuple(str(name) for name in node or {})
    return f"There is no setting '{key}'. {nearest(key, [f'{parent}.{name}'.lstrip('.') for name in names])}"
