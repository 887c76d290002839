"""Trials in worker processes: the results of one process, whatever dies on the way."""

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from search.errors import InputError, MachineFault
from search.execution.processes import ProcessExecutor, in_processes, number_of_workers
from search.execution.worker_process import Listener, Workers
from search.tuning.record import TrialRecord


@dataclass(frozen=True)
class Spec:
    trial_id: str


@dataclass
class Runner:
    """Trains a trial of three epochs by writing them to its file, from where it was interrupted; see `happens`.

    Args:
        folder: Of the files.
        happens: Trial to what happens after its second epoch, once: dies, hangs, raises or logs.
        always: Whether that happens each time.
    """

    folder: Path
    happens: dict
    always: bool = False

    def run(self, spec, report):
        file = self.folder / spec.trial_id
        done = len(file.read_text()) if file.exists() else 0
        record = TrialRecord(
            spec.trial_id, {"process": os.getpid(), "told": os.environ.get("TOLD")}, target_epochs=3, epochs=done
        )
        report.on_trial_begin(record)
        for epoch in range(done + 1, 4):
            with file.open("a") as opened:
                opened.write("e")
            record.epochs = epoch
            report.on_epoch_end(record, epoch, {"val_loss": epoch})
            if self.always or epoch == 2:
                self._happen(self.happens.get(spec.trial_id))
        record.status = "COMPLETED"
        return record

    def _happen(self, what):
        if what == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "hangs":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what == "raises":
            raise MachineFault("the disk is full")
        elif what == "logs":
            logging.getLogger("there").warning("noted by %s", "a worker")


class Heard:
    def __init__(self):
        self.begun, self.epochs = [], []

    def on_trial_begin(self, record):
        self.begun.append((record.trial_id, record.epochs))

    def on_epoch_end(self, record, epoch, metrics):
        assert metrics == {"val_loss": epoch}
        self.epochs.append((record.trial_id, epoch))


def run_all(runner, trials=("0", "1", "2"), **settings):
    """Runs trials, two at once.

    Returns:
        Their results by trial, and what was reported.
    """
    heard, left, results = Heard(), [Spec(trial_id) for trial_id in trials], {}
    with closing(in_processes(Workers(2, prepare=int, **settings))(runner, heard)) as executor:
        running = 0
        while left or running:
            while left and running < executor.slots:
                executor.submit(left.pop(0))
                running += 1
            for result in executor.wait():
                results[result.trial_id] = result
                assert [epoch for trial_id, epoch in heard.epochs if trial_id == result.trial_id] == [1, 2, 3]
                running -= 1
    return results, heard


def test_every_report_comes_before_the_result_and_names_its_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("TOLD", tmp_path.name)  # by the driver, after what workers are forked from has begun
    results, heard = run_all(Runner(tmp_path, {}))
    assert {result.values["told"] for result in results.values()} == {tmp_path.name}
    assert {trial_id: result.epochs for trial_id, result in results.items()} == {"0": 3, "1": 3, "2": 3}
    assert sorted(heard.begun) == [("0", 0), ("1", 0), ("2", 0)]
    processes = {(result.worker, result.values["process"]) for result in results.values()}
    assert {worker for worker, _ in processes} == {1, 2} and len(processes) == 2
    assert not any(is_running(process) for _, process in processes)


@pytest.mark.parametrize("what", ["dies", "hangs"])
def test_a_trial_goes_on_from_its_last_epoch_where_its_worker_dies(tmp_path, what, caplog):
    results, heard = run_all(Runner(tmp_path, {"0": what}), silence=8.0)
    assert [result.status for result in results.values()] == ["COMPLETED"] * 3
    assert sorted(heard.begun) == [("0", 0), ("0", 2), ("1", 0), ("2", 0)]
    assert "trial 0 died" in caplog.text


def test_a_trial_whose_workers_always_die_ends_the_search(tmp_path):
    with pytest.raises(MachineFault, match="died 2 times"):
        run_all(Runner(tmp_path, {"0": "dies"}, always=True), max_restarts=1)


def test_an_error_that_ends_a_search_is_raised_as_it_was(tmp_path):
    with pytest.raises(MachineFault, match="the disk is full"):
        run_all(Runner(tmp_path, {"1": "raises"}))


def test_a_log_entry_of_a_worker_comes_to_the_driver(tmp_path, caplog):
    run_all(Runner(tmp_path, {"1": "logs"}))
    assert [(one.name, one.message) for one in caplog.records] == [("there", "noted by a worker")]


def test_a_runner_that_cannot_be_pickled_is_refused():
    with pytest.raises(InputError, match="at the top level of a module"):
        ProcessExecutor(lambda: None, lambda: Listener(Heard()), Workers(2, prepare=int))


def test_workers_end_with_a_driver_that_is_killed(tmp_path):
    here = Path(__file__).parent
    driver = subprocess.Popen(
        [sys.executable, "-c", "import test_processes; test_processes.forever()", tmp_path], cwd=here
    )
    try:
        wait_until(lambda: len(list(tmp_path.glob("process_*"))) == 2)
    finally:
        driver.kill()
        driver.wait()
    processes = [int(path.name.removeprefix("process_")) for path in tmp_path.glob("process_*")]
    wait_until(lambda: not any(is_running(process) for process in processes))


def test_a_script_that_workers_cannot_import_is_told_what_it_lacks(tmp_path):
    # As beside a GPU: the server that workers are forked from takes seconds to begin.
    lines = [
        "from pathlib import Path",
        "import test_processes",
        "from search.execution import fork_server",
        "fork_server.may_have_gpu = lambda: True",
        f"test_processes.run_all(test_processes.Runner(Path({str(tmp_path)!r}), {{}}))",
    ]
    script = tmp_path / "script.py"
    script.write_text("\n".join(lines))
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    ended = subprocess.run([sys.executable, script], env=here, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "InputError" in ended.stderr and '`if __name__ == "__main__":`' in ended.stderr.splitlines()[-1]


def test_the_machine_decides_how_many_workers_there_are():
    from search.config.tuner import ParallelConfig

    assert number_of_workers(ParallelConfig()) == 1
    assert number_of_workers(ParallelConfig(workers=3)) == 3
    assert number_of_workers(ParallelConfig(workers="auto", cpus_per_trial=1)) == os.cpu_count()
    assert number_of_workers(ParallelConfig(workers="auto", cpus_per_trial=10_000)) == 1


class Endless:
    """Its trials do not end."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, spec, report):
        (self.folder / f"process_{os.getpid()}").touch()
        time.sleep(600)


def forever():
    run_all(Endless(Path(sys.argv[1])))


def is_running(process):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
