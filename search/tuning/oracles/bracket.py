"""A bracket of Hyperband that has begun: its next trial, and the trials that may yet be promoted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from search.tuning.oracles.rungs import special_values
from search.tuning.oracles.schedule import Bracket, Round
from search.tuning.record import REPLACEMENTS

Score = Callable[[str], float | None]
"""A trial's score, less being better; NaN for a failed trial, None until it has ended."""


@dataclass(frozen=True)
class Place:
    """The place of the next trial of a bracket.

    Attributes:
        number: Its number in the schedule of the whole search; a replacement's is beyond it, see
            `search.tuning.record.order`.
        parent: The trial that is promoted to it; None: it begins with a configuration of its own.
        is_scheduled: Whether the schedule draws that configuration, rather than a failure.
    """

    number: int
    parent: str | None
    is_scheduled: bool


@dataclass
class BegunBracket:
    """A bracket and its trials.

    Attributes:
        plan: Its rounds as planned.
        start: Number of places before it in the schedule.
        rounds: Its rounds so far: the trials of each in the order in which they began, with their parents.
    """

    plan: Bracket
    start: int
    rounds: list[dict[str, str | None]]

    @property
    def current(self) -> Round:
        """The current round, as planned."""
        return self.plan[len(self.rounds) - 1]

    @property
    def is_last(self) -> bool:
        """Whether the current round is the last one."""
        return len(self.rounds) == len(self.plan)

    def trials(self) -> list[str]:
        """All trials in order."""
        return [trial_id for trials in self.rounds for trial_id in trials]

    def scheduled(self) -> list[str]:
        """The trials whose configurations the schedule drew."""
        return list(self.rounds[0])[: self.plan[0].size]

    def drawn(self) -> list[str]:
        """The trials with a configuration of their own."""
        return [trial_id for trials in self.rounds for trial_id, parent in trials.items() if parent is None]

    def replacements(self) -> list[str]:
        """The trials that came in place of failed ones."""
        return self.drawn()[len(self.scheduled()) :]

    def place(self, score: Score) -> Place | None:
        """The place of the next trial; None where the round is full, or waits for running trials."""
        trials = list(self.rounds[-1])
        if not _has_room(trials, self.current.size, score):
            return None
        parent = next(iter(self.candidates(score)), None)
        is_scheduled = len(self.rounds) == 1 and len(trials) < self.current.size
        return Place(self._number(len(trials)), parent, is_scheduled)

    def special(self, place: Place) -> dict[str, Any]:
        """KerasTuner's special values of a trial, beside the hyperparameters."""
        return special_values(self.plan, len(self.rounds) - 1, place.parent)

    def candidates(self, score: Score) -> list[str]:
        """The trials that may be promoted to the current round, the best first."""
        if len(self.rounds) == 1:
            return []
        promoted = set(self.rounds[-1].values())
        waiting = [trial_id for trial_id in completed(self.rounds[-2], score) if trial_id not in promoted]
        return sorted(waiting, key=lambda trial_id: score(trial_id) or 0.0)

    def waits(self, score: Score) -> bool:
        """Whether a trial of the current round is running."""
        return any(score(trial_id) is None for trial_id in self.rounds[-1])

    def advance(self, score: Score) -> bool:
        """Begins the next round, if there is one and a trial to promote."""
        if self.is_last or not completed(self.rounds[-1], score):
            return False
        self.rounds.append({})
        return True

    def promotable(self, score: Score) -> set[str]:
        """The trials that may yet be promoted, or whose promotion is running."""
        found: set[str] = set()
        current = self.rounds[-1]
        running = [trial_id for trial_id in current if score(trial_id) is None]
        alive = {*running, *completed(current, score)}
        if running or len(alive) < self.current.size:
            found.update(self.candidates(score))
            found.update(parent for trial_id in running if (parent := current[trial_id]) is not None)
        return found if self.is_last else found | alive

    def _number(self, index: int) -> int:
        # Where the space ran out of configurations in the first round, the others are as small.
        sizes = [min(round_.size, len(self.scheduled()) if i else round_.size) for i, round_ in enumerate(self.plan)]
        at = len(self.rounds) - 1
        first = self.start + sum(min(size, len(self.scheduled())) for size in sizes[:at])
        beyond = index - sizes[at]
        return first + index if beyond < 0 else (beyond + 1) * REPLACEMENTS + first + sizes[at] - 1


def completed(trials: Iterable[str], score: Score) -> list[str]:
    """Selects the trials that ended with a score."""
    scores = ((trial_id, score(trial_id)) for trial_id in trials)
    return [trial_id for trial_id, number in scores if number is not None and not math.isnan(number)]


def _has_room(trials: Sequence[str], size: int, score: Score) -> bool:
    """Whether a round takes another trial: as many as planned, then one for each failed trial when all have ended."""
    begun = 0
    while size:
        scores = [score(trial_id) for trial_id in trials[begun : begun + size]]
        if len(scores) < size:
            return True
        if None in scores:
            return False
        begun, size = begun + size, sum(math.isnan(number) for number in scores if number is not None)
    return False
