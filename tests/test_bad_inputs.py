"""What cannot be used is told in one line, with exit code 2, and leaves nothing behind."""

import logging
import os

import pytest
from bad_inputs import BAD_INPUTS, LONG, answer, make_folder

from search.commands.console import COMMANDS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    make_folder(folder)
    return folder


def listed(folder):
    return sorted(os.path.join(at, name) for at, folders, files in os.walk(folder) for name in (*folders, *files))  # noqa: PTH118


def named(row):
    command, arguments, _ = row
    return f"{command} {' '.join(arguments)}".replace(LONG, "long").replace("9" * 5000, "digits")


def test_there_are_inputs_for_every_command():
    assert len(BAD_INPUTS) >= 100
    assert {command for command, _, _ in BAD_INPUTS} == {"search", *COMMANDS} - {"run"}


@pytest.mark.parametrize("row", BAD_INPUTS, ids=named)
def test_a_bad_input_is_told_in_one_line(folder, monkeypatch, capfd, row):
    command, arguments, told = row
    monkeypatch.chdir(folder)
    logging.getLogger().handlers = []
    before = listed(folder)
    code = answer(command, arguments)
    err = capfd.readouterr().err
    assert (code, len(err.splitlines())) == (2, 1), err
    assert err.startswith("search: ") and told in err and "Traceback" not in err
    assert len(err) < 1000
    assert listed(folder) == before
