"""The configuration and the answer as texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from tensorboard.plugins.text.summary_v2 import text_pb

from search.evaluation.metric_list import Target
from search.reporting.tables import meaning_of_classes
from search.reporting.tensorboard.events import EventFile


def write_configuration(folder: Path, composed: DictConfig) -> None:
    """Writes the composed configuration, as the run folder has it.

    Args:
        folder: The run.
        composed: The configuration that Hydra composed.
    """
    # Whether the run was resumed is not of its configuration.
    settings = [str(key) for key in composed if key != "resume"]
    text = OmegaConf.to_yaml(OmegaConf.masked_copy(composed, settings), resolve=True)
    # A block of code: neither its indentation nor its signs mean anything to TensorBoard's Markdown.
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    _write(folder, "configuration", {"configuration": indented})


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Writes the answer: the best configuration, and its metrics with intervals beside the baselines'.

    Args:
        folder: The run.
        summary: The content of summary.json.
    """
    best = [[name, _number(value)] for name, value in summary["best"].items()]
    baselines = {name: one["test"] for name, one in summary["baselines"].items() if "test" in one}
    metrics = [
        [
            name,
            _number(summary["valid"].get(name)),
            f"**{_number(value)}**",
            " to ".join(map(_number, summary["test_interval"].get(name) or ())),
            *(_number(test.get(name)) for test in baselines.values()),
        ]
        for name, value in summary["test"].items()
    ]
    splits = list(summary["sizes"])
    sizes = [[name, *(f"{summary['sizes'][split][name]:,}" for split in splits)] for name in summary["classes"]]
    threshold = summary["threshold"]
    chosen = f" Decision threshold: {threshold:.4f}." if isinstance(threshold, float) else ""
    meaning = meaning_of_classes(summary["classes"], Target.of(summary))
    chosen += f" {_plain(meaning)}." if meaning else ""
    heading = f"{_plain(summary['verdict']['text'])}\n\nBest trial: {summary['best_trial']}.{chosen}"
    parts = {
        "best": f"{heading}\n\n{_table(['best configuration', ''], best)}",
        "metrics": _table(["metric", "valid", "test", "95 % interval", *baselines], metrics),
        "rows": _table(["class", *splits], sizes),
    }
    _write(folder, "summary", {f"answer/{name}": part for name, part in parts.items()})


def _write(folder: Path, name: str, texts: Mapping[str, str]) -> None:
    with EventFile(folder, name) as run:
        run.add(0, [text_pb(tag, text) for tag, text in texts.items()])


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_plain, line)) + " |" for line in lines)


def _plain(text: str) -> str:
    """A name whose signs Markdown would read as its own."""
    return text.replace("\\", "\\\\").replace("|", "&#124;").replace("_", "\\_").replace("<", "&lt;")


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
