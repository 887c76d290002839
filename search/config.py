"""The schema that every YAML file and override is checked against, and the checks that types cannot make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class DatasetConfig:
    """Where the texts and labels are, how to read them, what to clean and how to split.

    Sizes below 1 are fractions of the rows, whole numbers from 1 are counts of rows.
    """

    name: str = MISSING
    """Names the folder of the run."""
    path: str | None = None
    """The person's own file or folder; wins over `file`, `url` and `package`."""
    text: str = "text"
    label: str = "label"
    format: str = "auto"
    """auto (by the ending), csv, tsv, parquet, jsonl or folder."""
    separator: str | None = None
    """Field separator of a CSV; null: a comma, or a tab for .tsv."""
    encoding: str = "utf-8"
    member: str | None = None
    """The table (or folder) inside an archive that holds several."""
    test_path: str | None = None
    """A labelled file of its own for the test split; null: the test split is taken from `path`."""
    test_member: str | None = None
    file: str | None = None
    """Name looked for in `paths.data`, and given to what is downloaded from `url`."""
    url: str | None = None
    checksum: str | None = None
    """pooch's notation, `sha256:…` or `md5:…`; null: not known."""
    package: str | None = None
    """A Python package that carries the corpus; `file` is then the path inside it."""
    classes: list[Any] | None = None
    """Keep rows of these classes only; null: all."""
    positive: Any = None
    """The positive class of a binary task; null: the last one in sorted order."""
    label_ranges: dict[str, dict[str, float]] | None = None
    """Turns a column of numbers into classes: name -> {min, max}, both inclusive; the first that fits wins."""
    missing: str = "drop"
    """Rows without a text or label: drop or error."""
    duplicates: str = "first"
    """Rows with the same text and label: first (keep one), keep (all, in one split) or error."""
    conflicts: str = "majority"
    """Rows with the same text and different labels: majority (a tie drops them), drop or error."""
    limit: int | None = None
    """Take a stratified sample of this many rows, for a quick look."""
    train_size: int | float | None = None
    """null: all that valid and test leave."""
    valid_size: int | float = 0.1
    test_size: int | float = 0.1


@dataclass
class ModuleConfig:
    """Settings of the modules that this package builds itself."""

    vocabulary: int = 100_000
    """Words in the table of a word-vector module, the most frequent first."""


@dataclass
class TunerConfig:
    """The algorithm of the search and what it may spend."""

    name: str = MISSING
    """hyperband, random, bayesian or grid."""
    max_epochs: int = 9
    """Epochs of a trial trained in full."""
    factor: int = 3
    """Hyperband keeps one in `factor` trials and trains it `factor` times longer."""
    iterations: int = 1
    """How often the whole of Hyperband is run."""
    max_trials: int | None = None
    """No further trial is started; null: as many as the algorithm asks for."""
    max_total_epochs: int | None = None
    """No further trial is started once the trials together have trained so many epochs; null: no limit."""
    patience: int | None = None
    """Epochs without a better objective after which a trial stops early; null: never."""


@dataclass
class ObjectiveConfig:
    """What the trials are ranked by: a metric of the validation split."""

    name: str = "auto"
    """auto (average precision where binary, macro F1 else) or a logged metric, such as val_loss or val_accuracy."""
    direction: str = "auto"
    """max, min, or auto: known for every metric of this package."""


@dataclass
class PathsConfig:
    """Folders; relative ones start at the working directory."""

    data: str = "data"
    modules: str = MISSING
    outputs: str = "outputs"


@dataclass
class Config:
    """The whole configuration of a run."""

    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    module: ModuleConfig = field(default_factory=ModuleConfig)
    space: dict[str, Any] = field(default_factory=dict)
    tuner: TunerConfig = field(default_factory=TunerConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    device: str = "auto"
    """auto (a GPU where there is one), cpu or gpu."""
    mixed_precision: bool = False
    seed: int = 0
