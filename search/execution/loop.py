"""The loop of a search: asks the study for trials, keeps the executor busy, and reports the results."""

from __future__ import annotations

from search.execution.base import AskAndTell, Done, Executor, Wait


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
    running = 0
    while True:
        asked = study.ask() if running < executor.slots else Wait()
        if not isinstance(asked, Wait | Done):
            executor.submit(asked)
            running += 1
        elif running:
            for result in executor.wait():
                study.tell(result)
                running -= 1
        elif isinstance(asked, Done):
            return asked
        else:
            raise RuntimeError("The study waits for trials, but none runs")
