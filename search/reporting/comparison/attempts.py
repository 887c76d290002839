"""The outcome of each run of a multirun, noted in its folder, since runs may be in processes of their own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from search.errors import InputError, SearchError
from search.utils.files import write_json

FINISHED, FAILED, INTERRUPTED = "finished", "failed", "interrupted"
_NOTES = ".attempts"


@dataclass(frozen=True)
class Attempt:
    """A run of a multirun, once it has begun.

    Attributes:
        folder: The run's folder.
        overrides: The settings of the command line for this run.
        status: finished, failed or interrupted.
        error: Why it failed.
        code: Its exit code.
    """

    folder: Path
    overrides: Sequence[str]
    status: str
    error: str = ""
    code: int = 0


class MultirunFolder(Callback):
    """A Hydra callback that keeps the folder of a multirun before its runs begin; see conf/config.yaml."""

    path: ClassVar[Path | None] = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Keeps the folder."""
        MultirunFolder.path = Path(config.hydra.sweep.dir)


class Attempts:
    """The runs of one command; picklable, for the processes that a launcher starts."""

    def __init__(self) -> None:
        self._process = os.getpid()
        # Notes of an earlier command may lie in the same folder.
        self._command = f"{self._process} {time.time_ns()}"

    @contextmanager
    def noted(
        self,
        sweep: Path,
        number: int,
        folder: Path,
        overrides: Sequence[str],
        code: Callable[[BaseException], int],
    ) -> Iterator[None]:
        """Runs the block as one run of the multirun, and notes how it ends.

        In a process of its own, its output goes to a file beside its folder, so that parallel runs do not mix their
        lines; an error then begins with the name of the run.

        Args:
            sweep: The folder of the multirun.
            number: The number of the run.
            folder: The run's folder.
            overrides: The settings of the command line for this run.
            code: Maps an error to the exit code.
        """
        # Until it ends it counts as one that was killed.
        begun = Attempt(folder, list(overrides), INTERRUPTED, code=1)
        self._note(sweep, number, begun)
        name = f"{number}_{folder.name}" if not folder.name.startswith(f"{number}_") else folder.name
        log = None if os.getpid() == self._process else sweep / f"{name}.log"
        if log:
            _tell(f"{name} has begun; what it prints goes to {log}")
        try:
            with printed_to(log) if log else nullcontext():
                yield
        except BaseException as error:
            failed = isinstance(error, Exception)
            message = " ".join(str(error).split()) if failed else ""
            status = FAILED if failed else INTERRUPTED
            self._note(sweep, number, replace(begun, status=status, error=message, code=code(error)))
            if log and isinstance(error, InputError | SearchError):
                raise type(error)(f"{name}: {message}") from error
            raise
        self._note(sweep, number, replace(begun, status=FINISHED, code=0))
        if log:
            _tell(f"{name} has finished")

    def read(self, sweep: Path) -> list[Attempt]:
        """The runs that this command began, in their order."""
        found = []
        for path in sorted((sweep / _NOTES).glob("*.json"), key=lambda path: int(path.stem)):
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("command") == self._command:
                found.append(Attempt(**{**content, "folder": Path(content["folder"])}))
        return found

    def summarise(self, sweep: Path | None) -> int:
        """Writes the summary of the multirun to its folder and prints it; nothing where no run finished.

        Args:
            sweep: The folder; None where there is no multirun.

        Returns:
            The highest exit code of the runs.
        """
        found = [] if sweep is None else self.read(sweep)
        if sweep is not None and any(attempt.status == FINISHED for attempt in found):
            # Imported only now: `search.commands.search` answers --help without pandas.
            from search.reporting.comparison.multirun import summarise

            summarise(sweep, found)
        return max((attempt.code for attempt in found), default=0)

    def _note(self, sweep: Path, number: int, attempt: Attempt) -> None:
        content = {**asdict(attempt), "folder": str(attempt.folder), "command": self._command}
        write_json(sweep / _NOTES / f"{number}.json", content)


@contextmanager
def printed_to(path: Path) -> Iterator[None]:
    """Sends the output of this process, native libraries' too, to a file while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [os.dup(number) for number in (1, 2)]
    with path.open("ab") as file:
        _print_to([file.fileno()] * 2)
    try:
        yield
    finally:
        _print_to(kept)
        for number in kept:
            os.close(number)


def _print_to(places: Sequence[int]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for number, place in enumerate(places, 1):
        os.dup2(place, number)


def _tell(line: str) -> None:
    """Prints a whole line at once: other processes write to the same terminal."""
    sys.stdout.flush()
    os.write(1, f"{line}\n".encode(errors="replace"))
