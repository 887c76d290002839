"""The GPUs of processes and trials."""

import subprocess

import pytest

from search.utils.gpus import memory_share, of_process, trial_devices


@pytest.mark.parametrize("gpus", range(1, 6))
@pytest.mark.parametrize("per_trial", [0, 0.25, 0.5, 1, 2, 3, 8])
def test_processes_take_the_gpus_of_a_machine_in_turn(gpus, per_trial):
    each = [of_process(range(gpus), worker, per_trial) for worker in range(1, 41)]
    count = min(gpus, max(1, int(per_trial)))
    assert all(len({*found}) == len(found) == count for found in each)
    taken = [sum(gpu in found for found in each) for gpu in range(gpus)]
    assert max(taken) - min(taken) <= max(count, 1 / (per_trial or 1))


def test_processes_that_share_a_gpu_get_their_part_of_the_smallest(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: "/bin/true")
    told = subprocess.CompletedProcess([], 0, "81559\n40960\n", "")
    monkeypatch.setattr("subprocess.run", lambda *arguments, **settings: told)
    assert memory_share(0.25) == 10240
    assert memory_share(0) is None and memory_share(1) is None
    told.stdout = "Failed to initialize NVML"
    assert memory_share(0.25) is None


def test_a_batch_has_as_many_parts_as_gpus_are_asked_for_whatever_there_is():
    assert [len(trial_devices(count)) for count in (0, 0.5, 1, 2, 4)] == [1, 1, 1, 2, 4]
