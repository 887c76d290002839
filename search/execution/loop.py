"""The loop of a search: asks the study for trials, keeps the executor busy, and reports the results."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING

from search.execution.base import AskAndTell, Done, Executor, Wait

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord


def run_study(study: AskAndTell, executor: Executor) -> Done:
    """Runs trials until the study has no more of them.

    Args:
        study: Proposes the trials, and gets their results in the order in which they end.
        executor: Runs the trials.

    Returns:
        How the search ended.

    Raises:
        BaseException: A trial raised it: a fault of the machine or of the data, or an interrupt.
    """
    running: set[Future[TrialRecord]] = set()
    while True:
        asked = study.ask() if len(running) < executor.slots else Wait()
        if isinstance(asked, Wait) and not running:
            raise RuntimeError("The study waits for trials, but none runs")
        if isinstance(asked, Done) and not running:
            return asked
        if not isinstance(asked, Wait | Done):
            running.add(executor.submit(asked))
        if len(running) == executor.slots or isinstance(asked, Wait | Done):
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                study.tell(future.result())
