"""How good the answers are: test scores of the search beside every baseline, on six data sets, several seeds each.

It runs the real command: once for the baselines on word counts of a data set and seed, once for that on MiniLM, once
for the default search with its ensemble, once for fine-tuned MiniLM. What they scored is kept in a CSV file, so that
the table can grow over several evenings: what is there is not run again, and a run that was interrupted goes on.

    python tests/benchmarks/quality.py --data ../data                                   # all of it: many hours
    python tests/benchmarks/quality.py --data ../data --dataset disaster --methods default --seeds 0 1 2 --seconds 180
    python tests/benchmarks/quality.py --data ../data --seeds                           # nothing but the table
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from measure import machine

MARKS = "<!-- quality -->", "<!-- /quality -->"
KEPT = ("macro_f1", "accuracy", "average_precision", "f1")
WORD_COUNTS = {
    "majority": "majority",
    "TF-IDF, naive Bayes": "tfidf_naive_bayes",
    "TF-IDF, logistic regression": "tfidf_logistic_regression",
    "NB-weighted logistic regression": "tfidf_nb_logistic_regression",
}
MINILM = {"MiniLM, logistic regression": "backbone_logistic_regression"}
BASELINES = {**WORD_COUNTS, **MINILM}


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        arguments: What the command is told; {data} stands for the folder of `--data`.
        metrics: Those of the table, the objective first.
    """

    arguments: Sequence[str]
    metrics: Sequence[str]


@dataclass(frozen=True)
class Command:
    """A run that several cells of the table are read from.

    Attributes:
        arguments: What it is told besides the data, the seed and, where it searches, the time.
        searches: Whether the result depends on the time it is given.
        cells: Gives, of summary.json, the test metrics of each method.
    """

    arguments: Sequence[str]
    searches: bool
    cells: Callable[[Mapping[str, Any]], dict[str, Mapping[str, float]]]


DATA = {
    "tweets": Data(["dataset=tweets"], ["macro_f1"]),
    "bbc": Data(["dataset=bbc"], ["macro_f1"]),
    "trec": Data(
        [
            *("dataset=csv", "dataset.name=trec", "dataset.path={data}/trec/train.csv"),
            *("dataset.test_path={data}/trec/test.csv", "dataset.text=text", "dataset.label=label"),
        ],
        ["macro_f1", "accuracy"],
    ),
    "disaster": Data(["dataset=disaster", "dataset.path={data}/disaster/train.csv"], ["average_precision", "accuracy"]),
    "quora": Data(["dataset=quora", "dataset.path={data}/quora/train.csv"], ["average_precision", "f1"]),
    "drugs": Data(
        ["dataset=drugs", "dataset.path={data}/drugs/drugscom_subset.csv", "dataset.test_member=null"], ["macro_f1"]
    ),
}


def _named(names: Mapping[str, str]) -> Callable[[Mapping[str, Any]], dict[str, Mapping[str, float]]]:
    """Reads baselines, by their names in the table and in summary.json."""
    return lambda summary: {method: summary["baselines"][name]["test"] for method, name in names.items()}


def _searched(summary: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    found = summary["ensembles"]
    return {"default search": summary["test"], "ensemble": found["methods"][found["chosen"]]["test"]}


# Of one head, where the baselines are what is wanted.
ONE_EPOCH = [
    *("space.trainable=[false]", "space.layers=1", "space.units=[64]"),
    *("tuner=random", "tuner.max_trials=1", "tuner.max_epochs=1"),
]
COMMANDS = {
    "word-counts": Command(["space.modules=[glove-50]", *ONE_EPOCH], False, _named(WORD_COUNTS)),
    "minilm": Command(["space.modules=[minilm]", *ONE_EPOCH], False, _named(MINILM)),
    "default": Command(["ensemble.trials=3"], True, _searched),
    "fine-tuned": Command(
        [
            *("space.modules=[minilm]", "space.trainable=[true]", "space.frozen=[]", "space.layers={min: 0, max: 1}"),
            *("space.fine_tuning_rate.min=2e-5", "space.fine_tuning_rate.max=1e-4", "space.warmup_steps=[100]"),
            *("space.batch_size=[32]", "tuner=random", "tuner.max_trials=4", "tuner.max_epochs=2"),
        ],
        True,
        lambda summary: {"fine-tuned MiniLM": summary["test"]},
    ),
}
METHODS = [*BASELINES, "default search", "fine-tuned MiniLM", "ensemble"]


def main() -> None:
    """Runs what is missing, cell by cell, and writes the table after each."""
    arguments = _arguments()
    print(machine())
    for seed in arguments.seeds:
        for name in arguments.dataset:
            for method in arguments.methods:
                if _is_there(arguments.csv, name, method, seed, arguments.seconds):
                    continue
                summary = _run(name, method, seed, arguments)
                if summary is not None:
                    _keep(arguments.csv, name, method, seed, arguments.seconds, summary)
                    write_table(arguments.csv, arguments.page)
    write_table(arguments.csv, arguments.page)


def write_table(csv: Path, page: Path) -> None:
    """Writes what a CSV file holds into a page, between its two marks."""
    lines = "\n".join(table(_read(csv)))
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    page.write_text(f"{before}{MARKS[0]}\n\n{lines}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")


def table(rows: pd.DataFrame) -> list[str]:
    """The lines of a Markdown table: a row per data set and metric, mean ± standard error, a dash for what is missing.

    Args:
        rows: Columns dataset, method, seed, seconds, and the metrics. Of one method the runs that were given most time
            count.
    """
    lines = [f"| data, metric | {' | '.join(METHODS)} | verdict |", f"|---{'|---' * (len(METHODS) + 1)}|"]
    for name, data in DATA.items():
        for metric in data.metrics:
            cells = {method: _seeds(rows, name, method, metric) for method in METHODS}
            shown = [_cell(cells[method]) for method in METHODS]
            lines.append(f"| {name}, {metric.replace('_', ' ')} | {' | '.join(shown)} | {verdict(cells)} |")
    return lines


def verdict(cells: Mapping[str, pd.Series]) -> str:
    """How the default search stands to the best baseline, by the seeds that both have.

    Args:
        cells: Of each method its scores by seed.
    """
    searched = cells["default search"]
    known = {name: found for name, found in cells.items() if name in BASELINES and len(found)}
    if not len(searched) or not known:
        return "not run"
    means = {name: found.reindex(searched.index).mean() for name, found in known.items()}
    best = max(means, key=lambda name: means[name])
    missing = "" if len(known) == len(BASELINES) else f", of {len(known)} baselines"
    if searched.mean() >= means[best]:
        return f"at or above every baseline{missing}"
    error = known[best].reindex(searched.index).sem()
    if searched.mean() >= means[best] - error:
        return f"within one standard error of {best}{missing}"
    return f"below {best} by {means[best] - searched.mean():.3f}{missing}"


def _seeds(rows: pd.DataFrame, name: str, method: str, metric: str) -> pd.Series:
    """The scores of a method by seed, those of the longest time it was given."""
    found = rows[(rows["dataset"] == name) & (rows["method"] == method)]
    return found[found["seconds"] == found["seconds"].max()].set_index("seed")[metric].sort_index()


def _cell(scores: pd.Series) -> str:
    if not len(scores):
        return "-"
    return f"{scores.mean():.3f}" + (f" ± {scores.sem():.3f}" if len(scores) > 1 else " (one seed)")


def _run(name: str, method: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Runs the command, or goes on with it; gives its summary, None where it failed."""
    command = COMMANDS[method]
    seconds = [f"tuner.max_seconds={arguments.seconds}"] if command.searches else []
    folder = arguments.outputs / f"{name}-{method}-{seed}{f'-{arguments.seconds}' if command.searches else ''}"
    given = [argument.format(data=arguments.data) for argument in DATA[name].arguments]
    told = [*given, *command.arguments, *seconds, f"seed={seed}", f"hydra.run.dir={folder}"]
    if not (folder / "summary.json").is_file():  # else it has ended, and was not noted
        if (folder / ".hydra").is_dir():
            told = [f"resume={folder}"]
        print(f"{name}, {method}, seed {seed}: python -m search {' '.join(told)}", flush=True)
        ended = subprocess.run([sys.executable, "-m", "search", *told], capture_output=True, text=True, check=False)
        if ended.returncode:
            print(f"failed with {ended.returncode}: {ended.stderr.strip()[-500:]}", flush=True)
            return None
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


def _budget(method: str, seconds: int) -> int:
    """The time that is noted with a result; 0 where it depends on none."""
    return seconds if COMMANDS[method].searches else 0


def _is_there(csv: Path, name: str, method: str, seed: int, seconds: int) -> bool:
    rows = _read(csv)
    wanted = (rows["dataset"] == name) & (rows["command"] == method) & (rows["seed"] == seed)
    return bool((wanted & (rows["seconds"] == _budget(method, seconds))).any())


def _keep(csv: Path, name: str, method: str, seed: int, seconds: int, summary: Mapping[str, Any]) -> None:
    cells = COMMANDS[method].cells(summary)
    same = {"dataset": name, "command": method, "seed": seed, "seconds": _budget(method, seconds)}
    found = [
        {**same, "method": one, **{metric: scores.get(metric) for metric in KEPT}} for one, scores in cells.items()
    ]
    rows = pd.concat([_read(csv), pd.DataFrame(found)]) if csv.is_file() else pd.DataFrame(found)
    rows.sort_values(["dataset", "command", "seed", "seconds"], kind="stable").to_csv(
        csv, index=False, float_format="%.5f"
    )


def _read(csv: Path) -> pd.DataFrame:
    if csv.is_file():
        return pd.read_csv(csv)
    return pd.DataFrame(columns=["dataset", "command", "seed", "seconds", "method", *KEPT])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    docs = Path(__file__).parents[2] / "docs"
    parser.add_argument("--data", type=Path, required=True, help="folder of disaster/, quora/, trec/ and drugs/")
    parser.add_argument("--dataset", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--methods", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=int, default=180, help="of a search: tuner.max_seconds")
    parser.add_argument("--outputs", type=Path, default=Path("outputs/quality"), help="where the runs are kept")
    parser.add_argument("--csv", type=Path, default=docs / "quality.csv")
    parser.add_argument("--page", type=Path, default=docs / "quality.md", help="its table is written anew")
    given = parser.parse_args()
    given.data = given.data.resolve()
    return given


if __name__ == "__main__":
    main()
