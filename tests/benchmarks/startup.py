"""How long a run takes to begin its first trial, beside what importing TensorFlow alone takes.

    python tests/benchmarks/startup.py dataset=tweets 'space.trainable=[false]'

The arguments are those of `python -m search`. A first run fills the cache of features; the others are
ended when their first trial begins. Each start and each import has a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

_REPEATS = 3
_IMPORT = "import tensorflow"
_RUN = """
import sys
from search.commands.search import main
from search.tuning.runner import TrialRunner
from search.tuning.tuner import Tuner

def begin(self, *_, **__):
    raise KeyboardInterrupt

{until} = begin
sys.exit(0 if main(sys.argv[1:]) == 130 else 1)
"""


def seconds(code: str, *arguments: str) -> float:
    """Runs Python code in a process of its own; how long it took."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    return time.monotonic() - started


def main() -> None:
    """Prints both, the shortest of a few."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = [f"paths.features={scratch}/features", *sys.argv[1:]]

        def run(number: int, until: str) -> float:
            return seconds(_RUN.format(until=until), f"hydra.run.dir={scratch}/{until}{number}", *arguments)

        run(0, "Tuner.tell")
        tensorflow = min(seconds(_IMPORT) for _ in range(_REPEATS))
        search = min(run(i, "TrialRunner.run") for i in range(_REPEATS))
    print(f"import tensorflow {tensorflow:.1f} s; to the first trial {search:.1f} s, {search - tensorflow:.1f} s more")


if __name__ == "__main__":
    main()
