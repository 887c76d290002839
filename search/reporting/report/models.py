"""The models of a search, told apart by their backbone and whether it was frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from search.reporting.report.promotion_chains import roots

# As many as there are colours that can be told apart.
MOST = 8


class Shown(NamedTuple):
    """A configuration that stands for a model.

    Attributes:
        name: Its name in pictures, which is unique.
        trial: Its best trial: of a configuration that was promoted, not always the last.
        root: The first trial of its promotion chain.
        best_epoch: The epoch of its score; 0 is a head alone.
    """

    name: str
    trial: str
    root: str
    best_epoch: int


def models(trials: pd.DataFrame, *, higher_is_better: bool) -> list[Shown]:
    """All configurations where there are few; of more the best of each model, at most `MOST`.

    Args:
        trials: In the order in which they began.
        higher_is_better: Which scores are better.

    Returns:
        The best first.
    """
    scored = trials[(trials["status"] == "COMPLETED") & trials["score"].notna()]
    scored = scored.assign(root=scored["trial_id"].map(roots(trials)))
    ranked = scored.sort_values("score", ascending=not higher_is_better, kind="stable").drop_duplicates("root")
    ranked = ranked.assign(model=[model_name(row) for row in ranked.to_dict("records")])
    if len(ranked) > MOST:
        ranked = ranked.drop_duplicates("model").head(MOST)
    several = ranked["model"].duplicated(keep=False)
    return [
        Shown(f"{row['model']}, trial {row['trial_id']}" if again else row["model"], *_trial(row))
        for row, again in zip(ranked.to_dict("records"), several, strict=True)
    ]


def model_name(trial: Mapping[Any, Any]) -> str:
    """The backbone of a trial, what it starts from, and whether that stays as published.

    Args:
        trial: A row of `RecordedRun.trials`.
    """
    backbone, pretrained = trial["backbone"], trial["pretrained"]
    if pretrained is None:
        return str(backbone)
    kept = "frozen" if trial["frozen"] else "fine-tuned"
    return f"{pretrained} {kept}" if pretrained == backbone else f"{backbone} on {kept} {pretrained}"


def _trial(row: Mapping[Any, Any]) -> tuple[str, str, int]:
    return row["trial_id"], row["root"], int(row["best_epoch"])
