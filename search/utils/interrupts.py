"""Ctrl-C and SIGTERM, noted, since the exception they raise can get lost in foreign code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], bool]]:
    """Notes in the block whether the process was asked to end.

    Python raises KeyboardInterrupt in whatever happens to run. Where that is a call from C code, such as a look at an
    attribute, the error may be swallowed or come out as one of another type: neither may pass for a result.

    Yields:
        A function without arguments: whether SIGINT or SIGTERM came since the block began. Always False in a thread
        other than the main one, where signals do not come.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def noting(handler: Callable[[int, FrameType | None], object]) -> Callable[[int, FrameType | None], object]:
        def note(number: int, frame: FrameType | None) -> None:
            came.set()
            handler(number, frame)

        return note

    # Where the system's own default is in force, the process simply ends.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, noting(handler))
    try:
        yield came.is_set
    finally:
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handler)
