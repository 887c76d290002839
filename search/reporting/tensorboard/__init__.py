"""Writes what TensorBoard shows: curves and hyperparameters of the trials, the best of them, the refitted model."""

from search.reporting.tensorboard.best import write_best
from search.reporting.tensorboard.epoch_counts import ScoredEpochs
from search.reporting.tensorboard.histograms import write_histograms
from search.reporting.tensorboard.result import REFIT, write_result
from search.reporting.tensorboard.texts import write_configuration
from search.reporting.tensorboard.training_curves import Curves
from search.reporting.tensorboard.trial_writer import EPOCHS, SCORE, TensorBoardWriter

__all__ = [
    "EPOCHS",
    "REFIT",
    "SCORE",
    "Curves",
    "ScoredEpochs",
    "TensorBoardWriter",
    "write_best",
    "write_configuration",
    "write_histograms",
    "write_result",
]
