"""The folder of a run: where everything in it stands."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from search.errors import InputError
from search.files import write_text


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run's files; all of them can be moved together."""

    path: Path

    @classmethod
    def create(cls, path: Path, config: DictConfig, overrides: Sequence[str]) -> RunFolder:
        """Starts the folder of a run: its configuration and its log.

        Args:
            path: The folder; it may exist if nothing is in it.
            config: The configuration as composed.
            overrides: What the command line set.

        Returns:
            The folder.

        Raises:
            InputError: Another run's files stand there.
        """
        if path.is_dir() and any(path.iterdir()):
            raise InputError(f"{path} already holds files: name a fresh folder with hydra.run.dir=… or remove it.")
        folder = cls(path)
        write_text(path / ".hydra" / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
        write_text(path / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(list(overrides))))
        return folder

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
    def trials(self) -> Path:
        """KerasTuner's project: a folder per trial."""
        return self.path / "trials"

    @property
    def tensorboard(self) -> Path:
        """A TensorBoard run per trial, and the refit."""
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
        """A row per row of the test split."""
        return self.path / "predictions.csv"

    @property
    def saved_model(self) -> Path:
        """TensorFlow's SavedModel: strings to probabilities."""
        return self.path / "model"

    @property
    def keras_model(self) -> Path:
        """The same model for Keras."""
        return self.path / "model.keras"
