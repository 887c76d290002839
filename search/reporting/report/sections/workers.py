"""How trials were shared out over worker processes."""

from __future__ import annotations

from typing import Any

from search.reporting.report.run_files import RecordedRun


def workers(run: RecordedRun) -> dict[str, Any] | None:
    """The trials of each worker and the time it had none.

    Returns:
        rows: worker, trials, seconds of training, and its share of the time of the search; None where the run was
        resumed, as only the time of the last part is known. idle: the share of all workers' time in which no trial was
        trained: processes that start, rounds that wait for their last trial. None where one worker ran all trials.
    """
    if "worker" not in run.trials or run.trials["worker"].nunique() < 2:
        return None
    found = run.trials.groupby("worker")["seconds"].agg(["size", "sum"])
    whole = float(run.summary["seconds"].get("search", 0.0))
    known = whole > 0 and bool((found["sum"] <= whole).all())
    rows = [
        {"worker": worker, "trials": size, "seconds": spent, "share": spent / whole if known else None}
        for worker, size, spent in found.itertuples()
    ]
    return {"rows": rows, "idle": 1 - found["sum"].sum() / (whole * len(found)) if known else None}
