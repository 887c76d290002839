"""A fault of the machine is told from an error of what it was given to do."""

import errno
import os

import pytest

from search.commands.cli import explained
from search.errors import InputError, MachineFault
from search.utils.faults import machine_fault


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(number, os.strerror(number)) for number in (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENOENT)),
        ConnectionResetError(),
        TimeoutError(),
        MemoryError(),
        RuntimeError("can't start new thread"),
        MachineFault("features cannot be written"),
        caused(RuntimeError("weights cannot be read"), OSError(errno.EIO, "Input/output error")),
    ],
)
def test_disk_network_and_memory_are_the_machines(error):
    assert machine_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a rate of -1"),
        InputError("a text is missing"),
        caused(InputError("there is no module 'x'"), FileNotFoundError(errno.ENOENT, "No such file or directory")),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ],
)
def test_what_was_asked_for_is_not(error):
    assert machine_fault(error) is None


def test_want_of_memory_is_one_line_of_every_command():
    with pytest.raises(InputError, match="memory"), explained():
        raise MemoryError
