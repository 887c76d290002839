"""The ranking of a search's configurations, kept beside TensorBoard's files from the first trial on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from search.utils.files import write_json

_FILE = "ranking.json"


def write_ranking(folder: Path, configurations: Sequence[str]) -> None:
    """Writes the ranking.

    Args:
        folder: TensorBoard's folder of the run.
        configurations: The TensorBoard runs of the configurations, the best first.
    """
    write_json(folder / _FILE, {"configurations": list(configurations)})


def read_ranking(folder: Path) -> list[str]:
    """Reads the ranking: TensorBoard runs, the best first; none where an earlier version wrote the folder."""
    try:
        ranked = json.loads((folder / _FILE).read_text(encoding="utf-8"))["configurations"]
        return [str(name) for name in ranked]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return []
