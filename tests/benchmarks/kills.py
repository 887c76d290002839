"""Kills workers and drivers of searches at random moments; each search must end as one that nobody disturbed. Linux.

    python tests/benchmarks/kills.py
    python tests/benchmarks/kills.py --workers 20 --drivers 10 --searches 5 --also dataset=quora dataset.path=train.csv

A driver that was killed is resumed with another number of workers. Compared are the leaderboard but for times and
workers, the predictions, and what is in TensorBoard.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pandas as pd
from measure import machine

sys.path.append(str(Path(__file__).parents[1]))
from event_content import content

SMALL = [
    *("dataset=tweets", "dataset.train_size=3000", "dataset.valid_size=600", "dataset.test_size=600"),
    *("space.modules=[glove-50]", "parallel.cpus_per_trial=1", "parallel.max_restarts=100"),
]
# Seconds between two deaths; the least that a driver is given to come to its trials.
_MOMENTS, _START = (2.0, 15.0), 10.0


def main() -> None:
    """Runs the searches, and prints how each ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=20, help="workers to kill, in all searches together")
    parser.add_argument("--drivers", type=int, default=10, help="drivers to kill")
    parser.add_argument("--searches", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--folder", type=Path, help="where the runs stay; default: they go")
    parser.add_argument("--also", nargs="*", default=[], help="further settings of each search")
    given = parser.parse_args()
    print(machine())
    draw = random.Random(given.seed)
    deaths = ["worker"] * given.workers + ["driver"] * given.drivers
    draw.shuffle(deaths)
    settings = [*SMALL, *given.also]
    with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory() as folder:
        # TensorBoard shows the name of the folder.
        whole = Path(folder, "whole", "run")
        if _started(settings, whole, 1).wait() != 0:
            raise SystemExit("the search that nobody disturbed failed")
        happened = 0
        for number in range(given.searches):
            run = Path(folder, f"cut-{number}", "run")
            ended = _disturbed(settings, run, deaths[number :: given.searches], draw)
            differs = _differences(run, whole)
            happened += len(ended)
            print(f"search {number}: {', '.join(ended)}; {', '.join(differs) or 'nothing differs'}", flush=True)
            if differs:
                raise SystemExit(1)
    print(f"{happened} deaths of {len(deaths)}, {given.searches} searches as the one that nobody disturbed")


def _disturbed(settings: Sequence[str], run: Path, deaths: Sequence[str], draw: random.Random) -> list[str]:
    """Runs a search to its end; gives the deaths that it lived to see."""
    workers, ended = 2, []
    driver = _started(settings, run, workers)
    for death in deaths:
        time.sleep(draw.uniform(*_MOMENTS) + (_START if death == "driver" else 0))
        while death == "worker" and driver.poll() is None and not _workers(driver.pid):
            time.sleep(0.1)
        if driver.poll() is not None:
            break
        if death == "worker":
            with suppress(ProcessLookupError, IndexError):  # it ended by itself just now
                os.kill(draw.choice(_workers(driver.pid)), signal.SIGKILL)
                ended.append("worker")
            continue
        driver.kill()
        driver.wait()
        workers = draw.choice([one for one in (1, 2, 3) if one != workers])
        ended.append(f"driver, then {workers}")
        # A kill before there was anything to resume: the same command again.
        driver = _started([f"resume={run}"] if (run / "inputs.json").exists() else settings, run, workers)
    if driver.wait() != 0:
        raise SystemExit(f"{run} failed with {driver.returncode}")
    return ended


def _started(settings: Sequence[str], run: Path, workers: int) -> subprocess.Popen[bytes]:
    told = [*settings, f"parallel.workers={workers}"]
    if not settings[0].startswith("resume="):
        told.append(f"hydra.run.dir={run}")
    return subprocess.Popen([sys.executable, "-m", "search", *told], stdout=subprocess.DEVNULL)


def _workers(driver: int) -> list[int]:
    """The processes of a driver's workers: forks of its server, or its own."""
    children: dict[int, list[int]] = {}
    command: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.name))
            command[int(path.name)] = (path / "cmdline").read_text()
    own = children.get(driver, [])
    servers = [one for one in own if "forkserver" in command.get(one, "")]
    spawned = [one for one in own if "spawn_main" in command.get(one, "")]
    return [*spawned, *(fork for one in servers for fork in children.get(one, []))]


def _differences(run: Path, whole: Path) -> list[str]:
    """Names the files and TensorBoard runs of a run that are not as in the other one."""
    same = _leaderboard(run).equals(_leaderboard(whole))
    predictions = [(folder / "predictions.csv").read_bytes() for folder in (run, whole)]
    found = ["leaderboard.csv"] * (not same) + ["predictions.csv"] * (predictions[0] != predictions[1])
    one, other = (_shown(folder) for folder in (run, whole))
    return found + [f"tensorboard/{name}" for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


def _leaderboard(run: Path) -> pd.DataFrame:
    found = pd.read_csv(run / "leaderboard.csv", dtype={"trial_id": str, "parent": str})
    return found.drop(columns=["seconds", "worker"])


def _shown(run: Path) -> dict[str, Any]:
    """The content of TensorBoard without the configuration, which names the number of workers."""
    return {
        name: [line for line in lines if line[0] != "configuration"] if isinstance(lines, list) else lines
        for name, lines in content(run / "tensorboard").items()
    }


if __name__ == "__main__":
    main()
