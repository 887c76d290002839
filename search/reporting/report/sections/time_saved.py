"""The time saved by caching the features of frozen modules."""

from __future__ import annotations

from typing import Any

from search.reporting.class_counts import rows_of
from search.reporting.report.run_files import RecordedRun


def saved_by_cache(run: RecordedRun) -> dict[str, Any] | None:
    """The cost of the features, and what computing them in every epoch of every frozen trial would have cost.

    Returns:
        texts: how many went through frozen modules; computed: how many of those no earlier run had computed; spent: the
        seconds that took; epochs: the epochs of trials with a frozen module; without: the seconds without a cache, by
        the time per text of each module. None where the run did not keep what this needs, or froze no module.
    """
    passes = run.measurements.get("passes", [])
    modules = run.measurements.get("modules", {})
    if not passes:
        return None
    # In cross-validation an epoch passes all rows once for each fold: most to learn from, the others to be scored.
    rows = (run.folds or 1) * sum(rows_of(run.summary, name) for name in ("train", "valid"))
    behind = run.trials["parent"].map(run.trials.set_index("trial_id")["epochs"]).fillna(0)
    own = (run.trials["epochs"] - behind).clip(lower=0)
    on_features = run.measurements.get("on_features")
    if on_features is None:  # of an earlier version: those whose backbone is a frozen module, which always are
        frozen = run.trials["frozen"] & (run.trials["pretrained"] == run.trials["backbone"])
    else:
        frozen = run.trials["trial_id"].isin(on_features)
    cost = run.trials["pretrained"].map(lambda name: modules.get(name, {}).get("milliseconds", 0.0)) / 1000
    return {
        "texts": sum(one["texts"] for one in passes),
        "computed": sum(one["computed"] for one in passes),
        "spent": sum(one["seconds"] for one in passes),
        "epochs": int(own[frozen].sum()),
        "without": float((own * cost)[frozen].sum() * rows),
    }
