"""The facts about the backbones of trials, in leaderboards of all versions."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from search.reporting.trial_table import BACKBONE

_LEARNED = "learned"


def with_backbones(trials: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard with the columns `backbone`, `pretrained` and `frozen`.

    Args:
        trials: The leaderboard. Earlier versions wrote hyperparameters alone, from which the facts follow.

    Returns:
        The leaderboard with text or None in the first two columns, and true or false in the third.
    """
    if "backbone" in trials:
        facts = trials[list(BACKBONE)].to_dict("records")
    else:
        facts = [_of_earlier(row) for row in trials.to_dict("records")]
        at = trials.columns.tolist().index("bracket")
        for place, name in enumerate(BACKBONE):
            trials.insert(at + place, name, None)
    for name in BACKBONE[:2]:
        texts = [None if pd.isna(one[name]) else str(one[name]) for one in facts]
        trials[name] = pd.Series(texts, trials.index, dtype=object)
    trials[BACKBONE[2]] = pd.Series([str(one[BACKBONE[2]]) == "True" for one in facts], trials.index, dtype=bool)
    return trials


def _of_earlier(row: dict[Hashable, Any]) -> dict[Hashable, Any]:
    """The facts about a trial of an earlier version: it has an embedding where an encoder was learned."""
    module, embedding = row.get("module"), row.get("embedding")
    if embedding is None or pd.isna(embedding):
        frozen = module is not None and str(row.get("trainable")) != "True"
        return {"backbone": module, "pretrained": module, "frozen": frozen}
    pretrained = None if embedding == _LEARNED else embedding
    frozen = pretrained is not None and str(row.get("embedding_trainable")) != "True"
    return {"backbone": module, "pretrained": pretrained, "frozen": frozen}
