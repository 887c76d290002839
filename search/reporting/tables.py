"""Tables of numbers on a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table


def table_of_numbers(*columns: str) -> Table:
    """A table narrow enough for 80 columns; all but the first of its columns hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    return table


def short(value: float | None) -> str:
    """A number with three decimals; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def table_of_ensembles(ensembles: Mapping[str, Any]) -> Table:
    """How each combination of classifiers did beside the best trial alone; the chosen one stands out.

    Args:
        ensembles: That part of summary.json.
    """
    metric = ensembles["metric"]
    table = table_of_numbers("method", "valid", "test", "95 % interval", "gain over\nbest trial", "95 % interval")
    for name, method in ensembles["methods"].items():
        gain = method["against_best"]
        table.add_row(
            f"[bold]{name}[/bold]" if name == ensembles["chosen"] else name,
            short(method["valid"][metric]),
            short(method["test"][metric]),
            " to ".join(short(end) for end in method["test_interval"][metric]),
            f"{gain['gain']:+.4f}",
            " to ".join(f"{end:+.4f}" for end in gain["interval"]),
        )
    return table
