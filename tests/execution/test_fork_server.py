"""How worker processes are started."""

import os
import sys

import pytest

from search.execution import fork_server


def imported(name):
    return name in sys.modules, os.getppid()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are not forked")
def test_processes_are_forked_from_one_that_has_tensorflow_already(monkeypatch):
    monkeypatch.setattr(fork_server, "may_have_gpu", lambda: False)
    context = fork_server.process_context()
    with context.Pool(2) as pool:
        found = pool.map(imported, ["tensorflow"] * 4, chunksize=1)
    assert {is_there for is_there, _ in found} == {True}
    assert {parent for _, parent in found} != {os.getpid()} and len({parent for _, parent in found}) == 1


def test_beside_a_gpu_each_process_begins_anew(monkeypatch):
    monkeypatch.setattr(fork_server, "may_have_gpu", lambda: True)
    assert fork_server.process_context().get_start_method() == "spawn"
