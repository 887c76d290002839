"""An interrupt is remembered, whatever becomes of the error that it raises."""

import contextlib
import os
import signal
import threading

import pytest

from search.utils.interrupts import noted_interrupts


def test_what_is_raised_may_be_swallowed():
    with noted_interrupts() as came:
        assert not came()
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert came()
    with noted_interrupts() as came:
        assert not came()


def test_a_handler_is_called_and_comes_back():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        handler = signal.getsignal(signal.SIGTERM)
        with noted_interrupts() as came:
            os.kill(os.getpid(), signal.SIGTERM)
            assert came()
        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_one_within_another():
    with noted_interrupts() as outer, noted_interrupts() as inner, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert outer()
    assert inner()


def test_a_thread_is_none_the_wiser():
    came = []

    def look():
        with noted_interrupts() as interrupted:
            came.append(interrupted())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert came == [False]
