"""One piece of advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Attributes:
        title: Names it in a few words, such as "Another encoder".
        evidence: The reason, in a sentence, with the numbers of the run.
        command: The command to run.
        changes: The setting that it changes.
    """

    title: str
    evidence: str
    command: str
    changes: str
