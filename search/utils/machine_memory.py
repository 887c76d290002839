"""The memory of this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def all_memory() -> int:
    """Bytes of memory that the machine has."""
    total: int = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total


def available_memory() -> int:
    """Bytes that a process can have without swapping."""
    with suppress(OSError), Path("/proc/meminfo").open(encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    # Outside Linux there is no such number: half of all memory is as good a guess as any.
    return all_memory() // 2
