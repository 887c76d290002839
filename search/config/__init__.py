"""The schema that every YAML file and override is checked against, and the checks that types cannot make."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, MissingMandatoryValue, OmegaConf

from search.config.dataset import DatasetConfig
from search.config.tuner import RANDOM, ParallelConfig, TunerConfig
from search.errors import InputError
from search.utils.constraints import check, choice, number, without_unknown
from search.utils.paths import PATH, absolute_path, cache_folder, make_absolute, shown
from spaces import AUTO

DEVICES = ("auto", "cpu", "gpu")
FEATURE_TYPES = ("float32", "float16")
POOLINGS = ("auto", "mean", "max", "first")
DIRECTIONS = ("auto", "max", "min")
TRACKERS = ("mlflow", "optuna", "wandb")
GIVEN = "data"
"""The folder of a run with the tables that it was given from Python."""


@dataclass
class ModuleConfig:
    """Settings of the modules that this package builds or composes."""

    vocabulary: int = number(50_000, least=1)
    """Words in the table of a word-vector module, the most frequent first."""
    preprocessor: str | None = None
    """Handle or folder of the preprocessor that turns texts into a module's inputs, as BERT needs one; null: none."""
    pooling: str = choice("auto", POOLINGS)
    """For modules that give a vector for each token: mean, max, first (BERT's [CLS]), or auto: the module's own vector
    for each text where it gives one too, else the mean."""
    prompt: str | None = None
    """Put before each text by encoders in Hugging Face's layout; null: as in their own files."""
    max_unpacked_gib: float | None = number(20.0, above=0, most=2**30)
    """Unpacked size of a module's archive, at most, in GiB; null: no limit."""


@dataclass
class FeaturesConfig:
    """The cache of the features of frozen modules."""

    dtype: str = choice("float32", FEATURE_TYPES)
    """Type of stored features: float32, or float16 at half the size and about 3 digits."""
    max_gib: float | None = number(10.0, least=0, most=2**30)
    """Size of the cache, above which the least recently used features are removed; null: no limit."""


@dataclass
class ObjectiveConfig:
    """The objective, a metric of the validation split that ranks the trials."""

    name: str = "auto"
    """auto (average precision where binary, macro F1 else) or a logged metric, such as val_loss or val_accuracy."""
    direction: str = choice("auto", DIRECTIONS)
    """max, min, or auto: known for every metric of this package."""
    max_ms_per_text: float | None = number(None, above=0)
    """Leave out modules and encoders that take longer on this machine, in batches of 256; null: no limit."""


@dataclass
class EnsembleConfig:
    """Several classifiers as one, after the search."""

    trials: int = number(0, least=0)
    """Number of the best trials to combine with each other and the baselines, each refitted; 0: none."""


@dataclass
class TensorBoardConfig:
    """Optional data for TensorBoard."""

    histograms: bool = False
    """Histograms of the refitted model's weights, after every epoch."""


@dataclass
class PathsConfig:
    """Folders."""

    data: str = field(default="data", metadata=PATH)
    """The folder in which data files are looked for, and to which they are downloaded."""
    modules: str = field(default=MISSING, metadata=PATH)
    """The folder of modules that were built or downloaded; `${cache:}` is the variable SEARCH_CACHE, or
    ~/.cache/search."""
    features: str = field(default=MISSING, metadata=PATH)
    """The folder of the features of frozen modules."""
    outputs: str = field(default="outputs", metadata=PATH)
    """The folder in which the folders of runs are made."""


@dataclass
class Config:
    """The whole configuration of a run."""

    resume: str | None = field(default=None, metadata=PATH)
    """The folder of an interrupted run to resume, in its own configuration."""
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    module: ModuleConfig = field(default_factory=ModuleConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    space: dict[str, Any] = field(default_factory=dict)
    tuner: TunerConfig = field(default_factory=TunerConfig)
    parallel: ParallelConfig = field(default_factory=ParallelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    tensorboard: TensorBoardConfig = field(default_factory=TensorBoardConfig)
    tracker: str | None = choice(None, TRACKERS)
    """Reports the run, as it goes, to mlflow, optuna (a storage for optuna-dashboard) or wandb; null: to none. Where to
    is said by the variables of their own, such as MLFLOW_TRACKING_URI: docs/python.md."""
    paths: PathsConfig = field(default_factory=PathsConfig)
    device: str = choice("auto", DEVICES)
    """auto (a GPU where there is one), cpu or gpu."""
    threshold: float | None = number(None, least=0, most=1)
    """Two classes: the probability from which a text is positive; null: the threshold with the best F1 on valid."""
    final_refit: bool = False
    """Train the best configuration once more after the test, on test too: model_all/, which is not evaluated."""
    mixed_precision: bool = False
    """Compute in float16, on a GPU that is fast at it."""
    seed: int = number(0, least=0, most=2**32 - 1)
    """Seed of everything random: splits, configurations, weights, the order of rows."""


def register() -> None:
    """Registers with Hydra what conf/config.yaml uses: the schema, and resolvers of paths."""
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
    packaged = Path(__file__).parents[1] / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "conf"


def saved_settings(run: Path, key: str) -> DictConfig:
    """Reads the settings that a run was begun with.

    Args:
        run: Its folder.
        key: The setting or argument that names it, for messages.

    Returns:
        Its settings, as far as they still exist; new ones have their defaults.

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
        raise InputError(f"{path} is damaged ({str(error).splitlines()[0]}): restore it from a copy.") from error
    assert isinstance(saved, DictConfig)
    _find_given(saved, run)
    return saved


def _find_given(saved: DictConfig, run: Path) -> None:
    """Finds the tables in a run's own folder there, wherever that was moved to."""
    for key in ("path", "valid_path", "test_path"):
        path = OmegaConf.select(saved, f"dataset.{key}", throw_on_missing=False)
        if path is not None and Path(path).parent.name == GIVEN and (own := run / GIVEN / Path(path).name).is_file():
            saved.dataset[key] = str(own.absolute())


def checked(node: DictConfig) -> Config:
    """Turns a composed configuration into the dataclasses, after the checks that types cannot make.

    Args:
        node: The configuration that Hydra composed from the YAML files and the overrides; its paths are made absolute.

    Returns:
        The configuration as a `Config`.

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
    if tuner.sampler != RANDOM and tuner.name not in ("hyperband", "asha"):
        raise InputError(
            f"tuner.sampler={tuner.sampler} is for tuner=hyperband and tuner=asha: tuner={tuner.name} has its own way."
        )
    workers = config.parallel.workers
    if workers != AUTO and not (type(workers) is int and workers >= 1):
        raise InputError(f"parallel.workers={workers} is impossible: expected 1 or more, or auto.")
    gpus = config.parallel.gpus_per_trial
    if gpus > 1 and gpus != int(gpus):
        raise InputError(f"parallel.gpus_per_trial={gpus} is impossible: expected a part of one, or a whole number.")
    if config.parallel.address is not None and (config.parallel.engine != "ray" or workers == AUTO):
        raise InputError(
            "parallel.address is of a Ray cluster: it needs parallel.engine=ray and a number of parallel.workers."
        )
    if tuner.max_trials is None and tuner.name in ("asha", "random", "bayesian"):
        raise InputError(f"tuner.max_trials must be given for tuner={tuner.name}: it would never end by itself.")
    return config
