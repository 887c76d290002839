"""The trials of a search on disk: a journal of what was asked and told, a record of each trial that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.tuning.journal import Journal
from search.tuning.record import TrialRecord
from search.tuning.trial import TrialSpec
from search.tuning.trial_files import TrialFiles
from search.utils.checked import damaged

JOURNAL = "journal.jsonl"

_SETTINGS, _ASKED, _TOLD, _VALUES = "settings", "asked", "told", "values"


@dataclass(frozen=True)
class Asked:
    """A trial that the study was asked for.

    Attributes:
        trial_id: Its name.
        values: KerasTuner's, with its special ones.
    """

    trial_id: str
    values: dict[str, Any]


class TrialStore:
    """Writes down what a study is asked and told, and reads it again; only the process that drives a search does.

    A line of the journal says that a trial was asked for, before it begins, and another one that its result was told,
    after its record was written: a kill between any two writes loses nothing but what the running trials had not saved.

    Args:
        project: KerasTuner's project folder; each trial has a folder `trial_<id>` in it.

    Attributes:
        files: The folders of the trials.
    """

    def __init__(self, project: Path) -> None:
        self.files = TrialFiles(project)
        self._journal = Journal(project / JOURNAL)
        self._asked: set[str] = set()

    def begin(self, settings: dict[str, Any]) -> None:
        """Notes the settings that a search is begun with, unless it goes on."""
        if self.settings() is None:
            self._journal.append({_SETTINGS: settings})
            self._found.append({_SETTINGS: settings})

    def asked(self, spec: TrialSpec) -> None:
        """Notes a trial that is about to begin, once."""
        if spec.trial_id not in self._asked:
            self._journal.append({_ASKED: spec.trial_id, _VALUES: spec.space["values"]})
            self._asked.add(spec.trial_id)

    def told(self, result: TrialRecord) -> None:
        """Keeps a result."""
        result.write(self.files.record(result.trial_id))
        self.files.note_end(result.trial_id)
        self._journal.append({_TOLD: result.trial_id})

    def settings(self) -> dict[str, Any] | None:
        """The settings that the search was begun with; None where none was, or an earlier version did.

        Raises:
            InputError: The journal is damaged.
        """
        return next((entry[_SETTINGS] for entry in self._found if _SETTINGS in entry), None)

    def history(self) -> Iterator[Asked | TrialRecord]:
        """The journal in its order; a result that was recorded and not told before a kill comes last.

        Raises:
            InputError: The journal, or a record, is damaged or missing.
        """
        open_: dict[str, Asked] = {}
        for entry in self._found:
            if _ASKED in entry:
                asked = open_[entry[_ASKED]] = Asked(entry[_ASKED], entry[_VALUES])
                self._asked.add(asked.trial_id)
                yield asked
            elif _TOLD in entry:
                yield self._record(open_.pop(entry[_TOLD]))
        for asked in open_.values():
            if self.files.record(asked.trial_id).exists():
                record = self._record(asked)
                self._journal.append({_TOLD: asked.trial_id})
                yield record

    @cached_property
    def _found(self) -> list[dict[str, Any]]:
        """The lines that were there, read once."""
        return self._journal.entries()

    def _record(self, asked: Asked) -> TrialRecord:
        path = self.files.record(asked.trial_id)
        if not path.exists():
            raise InputError(f"{path} is missing: restore it from a copy, or start a new run.")
        record = TrialRecord.read(path)
        self.files.note_end(record.trial_id)
        if any(asked.values.get(name) != value for name, value in record.values.items() if name in asked.values):
            raise damaged(path, "its values are not those of the journal")
        return record


def earlier_version(project: str | Path) -> str:
    """Says that trials cannot be gone on with, which a version ran that kept no journal."""
    return (
        f"{project} holds trials of an earlier version (0.1.0 or before), which kept no journal of them: they can be "
        "looked at, not gone on with. Start a new run."
    )
