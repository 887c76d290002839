"""The arithmetic of Hyperband: how many trials each round of each bracket has, and how far it trains them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Round:
    """One round of successive halving."""

    size: int
    """Trials in it."""
    epochs: int
    """Epochs of each of them at its end, earlier rounds included."""
    initial_epoch: int
    """Epochs of each of them at its start."""


Bracket = tuple[Round, ...]


def brackets(max_epochs: int, factor: int, min_epochs: int = 1) -> tuple[Bracket, ...]:
    """Plans one iteration of Hyperband: algorithm 1 of Li et al. 2018 (JMLR 18), with KerasTuner's rounding.

    Bracket s (from the most aggressive down to 0, which only samples) begins with trials of max_epochs / factor**s
    epochs; each further round keeps one in `factor` and trains it `factor` times longer. With R = max_epochs /
    min_epochs and N = 1 + log_factor(R) rounded up, round i of bracket s has N / (s + 1) * factor**(s - i) trials,
    rounded up, where the paper rounds N down before and the number of survivors down after. So for 9 epochs and factor
    3 the brackets are 9 > 3 > 1, 5 > 2 and 3, where the paper has 9 > 3 > 1, 5 > 1 and 3.

    Args:
        max_epochs: Epochs of a trial trained in full.
        factor: From round to round one in `factor` trials is kept, for `factor` times as many epochs.
        min_epochs: The fewest epochs a trial gets in the first round of any bracket; the number of brackets follows.

    Returns:
        The brackets, most aggressive first; bracket s has s + 1 rounds.

    Raises:
        ValueError: `factor` is below 2, or not 1 <= min_epochs <= max_epochs.
    """
    if factor < 2:
        raise ValueError(f"Expected factor to be a whole number from 2. Received: {factor}")
    if not 1 <= min_epochs <= max_epochs:
        raise ValueError(f"Expected 1 <= min_epochs <= max_epochs. Received: {min_epochs=}, {max_epochs=}")
    # Whole numbers throughout: a logarithm that comes out as 3.0000000000000004 would add a trial or a bracket.
    halvings = 0
    while min_epochs * factor ** (halvings + 1) <= max_epochs:
        halvings += 1
    share = 1 + halvings + (min_epochs * factor**halvings < max_epochs)
    return tuple(_bracket(s, max_epochs, factor, share) for s in range(halvings, -1, -1))


def total_trials(plan: Iterable[Bracket]) -> int:
    """Counts the trials of brackets in which none fails; a promoted trial counts again in each of its rounds."""
    return sum(round_.size for bracket in plan for round_ in bracket)


def total_epochs(plan: Iterable[Bracket]) -> int:
    """Counts the epochs that all trials of brackets train together if none fails or stops early."""
    return sum(round_.size * (round_.epochs - round_.initial_epoch) for bracket in plan for round_ in bracket)


def _bracket(s: int, max_epochs: int, factor: int, share: int) -> Bracket:
    epochs = [0, *(_divide_up(max_epochs, factor ** (s - i)) for i in range(s + 1))]
    return tuple(Round(_divide_up(share * factor ** (s - i), s + 1), epochs[i + 1], epochs[i]) for i in range(s + 1))


def _divide_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
