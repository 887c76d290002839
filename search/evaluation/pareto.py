"""The Pareto front of quality and cost."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(qualities: Sequence[float], costs: Sequence[float]) -> list[bool]:
    """Marks the points that no other one dominates: none is as good and as cheap, and better in one of the two.

    Args:
        qualities: More is better [n].
        costs: Less is better [n].

    Returns:
        Whether each point is on the front [n]; of points that are the same in both, all or none are.
    """
    points = list(zip(qualities, costs, strict=True))
    return [not any(other != one and other[0] >= one[0] and other[1] <= one[1] for other in points) for one in points]
