"""Composes the configuration with Hydra, runs the job and turns errors into a line and an exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from search import __version__
from search.commands.arguments import adding_absent, flags_first
from search.commands.cli import INTERRUPTED, exit_code, explained, reported, said
from search.config import checked, configuration_folder, register
from search.errors import CallbackError, InputError, SearchError
from search.job.given import remove_if_empty
from search.job.resume import resumed
from search.job.run import Audience
from search.reporting.comparison.attempts import Attempts, MultirunFolder
from search.utils.faults import machine_fault
from search.utils.interrupts import noted_interrupts
from search.utils.overrides import setting, typed
from search.utils.paths import absolute_path


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
    if "--version" in arguments:
        print(f"search {__version__}")
        return 0
    verbose = "-v" in arguments
    codes = [0]
    attempts = Attempts()
    jobs: list[DictConfig] = []
    MultirunFolder.path = None

    def job(node: DictConfig) -> None:
        jobs.append(node)
        with reported(codes):
            _run(node, verbose, attempts)

    register()
    # Hydra prints errors in several lines of its own unless it is told to raise them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(job)
    terminated = signal.signal(signal.SIGTERM, _interrupt)
    try:
        try:
            with reported(codes):
                sys.argv = ["search", *flags_first([argument for argument in arguments if argument != "-v"])]
                with composing(jobs):
                    _compose_and(command)
        finally:  # also after Ctrl-C: what has been run can be compared
            with reported(codes):
                codes.append(attempts.summarise(MultirunFolder.path))
    except KeyboardInterrupt as interrupt:
        codes.append(said(str(interrupt) or "Interrupted.", INTERRUPTED))
    finally:
        signal.signal(signal.SIGTERM, terminated)
    return max(codes)


@contextmanager
def composing(jobs: Collection[object] = ()) -> Iterator[None]:
    """Turns Hydra's errors over overrides that it can read but not use, such as dataset=3, into an `InputError`.

    Args:
        jobs: Once there is one, the configuration has been composed, and errors come from elsewhere.

    Raises:
        InputError: The overrides cannot be used.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException):  # some are ValueErrors too, and say more
        raise
    except (ValueError, TypeError, AssertionError) as error:
        if jobs:
            raise
        raise InputError(f"The settings cannot be used: {str(error).splitlines()[0].rstrip('.')}.") from error


def _compose_and(command: Callable[[], Any]) -> None:
    """Runs the command; a setting of the space that the chosen YAML file leaves out is added to it."""
    while True:
        try:
            command()
            return
        except BrokenProcessPool as error:
            raise SearchError(
                "A process that runs of the multirun were in was killed, perhaps as memory ran out; runs that had "
                "not ended can be resumed by resume=…"
            ) from error
        except ConfigCompositionException as error:
            sys.argv = adding_absent(error, sys.argv)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _run(node: DictConfig, verbose: bool, attempts: Attempts) -> None:
    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    noted: AbstractContextManager[None] = nullcontext()
    if hydra_config.mode == RunMode.MULTIRUN:
        at = _from_here(absolute_path(node.resume, "resume") if node.resume else folder)
        sweep, number = Path(hydra_config.sweep.dir), int(hydra_config.job.num)
        noted = attempts.noted(sweep, number, at, _as_typed(hydra_config), exit_code)
    with noted, explained():
        execute(node, hydra_config, folder, Audience(verbose=verbose))


def execute(node: DictConfig, hydra_config: Any, folder: Path, audience: Audience) -> Path:
    """Runs the job in a folder, or resumes the run of `resume`.

    Args:
        node: The composed configuration.
        hydra_config: Hydra's own part of it.
        folder: The run's folder.
        audience: Follows the run.

    Returns:
        The folder of the run, relative to the working directory where it is below that.

    Raises:
        InputError: Something given cannot be used.
        SearchError: Every trial failed.
        KeyboardInterrupt: It was interrupted; the message says how to go on.
    """
    output = made = _from_here(folder)
    gets_more = False
    overrides = _as_typed(hydra_config)
    with noted_interrupts() as interrupted:
        try:
            if node.resume is not None:
                output = _from_here(absolute_path(node.resume, "resume"))
                going_on = resumed(node, overrides)
                node, gets_more = going_on.config, going_on.gets_more
            config = checked(node)
            # Imported only now: --help and --cfg answer without pandas.
            from search.job import pipeline

            catalogs = [Path(one.path) for one in hydra_config.runtime.config_sources if one.schema == "file"]
            pipeline.run(config, overrides, output, catalogs, audience, gets_more=gets_more)
            return output
        except (KeyboardInterrupt, Exception) as error:
            has_begun = (output / ".hydra").is_dir()
            if isinstance(error, KeyboardInterrupt) or interrupted():
                message = f"Interrupted. Go on with: {_going_on(output)}" if has_begun else ""
                raise KeyboardInterrupt(message) from None
            if isinstance(error, CallbackError) and has_begun:
                raise CallbackError(f"{error} Mend that, then: {_going_on(output)}") from error.__cause__
            reason = machine_fault(error)
            if reason is None or not has_begun:
                raise
            message = f"The run in {output} stopped over a fault of the machine: {reason.rstrip('.')}"
            raise InputError(f"{message}. Mend that, then: {_going_on(output)}") from error
        finally:
            remove_if_empty(made)


def _as_typed(hydra_config: Any) -> list[str]:
    """The overrides of the command line, with interpolations as they were written."""
    words = OmegaConf.to_container(hydra_config.overrides.task, resolve=False)
    assert isinstance(words, list)
    return words


def _from_here(folder: Path) -> Path:
    """The folder relative to the working directory, where it is below that."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _going_on(folder: Path) -> str:
    return typed("search", setting("resume", folder))
