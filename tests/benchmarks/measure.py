"""A process of its own for each measurement, and what such a process took."""

from __future__ import annotations

import multiprocessing
import os
import platform
import re
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

_MB = 1e6


def in_own_process(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function of a module in a fresh Python process, which ends with it, and gives its result or error."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_mute) as pool:
        return pool.submit(function, *args).result()


def _mute() -> None:
    """Drops what TensorFlow's native code and warnings write to stderr; errors go to the caller."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class Stopwatch:
    """Seconds since it was made: on the clock, and of all cores together at work for this process."""

    def __init__(self) -> None:
        self._started = time.monotonic(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Gives both."""
        return time.monotonic() - self._started[0], time.process_time() - self._started[1]


def peak_memory() -> float:
    """The most memory that this process has had resident, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # unlike ru_maxrss, this does not count what the parent had when it started the process
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) * 1024 / _MB
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MB


def disk(folder: Path) -> float:
    """The size of all files in a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MB


def machine() -> str:
    """What the numbers were measured on, and how busy it was."""
    cpu = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", cpu.read_text()) if cpu.is_file() else None
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "keras-tuner"))
    load = os.getloadavg()[0]
    name = model[1] if model else platform.machine()
    return (
        f"{os.cpu_count()} cores ({name}), load {load:.1f} at the start; Python {platform.python_version()}, {versions}"
    )


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints a table in Markdown, its columns aligned."""
    cells = [list(header), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
