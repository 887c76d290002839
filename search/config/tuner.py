"""The settings of the search itself: its algorithm, what it may spend, and how many trials run at once."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from search.utils.constraints import choice, number

TUNERS = ("hyperband", "asha", "random", "bayesian", "grid")
ENGINES = ("processes", "ray")
RANDOM = "random"
SAMPLERS = {RANDOM: (), "tpe": ("optuna",), "gp": ("optuna", "torch")}
"""Value of `tuner.sampler` to the packages that it needs."""
KEPT = ("all", "promotable", "best")


@dataclass
class TunerConfig:
    """The algorithm of the search and what it may spend."""

    name: str = choice(MISSING, TUNERS)
    """hyperband, asha, random, bayesian or grid."""
    max_epochs: int = number(9, least=1)
    """Epochs of a trial trained in full."""
    factor: int = number(3, least=2)
    """Hyperband and ASHA keep one in `factor` trials and train it `factor` times longer."""
    min_epochs: int = number(1, least=1)
    """Hyperband and ASHA: the fewest epochs a trial gets before the worst are dropped."""
    iterations: int = number(1, least=1)
    """Number of times that all of Hyperband is run."""
    sampler: str = choice(RANDOM, tuple(SAMPLERS))
    """Hyperband and ASHA: where new configurations come from; random, or a model of the results so far, by Optuna: tpe
    (tree-structured Parzen estimators) or gp (a Gaussian process, which needs the package torch too)."""
    batch: int = number(1, least=1)
    """Bayesian: trials that are proposed together, from the results before the batch."""
    max_trials: int | None = number(None, least=1)
    """No further trial is started; null: as many as the algorithm asks for."""
    max_total_epochs: int | None = number(None, least=1)
    """No further trial is started once the trials together have trained so many epochs; null: no limit."""
    max_seconds: float | None = number(None, least=1)
    """No further trial is started that would not leave time for the refit before so many seconds; null: no limit."""
    max_parameters: int | None = number(None, least=1)
    """A larger model fails its trial before it is trained; null: no limit."""
    max_failures: int | None = number(None, least=1)
    """Total of failed trials that ends the search; null: as many as there are trials in the plan."""
    max_consecutive_failures: int | None = number(10, least=1)
    """Failed trials in a row that end the search; null: no limit."""
    patience: int | None = number(None, least=1)
    """Epochs without a better objective after which a trial stops early; null: never."""
    keep: str = choice("promotable", KEPT)
    """Checkpoints to keep: all, promotable (and the best trial's), or best (in the end only the best trial's)."""


@dataclass
class ParallelConfig:
    """Trials side by side. Their number changes no result but the times."""

    workers: int | str = 1
    """Trials that run at once, each in a process of its own; 1: one after another, in the search's own; auto: as many
    as the machine has room for, cores divided by `parallel.cpus_per_trial`."""
    engine: str = choice("processes", ENGINES)
    """processes: of this machine; ray: workers of a Ray cluster."""
    address: str | None = None
    """The address of a running Ray cluster, host:port; null: one on this machine alone is started for the search."""
    cpus_per_trial: int | None = number(None, least=1)
    """Threads of a trial's computations, on which the last digits of sums depend, so that runs are to be compared at
    one value; null: one for each core of the machine, whatever the number of workers. Ray
    reserves as many cores, or one."""
    gpus_per_trial: float = number(0.0, least=0)
    """GPUs of a trial, where there are any. 2 or more share out each batch of a module that is fine-tuned; of one that
    several share, as with 0.5, each has its part of the memory. Ray reserves as many; processes see theirs in turn, at
    0 one each."""
    max_restarts: int = number(3, least=0)
    """How often a trial goes on elsewhere, from its last finished epoch, after its process died."""
