"""A journal gives what was written, whole lines only."""

import json

import pytest
from toy import TUNERS, Toy, board, make, searched

from search.errors import InputError
from search.tuning.journal import Journal

ENTRIES = [{"a": 1}, {"b": [0.1, None, "é"]}, {"c": {"d": 2**60}}]


@pytest.fixture
def journal(tmp_path):
    written = Journal(tmp_path / "trials" / "journal.jsonl")
    for entry in ENTRIES:
        written.append(entry)
    return written


def test_what_is_not_there_has_no_entries(tmp_path):
    assert Journal(tmp_path / "journal.jsonl").entries() == []


def test_a_kill_at_any_byte_leaves_the_lines_before_it_and_a_place_for_the_next(journal):
    content = journal.path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(len(content)):
        journal.path.write_bytes(content[:cut])
        whole = sum(end <= cut for end in ends)
        assert journal.entries() == ENTRIES[:whole]
        journal.append({"next": cut})
        assert journal.entries() == [*ENTRIES[:whole], {"next": cut}]


def test_a_flipped_bit_is_named_with_its_line(journal):
    content = journal.path.read_bytes()
    for i in range(len(content)):
        if ord("\n") not in (content[i], content[i] ^ 2):
            journal.path.write_bytes(content[:i] + bytes([content[i] ^ 2]) + content[i + 1 :])
            line = 1 + content[:i].count(b"\n")
            with pytest.raises(InputError, match=rf"journal\.jsonl is damaged \(line {line} "):
                journal.entries()


def test_a_search_names_its_damaged_journal(tmp_path):
    path = searched(tmp_path, "random").store.files.project / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], lines[2].replace('"', "'", 1), *lines[3:]]))
    with pytest.raises(InputError, match="line 3"):
        make(tmp_path, "random")


class Conditional(Toy):
    """A toy with a hyperparameter that only some trials have."""

    def declare_hyperparameters(self, hp):
        super().declare_hyperparameters(hp)
        with hp.conditional_scope("kind", ["b"]):
            hp.Choice("only_with_b", [1, 2])


@pytest.mark.parametrize("name", TUNERS)
def test_a_search_with_conditions_goes_on_from_its_journal(tmp_path, name):
    whole = searched(tmp_path / "whole", name, Conditional())
    for trials in range(1, 6):
        searched(tmp_path / "cut", name, Conditional(), may_start=lambda _, records, n=trials: len(records) < n)
    assert board(searched(tmp_path / "cut", name, Conditional())) == board(whole)


def test_the_journal_of_a_search_says_what_was_asked_and_told(tmp_path):
    tuner = searched(tmp_path, "random")
    settings, *steps = tuner.store._journal.entries()
    assert settings["settings"]["seed"] == 0 and json.dumps(settings)
    assert [step.get("asked", step.get("told")) for step in steps[::2]] == list(tuner.records)
    assert [step["told"] for step in steps[1::2]] == list(tuner.records)


def test_a_resumed_search_reads_its_journal_once(tmp_path, monkeypatch):
    searched(tmp_path, "random")
    read, entries = [], Journal.entries
    monkeypatch.setattr(Journal, "entries", lambda journal: read.append(journal) or entries(journal))
    searched(tmp_path, "random", max_trials=9)
    assert len(read) == 1
