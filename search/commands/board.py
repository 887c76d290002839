"""Opens TensorBoard on runs: `python -m search.board run=outputs/…`."""

from __future__ import annotations

import io
import socket
import sys
import tempfile
import threading
import types
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field
from functools import partial
from os.path import commonpath
from pathlib import Path
from typing import Any

from search.commands.cli import command, whole_number
from search.errors import InputError, nearest
from search.reporting.board.first_view import first_view, room
from search.reporting.board.ranking import read_ranking
from search.utils.paths import read_path, shown

_USAGE = "python -m search.board run=outputs/…"
_HELP = f"""Opens TensorBoard on a run, or on several side by side; Ctrl-C ends it.

  {_USAGE}

  run=FOLDER     a run, finished or not; a folder with runs somewhere in it; or a pattern in quotes, 'outputs/*/2026-*';
                 given more often, all are shown
  port=6006      where to serve; 0 takes any free port
  host=localhost 0.0.0.0 serves other machines too
  open=false     true opens the browser
  all=false      true lists every configuration of a large search, not only the best: more than 40 runs TensorBoard
                 draws only where they are ticked"""
_KEYS = ("run", "port", "host", "open", "all")
_TRUTH = {"true": True, "false": False}
_TENSORBOARD = "tensorboard"
# From the folder of all projects down to a run of a multirun, <project>/outputs/multirun/<time>/<number>.
_DEPTH = 5
# Else TensorBoard shows ten epochs, drawn at random.
_SAMPLES = {"images": 1000, "pr_curves": 1000}
# Seconds between two looks for new points: TensorBoard's own 5 make up to 8 with the time that they take.
_RELOAD = 2.0
_PROJECTOR = "projector"
_PATIENCE = 10.0
"""Seconds after which TensorBoard is opened even if it has not found the projector's data."""


@dataclass
class Request:
    """The request of a command line."""

    runs: list[Path] = field(default_factory=list)
    port: int = 6006
    host: str = "localhost"
    open: bool = False
    all: bool = False


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, also after Ctrl-C, which ends it; 2 for bad input.
    """
    return command(arguments, _HELP, lambda: _open(_read(arguments)))


def _open(request: Request) -> None:
    with suppress(KeyboardInterrupt), logdir(request.runs) as folder:  # which is how it ends
        _serve(folder, request)
    print()


def _read(arguments: Sequence[str]) -> Request:
    request = Request()
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not value:
            raise InputError(f"'{argument}' cannot be read: expected key=value, as in {_USAGE}")
        if key == "run":
            request.runs += [run for run in runs_at(value) if run not in request.runs]
        elif key == "port":
            request.port = whole_number(value, "port", 0, 65535)
        elif key == "host":
            request.host = value
        elif key in ("open", "all"):
            if value not in _TRUTH:
                raise InputError(f"{key}={value} is unknown: expected true or false.")
            setattr(request, key, _TRUTH[value])
        else:
            raise InputError(f"There is no setting '{key}'. {nearest(key, _KEYS)}")
    if not request.runs:
        raise InputError(f"run= must be given: {_USAGE}")
    return request


def runs_at(place: str) -> list[Path]:
    """The runs that a path or a pattern stands for.

    Args:
        place: The folder of a run, a folder that has runs in it, or a pattern of either.

    Returns:
        Folders of runs, as they were named, in sorted order.

    Raises:
        InputError: There is none.
    """
    path = read_path(place, "run")
    given = [path] if path.is_dir() else _matching(path)
    if not given:
        raise InputError(f"run={place}: there is no such folder.")
    found = {run for folder in given for run in _runs_in(folder)}
    if not found:
        raise InputError(f"run={place}: expected the folder of a run, but no folder {_TENSORBOARD}/ is in it.")
    return sorted(found)


def _matching(pattern: Path) -> list[Path]:
    relative = pattern.relative_to(pattern.anchor)
    # An empty pattern is none.
    return [one for one in Path(pattern.anchor).glob(str(relative)) if one.is_dir()] if relative.parts else []


def _runs_in(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    if folder.name == _TENSORBOARD and any(folder.iterdir()):
        folder = folder.parent
    if (folder / _TENSORBOARD).is_dir():
        yield folder
        return
    for deeper in folder.iterdir() if depth else ():
        if deeper.is_dir() and not deeper.name.startswith("."):
            yield from _runs_in(deeper, depth - 1)


@contextmanager
def logdir(runs: Sequence[Path]) -> Iterator[Path]:
    """The folder to open TensorBoard on.

    Several runs are put side by side as links in a folder of their own: TensorBoard's `--logdir_spec` shows neither
    their points in the projector nor their names in one table of HParams.

    Args:
        runs: Folders of runs.

    Yields:
        TensorBoard's folder of the run, or of several runs a folder of links, removed afterwards.
    """
    if len(runs) == 1:
        yield runs[0] / _TENSORBOARD
        return
    with tempfile.TemporaryDirectory(prefix="search-board-") as folder:
        for name, run in named(runs).items():
            link = Path(folder, name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((run / _TENSORBOARD).resolve(), target_is_directory=True)
        yield Path(folder)


def named(runs: Sequence[Path]) -> dict[str, Path]:
    """The part of each run's path that the others do not share."""
    whole = [run.resolve() for run in runs]
    shared = Path(commonpath(whole))
    return {str(run.relative_to(shared)): run for run in whole}


def seen(runs: Sequence[Path]) -> dict[str, Path]:
    """The prefix of each run in TensorBoard, opened on `logdir(runs)`, to TensorBoard's folder of the run."""
    if len(runs) == 1:
        return {"": runs[0] / _TENSORBOARD}
    return {name: run / _TENSORBOARD for name, run in named(runs).items()}


def _serve(folder: Path, request: Request) -> None:
    # TensorBoard's own switch to do without TensorFlow, of which it needs file access alone: 6 seconds less.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    import absl.logging
    from tensorboard import program

    from search.reporting.board.web_page import Page

    _check_host(request.host)
    absl.logging.set_verbosity(absl.logging.ERROR)
    folders = seen(request.runs)
    pages: list[Page] = []

    def server(board: Any, flags: Any) -> Any:
        pages.append(Page(board, list if request.all else partial(first_view, folders)))
        return program.create_port_scanning_werkzeug_server(pages[0], flags)

    board = program.TensorBoard(server_class=server)
    settings = {"samples_per_plugin": _SAMPLES, "reload_interval": _RELOAD}
    board.configure(logdir=str(folder), port=request.port, host=request.host, **settings)
    try:
        with redirect_stderr(io.StringIO()):  # it praises its data server
            url = board.launch()
    except program.TensorBoardServerException as error:
        raise InputError(f"TensorBoard cannot be served: {error.msg}") from error
    if any(next(one.glob("**/projector_config.pbtxt"), None) for one in folders.values()):
        pages[0].wait_for(_PROJECTOR, _PATIENCE)
    print(f"TensorBoard: {url} (Ctrl-C ends it)", flush=True)
    configurations = sum(len(read_ranking(one)) for one in folders.values())
    if configurations > room(len(folders)) and not request.all:
        note = f"Of {configurations} configurations the best are drawn; HParams has all. all=true lists every one."
        print(note, flush=True)
    if request.open:
        webbrowser.open(url)
    threading.Event().wait()


def _check_host(host: str) -> None:
    """Checks that a host can be served on: TensorBoard ends without a message where it cannot."""
    try:
        kind, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            trial.bind(address)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise InputError(
            f"host={shown(host)} cannot be served ({reason}): expected an address of this machine, such as localhost, "
            "or 0.0.0.0 for other machines too."
        ) from error
