"""How much memory a block of a test takes."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MIB = 1 << 20


@contextmanager
def at_most(mib: float) -> Iterator[None]:
    """Fails the test whose block takes more memory than that at any time."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > mib * MIB:
        pytest.fail(f"took {peak / MIB:.1f} MiB, more than {mib}")
