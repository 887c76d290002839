"""The schema that every YAML file and override is checked against, and the checks that types cannot make."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, MissingMandatoryValue, OmegaConf

from search.errors import InputError
from search.utils.domains import LABELS, check, choice, number, without_unknown
from search.utils.paths import PATH, absolute_path, cache_folder, make_absolute, shown

DEVICES = ("auto", "cpu", "gpu")
TUNERS = ("hyperband", "random", "bayesian", "grid")
KEPT = ("all", "promotable", "best")
FEATURE_TYPES = ("float32", "float16")
POOLINGS = ("auto", "mean", "max", "first")
DIRECTIONS = ("auto", "max", "min")


@dataclass
class DatasetConfig:
    """Where the texts and labels are, how to read them, what to clean and how to split.

    Sizes below 1 are fractions of the rows, whole numbers from 1 are counts of rows.
    """

    name: str = MISSING
    """Names the folder of the run."""
    path: str | None = field(default=None, metadata=PATH)
    """The person's own file or folder; wins over `file`, `url` and `package`."""
    text: str = "text"
    label: str = "label"
    format: str = "auto"
    """auto (by the ending), csv, tsv, parquet, jsonl or folder."""
    separator: str | None = None
    """Field separator of a CSV; null: what a first line `sep=;` says, else a comma, or a tab for .tsv."""
    header: bool = True
    """Whether the first row of a CSV names its columns; false: they are named by their number, from 1 on."""
    quoting: str = "auto"
    """Quotes of a CSV: double (a quote within quotes is doubled), backslash (or stands behind a backslash), none (they
    mean nothing), or auto: double, unless none would fit just as well, which is an error."""
    encoding: str = "utf-8"
    undecodable: str = "error"
    """Bytes that are not of the encoding: error or replace (by U+FFFD, the replacement character)."""
    max_row_mib: float = number(16.0, least=0.001, most=1024)
    """Length in MiB above which a row, or a text of a folder, is taken for a mistake."""
    max_unpacked_gib: float | None = number(8.0, above=0)
    """Size in GiB above which an archive or Parquet file is not unpacked; null: no limit."""
    member: str | None = None
    """The table (or folder) inside an archive that holds several."""
    test_path: str | None = field(default=None, metadata=PATH)
    """A labelled file of its own for the test split; null: the test split is taken from `path`."""
    test_member: str | None = None
    valid_path: str | None = field(default=None, metadata=PATH)
    """A labelled file of its own for the validation split; null: it is taken from what test leaves."""
    valid_member: str | None = None
    split_column: str | None = None
    """The column that says of each row which split it is in: train, valid or test; null: there is none."""
    recipe: list[Any] | None = None
    """A published split row for row, made again step by step as it was published, on the rows that cleaning leaves:
    {shuffle: 42} and {take: test, test_size: 0.1, random_state: 42, stratify: false}, as `train_test_split` of
    scikit-learn takes them. What no step takes is the training split; null: this package's own split."""
    file: str | None = None
    """Name looked for in `paths.data`, and given to what is downloaded from `url`."""
    url: str | None = None
    checksum: str | None = None
    """pooch's notation, `sha256:…` or `md5:…`; null: not known."""
    package: str | None = None
    """A Python package that carries the corpus; `file` is then the path inside it."""
    licence: str | None = None
    """Under which the data may be used, for the model card; null: not known."""
    submission: list[str] | None = None
    """Columns of a Kaggle submission: a row's identifier, and its class; null: nobody asks for one."""
    unlabelled_path: str | None = field(default=None, metadata=PATH)
    """A CSV or TSV without labels, of which the model of `final_refit` makes the `submission`; null: none."""
    unlabelled_member: str | None = None
    """The same as a member of the data set's archive, or of the one that `unlabelled_path` names."""
    classes: list[Any] | None = field(default=None, metadata=LABELS)
    """Keep rows of these classes only; null: all."""
    positive: Any = field(default=None, metadata=LABELS)
    """The positive class of a binary task; null: the last one in sorted order."""
    label_ranges: Any = None
    """Turns a column of numbers into classes: name -> {min, max}, both inclusive; the first that fits wins.

    Any, as OmegaConf 2.3 cannot override a typed dictionary that is null.
    """
    missing: str = "drop"
    """Rows without a text or label: drop or error."""
    duplicates: str = "first"
    """Rows with the same text and label: first (keep one), keep (all, in one split; sizes count texts) or error."""
    conflicts: str = "majority"
    """Rows with the same text and different labels: majority (a tie drops them), drop, keep (each label) or error."""
    shared: str = "drop"
    """Texts in two splits, where files, a column or a recipe make the splits: drop (from train, and what stands in
    test from valid too), keep (as published; how many is said) or error."""
    stratify: bool = True
    """Whether each split gets its share of each class; false: what a plain shuffle gives it."""
    limit: int | None = None
    """Take a stratified sample of this many rows of each file, or of each split that a column or a recipe makes, for a
    quick look."""
    train_size: int | float | None = None
    """null: all that valid and test leave."""
    train_fraction: float = 1.0
    """Learn from this part of the training split only, stratified; the parts of one seed lie within each other. Valid
    and test stay as they are, and the best configuration is refitted without valid."""
    folds: int | None = None
    """Cross-validation: trials are ranked by the mean over so many folds of train, each held out in turn, and there is
    no validation split; null: one validation split."""
    valid_size: int | float = 0.1
    test_size: int | float = 0.1


@dataclass
class ModuleConfig:
    """Settings of the modules that this package builds itself, or puts together."""

    vocabulary: int = number(50_000, least=1)
    """Words in the table of a word-vector module, the most frequent first."""
    preprocessor: str | None = None
    """Handle or folder of what makes of texts the tensors that some modules take, as BERT does; null: none."""
    pooling: str = choice("auto", POOLINGS)
    """Modules that give a vector for each token: mean, max, first (BERT's [CLS]), or auto: the module's own for each
    text where it gives one too, else the mean."""
    max_unpacked_gib: float | None = number(20.0, above=0, most=2**30)
    """What may come out of the archive of a module, in GiB; null: no limit."""


@dataclass
class FeaturesConfig:
    """The cache of what frozen modules give for texts."""

    dtype: str = choice("float32", FEATURE_TYPES)
    """How they are stored: float32, or float16 at half the size and about 3 digits."""
    max_gib: float | None = number(10.0, least=0, most=2**30)
    """Size of the cache above which the features that were not used for longest leave; null: no limit."""


@dataclass
class TunerConfig:
    """The algorithm of the search and what it may spend."""

    name: str = choice(MISSING, TUNERS)
    """hyperband, random, bayesian or grid."""
    max_epochs: int = number(9, least=1)
    """Epochs of a trial trained in full."""
    factor: int = number(3, least=2)
    """Hyperband keeps one in `factor` trials and trains it `factor` times longer."""
    min_epochs: int = number(1, least=1)
    """Hyperband: the fewest epochs a trial gets before the worst are dropped."""
    iterations: int = number(1, least=1)
    """How often the whole of Hyperband is run."""
    max_trials: int | None = number(None, least=1)
    """No further trial is started; null: as many as the algorithm asks for."""
    max_total_epochs: int | None = number(None, least=1)
    """No further trial is started once the trials together have trained so many epochs; null: no limit."""
    max_seconds: float | None = number(None, least=1)
    """No further trial is started that would not leave time for the refit before so many seconds; null: no limit."""
    max_parameters: int | None = number(None, least=1)
    """A larger model fails its trial before it is trained; null: no limit."""
    max_failures: int | None = number(None, least=1)
    """Failed trials in all that end the search; null: as many as there are trials in the plan."""
    max_consecutive_failures: int | None = number(10, least=1)
    """Failed trials in a row that end the search; null: no limit."""
    patience: int | None = number(None, least=1)
    """Epochs without a better objective after which a trial stops early; null: never."""
    keep: str = choice("promotable", KEPT)
    """Checkpoints that stay: all, promotable (and the best trial's), or best (in the end the best trial's alone)."""


@dataclass
class ObjectiveConfig:
    """What the trials are ranked by: a metric of the validation split."""

    name: str = "auto"
    """auto (average precision where binary, macro F1 else) or a logged metric, such as val_loss or val_accuracy."""
    direction: str = choice("auto", DIRECTIONS)
    """max, min, or auto: known for every metric of this package."""
    max_ms_per_text: float | None = number(None, above=0)
    """Nothing is searched whose module or encoder takes longer on this machine, in batches of 256; null: no limit."""


@dataclass
class EnsembleConfig:
    """Several classifiers as one, after the search."""

    trials: int = number(0, least=0)
    """How many of the best trials are combined with each other and the baselines, each refitted; 0: none are."""


@dataclass
class TensorBoardConfig:
    """What is written for TensorBoard only where it is asked for."""

    histograms: bool = False
    """Histograms of the refitted model's weights, after every epoch."""


@dataclass
class PathsConfig:
    """Folders."""

    data: str = field(default="data", metadata=PATH)
    modules: str = field(default=MISSING, metadata=PATH)
    features: str = field(default=MISSING, metadata=PATH)
    outputs: str = field(default="outputs", metadata=PATH)


@dataclass
class Config:
    """The whole configuration of a run."""

    resume: str | None = field(default=None, metadata=PATH)
    """The folder of an interrupted run to go on with, in its own configuration."""
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    module: ModuleConfig = field(default_factory=ModuleConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    space: dict[str, Any] = field(default_factory=dict)
    tuner: TunerConfig = field(default_factory=TunerConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    tensorboard: TensorBoardConfig = field(default_factory=TensorBoardConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    device: str = choice("auto", DEVICES)
    """auto (a GPU where there is one), cpu or gpu."""
    threshold: float | None = number(None, least=0, most=1)
    """Two classes: positive is what reaches this probability; null: the threshold with the best F1 on valid."""
    final_refit: bool = False
    """Train the best configuration once more, on test too, after it was tested: model_all/, which is not evaluated."""
    mixed_precision: bool = False
    seed: int = number(0, least=0, most=2**32 - 1)


def register() -> None:
    """Makes known to Hydra what conf/config.yaml uses: the schema it starts from, and how it reads paths."""
    ConfigStore.instance().store(name="schema", node=Config)
    OmegaConf.register_new_resolver("path", lambda path: str(absolute_path(path, "paths.outputs")), replace=True)
    OmegaConf.register_new_resolver("cache", cache_folder, replace=True)
    OmegaConf.register_new_resolver("folder_name", _folder_name, replace=True)


def _folder_name(name: str) -> str:
    """The name of a data set, which names the folder of its runs."""
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise InputError(
            f"dataset.name={shown(name)} cannot name a folder: letters, digits, '.', '_' and '-' can, up to 100."
        )
    return name


def configuration_folder() -> Path:
    """The folder of the YAML files: inside the package where it was installed as a wheel, beside it in a checkout."""
    packaged = Path(__file__).parent / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "conf"


def saved_settings(run: Path, key: str) -> DictConfig:
    """Reads the settings that a run was begun with.

    Args:
        run: Its folder.
        key: The setting or argument that names it, for messages.

    Returns:
        Those of its settings that there still are, the others at their defaults.

    Raises:
        InputError: There is no run, or its configuration is damaged.
    """
    path = run / ".hydra" / "config.yaml"
    if not path.is_file():
        raise InputError(f"{key}={run}: there is no run, {path} is missing.")
    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
        if not isinstance(content, dict) or not content:
            raise ValueError("it holds no settings")
        saved = OmegaConf.merge(OmegaConf.structured(Config), without_unknown(content, Config))
    except Exception as error:  # YAML and OmegaConf raise many types for a damaged file
        raise InputError(f"{path} is damaged ({str(error).splitlines()[0]}): take it back from a copy.") from error
    assert isinstance(saved, DictConfig)
    return saved


def checked(node: DictConfig) -> Config:
    """Turns a composed configuration into the dataclasses, after the checks that types cannot make.

    Args:
        node: What Hydra composed from the YAML files and the overrides; its paths are made absolute.

    Returns:
        The same as a `Config`.

    Raises:
        InputError: A value is missing, unknown or impossible; the message names its key.
    """
    make_absolute(node, Config)
    settings = OmegaConf.to_container(node, resolve=True)
    assert isinstance(settings, dict)
    check(settings, Config)
    try:
        config = OmegaConf.to_object(node)
    except MissingMandatoryValue as error:
        raise InputError(f"{error.full_key} must be given, for example {error.full_key}=…") from error
    assert isinstance(config, Config)
    _folder_name(config.dataset.name)
    tuner = config.tuner
    if tuner.min_epochs > tuner.max_epochs:
        raise InputError(f"tuner.min_epochs={tuner.min_epochs} is above tuner.max_epochs={tuner.max_epochs}.")
    if tuner.max_trials is None and tuner.name in ("random", "bayesian"):
        raise InputError(f"tuner.max_trials must be given for tuner={tuner.name}: it would never end by itself.")
    return config
