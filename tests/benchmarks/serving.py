"""How many texts `python -m search.serve` answers in a second, beside what `python -m search.predict` does of them.

    python tests/benchmarks/serving.py outputs/quora/2026-01-31_12-00-00 questions.csv --text question_text

The server is a process of its own, and so are its clients, which share the machine's cores with it; each of their
connections asks again as soon as it has its answer. The command reads the same texts from the file and writes the
scored one. They are measured in turns, and the fastest of their rounds count.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from measure import in_own_process, machine, print_table
from predict import measure

_ASKED = ((1000, 4), (100, 8), (10, 32), (1, 64))
"""Texts of a request, and connections."""


@contextmanager
def server(run: Path) -> Iterator[tuple[int, str]]:
    """Serves a run while the block runs; gives the port and the path to ask."""
    command = [sys.executable, "-m", "search.serve", f"run={run}", "port=0", "device=cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.]+:(\d+)(\S+)", process.stdout.readline())
        assert found is not None
        try:
            yield int(found[1]), found[2]
        finally:
            process.send_signal(signal.SIGTERM)


def ask(port: int, path: str, texts: Sequence[str], size: int, connections: int, seconds: float) -> float:
    """Asks a server for some seconds; gives the texts that were answered in each of them."""
    bodies = [
        json.dumps({"instances": texts[start : start + size]}).encode()
        for start in range(0, min(len(texts), 50 * size) - size + 1, size)
    ]
    end = time.monotonic() + seconds

    def client(first: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        answered = 0
        while time.monotonic() < end:
            connection.request("POST", path, bodies[(first + answered) % len(bodies)])
            response = connection.getresponse()
            content = response.read()
            assert response.status == 200, content
            answered += 1
        return answered

    begun = time.monotonic()
    with ThreadPoolExecutor(connections) as threads:
        answered = sum(threads.map(client, range(connections)))
    return answered * size / (time.monotonic() - begun)


def main() -> None:
    """Runs the benchmark that the command line describes."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("table", type=Path, help="a CSV")
    parser.add_argument("--text", default="text", metavar="COLUMN")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    print(machine())
    with arguments.table.open(encoding="utf-8", newline="") as file:
        texts = [row[arguments.text] for row in csv.DictReader(file)]
    command, answered = 0, dict.fromkeys(_ASKED, 0.0)
    with server(arguments.run) as (port, path):
        for _ in range(arguments.rounds):
            rows, _ = in_own_process(measure, arguments.run, arguments.table, arguments.text, 1)
            command = max(command, rows[-1][1])
            for size, connections in _ASKED:
                found = in_own_process(ask, port, path, texts, size, connections, arguments.seconds)
                answered[size, connections] = max(answered[size, connections], found)
    lines = [["command", command, "1.00"]]
    for (size, connections), found in answered.items():
        lines.append([f"{connections} connections, {size} texts a request", int(found), f"{found / command:.2f}"])
    print_table(["what", "texts a second", "of the command"], lines)


if __name__ == "__main__":
    main()
