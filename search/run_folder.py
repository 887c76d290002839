"""The folder of a run and the paths of its files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from search.config import GIVEN
from search.errors import InputError
from search.utils.files import write_text
from search.utils.leftovers import remove_leftovers_below
from search.utils.lock import LOCK, locked
from search.utils.overrides import setting, typed


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run's files; all of them can be moved together."""

    path: Path

    @classmethod
    @contextmanager
    def opened(cls, path: Path, config: DictConfig, overrides: Sequence[str], *, resumed: bool) -> Iterator[RunFolder]:
        """Holds the folder of a run while the block runs, with the run's configuration in it.

        Args:
            path: The folder; unless a run is resumed there, nothing may be in it but data given from Python.
            config: The configuration as composed.
            overrides: The settings of the command line.
            resumed: Whether an interrupted run goes on there.

        Yields:
            The folder; what is logged in the block goes to its search.log.

        Raises:
            InputError: The folder holds another run's files, or another process is at work on them.
        """
        folder = cls(path)
        with locked(path):
            # Only now: what stands there may be the work of a run that is going on.
            if not resumed and any(file.name not in (LOCK, GIVEN) for file in path.iterdir()):
                raise InputError(
                    f"{path} already holds files: choose a new folder with hydra.run.dir=…, remove it, or resume "
                    f"that run with {typed('search', setting('resume', path))}"
                )
            # A run that was killed left them: it alone could write here.
            remove_leftovers_below(path, patience=0)
            write_text(path / ".hydra" / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
            if not resumed:
                write_text(folder.overrides, OmegaConf.to_yaml(OmegaConf.create(list(overrides))))
            with folder.logging():
                yield folder

    def remove_leftovers(self) -> None:
        """Removes leftovers of a process that was killed at work on the run, even after its last file was written.

        Raises:
            InputError: Another process is at work on the run.
        """
        if (self.path / LOCK).exists():  # else nobody was killed, and the folder may be one that is only to be read
            with locked(self.path):
                remove_leftovers_below(self.path, patience=0)

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Sends what is logged, Python's warnings too, to search.log alone while the block runs."""
        handler = logging.FileHandler(self.path / "search.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level, handlers = root.level, root.handlers
        # The terminal belongs to the progress bar: whoever put a handler there gets it back afterwards.
        root.handlers = [handler]
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.level, root.handlers = level, handlers
            handler.close()

    @property
    def given(self) -> Path:
        """The tables that a run was given from Python, as Parquet."""
        return self.path / GIVEN

    @property
    def trials(self) -> Path:
        """KerasTuner's project: a folder per trial."""
        return self.path / "trials"

    @property
    def journal(self) -> Path:
        """The journal of trials that were proposed and that ended, line by line."""
        return self.trials / "journal.jsonl"

    @property
    def tensorboard(self) -> Path:
        """A TensorBoard run per configuration, the best, and the refit."""
        return self.path / "tensorboard"

    @property
    def leaderboard(self) -> Path:
        """A row per trial."""
        return self.path / "leaderboard.csv"

    @property
    def summary(self) -> Path:
        """The answer, as JSON."""
        return self.path / "summary.json"

    @property
    def predictions(self) -> Path:
        """The predictions for the test split, a row per text."""
        return self.path / "predictions.csv"

    @property
    def saved_model(self) -> Path:
        """TensorFlow's SavedModel: strings to probabilities."""
        return self.path / "model"

    @property
    def model_all(self) -> Path:
        """A SavedModel of the same configuration, trained on the test split too: never evaluated."""
        return self.path / "model_all"

    @property
    def submission(self) -> Path:
        """The predictions of `model_all` for texts without labels, in Kaggle's format."""
        return self.path / "submission.csv"

    @property
    def keras_model(self) -> Path:
        """The refitted model as a Keras file."""
        return self.path / "model.keras"

    @property
    def ensemble(self) -> Path:
        """The ensemble of several trials and the baselines: predictions.csv and model/, as in the run's folder."""
        return self.path / "ensemble"

    @property
    def measurements(self) -> Path:
        """Measurements for the report that no other file holds."""
        return self.path / "report.json"

    @property
    def baselines(self) -> Path:
        """The baselines' probabilities for the test split: name to float32 [n, classes]."""
        return self.path / "baselines.npz"

    @property
    def latency(self) -> Path:
        """The times per text that were measured for `objective.max_ms_per_text`; a resumed run keeps to them."""
        return self.path / "latency.json"

    @property
    def packages(self) -> Path:
        """The versions of all packages, as `pip freeze` lists them."""
        return self.path / "packages.txt"

    @property
    def overrides(self) -> Path:
        """The settings of the command line that began the run."""
        return self.path / ".hydra" / "overrides.yaml"

    @property
    def inputs(self) -> Path:
        """Checksums of the run's data and modules."""
        return self.path / "inputs.json"

    @property
    def report(self) -> Path:
        """The run as a page to read."""
        return self.path / "report.html"

    @property
    def model_card(self) -> Path:
        """The model card, for whoever is to use the model."""
        return self.path / "MODEL_CARD.md"
