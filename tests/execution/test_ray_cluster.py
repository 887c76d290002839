"""Trials on a Ray cluster of this machine, whose workers leave the folder of the trials to the driver."""

import os
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from search.errors import InputError, MachineFault
from search.execution.ray_cluster import PRIVATE, Cluster, on_ray
from search.execution.worker_process import Workers
from search.tuning.record import TrialRecord
from search.tuning.trial_files import TrialFiles
from search.utils.checkpoint import load

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Spec:
    trial_id: str
    parent: str | None = None
    last_epoch: int = 2


@dataclass
class Runner:
    """Trains a trial by counting its epochs and its parents' in its state; trial 1 may die or meet a fault, once."""

    files: TrialFiles
    happens: str = ""
    once: str = ""

    def keep_files_in(self, folder, changed):
        self.files = TrialFiles(folder, changed)

    def run(self, spec, report):
        begin = [path for path in (self.files.last(spec.trial_id), self.files.last(spec.parent)) if path.exists()]
        epochs = int(load(begin[0])[0]) if begin else 0
        record = TrialRecord(spec.trial_id, {"folder": str(self.files.project)}, epochs=epochs)
        report.on_trial_begin(record)
        for epoch in range(epochs + 1, spec.last_epoch + 1):
            record.epochs = epoch
            report.on_epoch_end(record, epoch, {"val_loss": 1.0})
            self.files.write_last(record, [np.array(epoch)])
            if spec.trial_id == "1" and not Path(self.once).exists():
                self._happen()
        return record

    def _happen(self):
        if self.happens == "dies":
            Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.happens == "fault":
            raise MachineFault("the disk is full")


class Heard:
    """Takes down what it is told, and up to which epoch a trial could be resumed at that moment."""

    def __init__(self, folder):
        self.files = TrialFiles(folder)
        self.begun, self.epochs, self.kept = [], [], {}

    def on_trial_begin(self, record):
        self.begun.append((record.trial_id, record.epochs))

    def on_epoch_end(self, record, epoch, metrics):
        self.epochs.append((record.trial_id, epoch))
        self.kept[record.trial_id, epoch] = kept(self.files, record.trial_id)


def kept(files, trial_id):
    """The epochs behind the state of a trial; 0: there is none."""
    path = files.last(trial_id)
    return int(load(path)[0]) if path.exists() else 0


@pytest.fixture(scope="module")
def address():
    """A cluster of two nodes that stays on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PRIVATE.items():  # before Ray is imported, which reads them then
            patch.setenv(name, value)
        ray = pytest.importorskip("ray")
        from ray.cluster_utils import Cluster as Nodes

        node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
        nodes = Nodes(initialize_head=True, head_node_args=node)
        nodes.add_node(num_cpus=1, node_ip_address="127.0.0.1")
        yield nodes.address
        ray.shutdown()
        nodes.shutdown()


def run_all(address, folder, happens=""):
    heard, results = Heard(folder), {}
    runner = Runner(TrialFiles(folder), happens, str(folder / "once"))
    make = on_ray(Workers(2, prepare=int, max_restarts=1), Cluster(folder, address))
    with closing(make(runner, heard)) as executor:
        for round_ in ([Spec("0"), Spec("1")], [Spec("2", parent="1", last_epoch=4)]):
            for spec in round_:
                executor.submit(spec)
            left = len(round_)
            while left:
                ended = executor.wait()
                results |= {result.trial_id: result for result in ended}
                left -= len(ended)
    return results, heard


def test_a_promoted_trial_goes_on_wherever_it_runs(address, tmp_path):
    results, heard = run_all(address, tmp_path)
    assert {trial_id: result.epochs for trial_id, result in results.items()} == {"0": 2, "1": 2, "2": 4}
    assert sorted(heard.begun) == [("0", 0), ("1", 0), ("2", 2)]
    assert sorted(heard.epochs) == [("0", 1), ("0", 2), ("1", 1), ("1", 2), ("2", 3), ("2", 4)]
    # A state that is kept before its epoch is told would have a driver that is killed then never tell of it.
    assert heard.kept == {("0", 1): 0, ("0", 2): 1, ("1", 1): 0, ("1", 2): 1, ("2", 3): 0, ("2", 4): 3}
    assert [kept(heard.files, trial_id) for trial_id in "012"] == [2, 2, 4]
    assert {result.worker for result in results.values()} == {1, 2}
    assert not any(Path(result.values["folder"]).exists() for result in results.values())


def test_a_trial_goes_on_where_its_worker_died(address, tmp_path):
    results, heard = run_all(address, tmp_path, "dies")
    assert results["1"].epochs == 2 and results["2"].epochs == 4
    assert sorted(heard.begun) == [("0", 0), ("1", 0), ("1", 1), ("2", 2)]


def test_a_fault_ends_the_search_as_it_was(address, tmp_path):
    with pytest.raises(MachineFault, match=r"^the disk is full$"):
        run_all(address, tmp_path, "fault")


def test_a_cluster_that_does_not_answer_is_named(tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1"):
        on_ray(Workers(1, prepare=int), Cluster(tmp_path, "127.0.0.1:1"))(Runner(TrialFiles(tmp_path)), Heard(tmp_path))
