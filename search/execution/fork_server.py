"""Starts the processes of workers: where the system allows it, as forks of a server that has imported TensorFlow.

An import of TensorFlow takes a processor for seconds, and a search with many workers would pay it for each. Nothing
that is imported starts a thread of TensorFlow, or looks for a GPU: both happen in the workers.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

from search.utils.device import may_have_gpu, quieten


def process_context() -> BaseContext:
    """The way to start a process: `multiprocessing`'s forkserver where it can be used, spawn elsewhere."""
    if not _can_fork():
        return multiprocessing.get_context("spawn")
    forkserver.set_forkserver_preload(["search.execution.preloaded"])
    return multiprocessing.get_context("forkserver")


def begin(verbose: bool) -> None:
    """Starts the server, which imports what workers need while this process goes on with something else.

    Args:
        verbose: Keep TensorFlow's own log messages.
    """
    if process_context().get_start_method() == "forkserver":
        if not verbose:
            quieten()  # TensorFlow of the workers reads it as it loads
        forkserver.ensure_running()


def _can_fork() -> bool:
    """Whether forks are safe: not for the libraries of macOS, nor for CUDA, beside which the seconds count little."""
    return sys.platform == "linux" and not may_have_gpu()
