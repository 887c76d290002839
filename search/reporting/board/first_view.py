"""The TensorBoard runs that are drawn when there are more than TensorBoard draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from search.reporting.board.ranking import read_ranking

MOST = 40
"""The number of runs that TensorBoard selects by itself; with more of them, most of its pages open empty."""
_ALWAYS = ("refit", "best", ".")


def room(searches: int) -> int:
    """The number of configurations to draw, over all searches together."""
    return max(0, MOST - len(_ALWAYS) * searches)


def first_view(folders: Mapping[str, Path], names: Sequence[str]) -> list[str]:
    """Chooses what to draw: of each search the refit, the best, and as many configurations as there is room for.

    Args:
        folders: TensorBoard's folder of each search, by the prefix of its runs' names ("" where there is one search).
        names: All TensorBoard runs.

    Returns:
        The runs to draw, in the same order: all of them if they are no more than 40.
    """
    if len(names) <= MOST:
        return list(names)
    queues = [_queue(prefix, folder, names) for prefix, folder in folders.items()]
    # One of each search in turn.
    turns = chain.from_iterable(zip_longest(*queues))
    drawn = set([name for name in turns if name is not None][:MOST])
    return [name for name in names if name in drawn]


def _queue(prefix: str, folder: Path, names: Sequence[str]) -> Iterator[str]:
    """The TensorBoard runs of a search, the most informative first."""
    ours = {_within(prefix, name): name for name in names if _is_below(prefix, name)}
    wanted = [*_ALWAYS, *read_ranking(folder), *ours]
    return (ours[name] for name in dict.fromkeys(wanted) if name in ours)


def _is_below(prefix: str, name: str) -> bool:
    return not prefix or name == prefix or name.startswith(f"{prefix}/")


def _within(prefix: str, name: str) -> str:
    return name if not prefix else name[len(prefix) + 1 :] or "."
