"""The search as `search.job.pipeline` runs it, from the oracle to the end of the last trial."""

from __future__ import annotations

from job import DROPOUT, FACTOR, LAYERS, LEARNING_RATE, OBJECTIVE, UNITS, Job, Outcome, valid_scores
from measure import Stopwatch, disk, peak_memory

from search.backbones.base import SavedModule
from search.backbones.hub.module import HubModule
from search.config import ObjectiveConfig
from search.config.tuner import TunerConfig
from search.datasets import Splits
from search.features.cache import FeatureCache
from search.models.classifier import Classifier
from search.reporting.tensorboard import TensorBoardWriter
from search.training.trainable import TrainableHyperModel
from search.tuning.objective import make_objective
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from search.utils.device import configure
from spaces import space_from

_MODULE = "module"


def search_ours(job: Job) -> Outcome:
    """Hyperband of this package; what its cache of features holds of the texts decides whether that is cold or warm."""
    splits = job.splits()
    configure("auto", mixed_precision=False)
    config = TunerConfig(name="hyperband", max_epochs=job.max_epochs, factor=FACTOR, max_trials=job.max_trials)
    stopwatch = Stopwatch()
    tuner, _ = run_search(job, splits, config)
    seconds = stopwatch.read()

    epochs = sum(record.epochs - record.initial_epoch for record in tuner.records.values())
    used, memory = disk(job.folder), peak_memory()
    best = Classifier(tuner.load_model(tuner.oracle.get_trial(tuner.ranking()[0].trial_id)), splits.classes, None)
    scores = valid_scores(splits.valid.labels, best.probabilities(splits.valid.texts))
    return Outcome(*seconds, len(tuner.records), epochs, *scores, memory, used)


def run_search(job: Job, splits: Splits, config: TunerConfig) -> tuple[Tuner, float]:
    """Does as `search.job.pipeline`, from the cache of features to the end of `tuner.search`.

    Returns:
        The tuner, and the seconds that passes over the texts took.
    """
    space = space_from(
        {
            "modules": [_MODULE],
            "trainable": [False],
            "layers": LAYERS,
            "units": UNITS,
            "activation": "relu",
            "dropout": DROPOUT,
            "learning_rate": LEARNING_RATE,
            "optimizer": "adam",
            "batch_size": job.batch,
            "class_weight": "none",
        },
        rows=len(splits.train),
    )
    passes, backbones = _Passes(), {_MODULE: HubModule(SavedModule(_MODULE, job.module))}
    objective = make_objective(ObjectiveConfig(OBJECTIVE), splits.target)
    hypermodel = TrainableHyperModel(space, backbones, splits.target, job.seed, FeatureCache(job.cache))
    hypermodel.observe_passes(passes)
    tuner = Tuner(
        make_oracle(config, objective, job.seed),
        hypermodel,
        max_epochs=config.max_epochs,
        keep=config.keep,
        observers=[TensorBoardWriter(job.folder / "tensorboard", space, objective)],
        directory=str(job.folder),
        project_name="trials",
    )
    tuner.search(splits.train, splits.valid, verbose=0)
    return tuner, passes.seconds


class _Passes:
    """Adds up what the passes over the texts take."""

    seconds = 0.0

    def on_pass_begin(self, module: str, texts: int, cached: int) -> None:
        """Nothing to do yet."""

    def on_pass_progress(self, done: int) -> None:
        """Nothing to do yet."""

    def on_pass_end(self, computed: int, seconds: float) -> None:
        """Counts the pass."""
        self.seconds += seconds
