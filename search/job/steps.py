"""The steps of a run from its prepared space to its summary: search, validate, refit, evaluate, combine, write."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from search.job.additions import add
from search.job.ensemble import best_member, build_ensemble
from search.job.evaluation_step import evaluate, judged
from search.job.final_refit import refit_on_all
from search.job.outputs import Answer, write_outputs
from search.job.prepare import Prepared
from search.job.refit_best import refit_best, validate
from search.job.run import Run
from search.job.trials import Trials, ended_trials, run_trials
from search.reporting.tensorboard import write_best, write_configuration


def search_and_answer(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Runs all steps.

    Args:
        run: Its folder is open.
        prepared: The data, the space and the configuration.

    Returns:
        The summary, as in summary.json.
    """
    folder = run.folder
    for file in (folder.summary, folder.report, folder.model_card):
        file.unlink(missing_ok=True)  # from here on the run has not ended, until its answer is there
    write_configuration(folder.tensorboard, OmegaConf.structured(prepared.config))
    trials = run_trials(run, prepared)
    return write_outputs(run, prepared, trials, find_answer(run, prepared, trials))


def find_answer(run: Run, prepared: Prepared, trials: Trials) -> Answer:
    """Refits and tests the best trial, and makes the ensemble and the final model where asked for.

    Args:
        run: The run, whose folder gets the models.
        prepared: The data and the configuration.
        trials: The trials of the search.
    """
    config, phase = prepared.config, run.stopwatch
    valid = validate(prepared, trials)
    curves = run.folder.tensorboard / "best"
    write_best(curves, trials.best, trials.tuner.records, trials.scored_epochs, valid, run.say)
    with phase("refit"):
        classifier = refit_best(run, prepared, trials, valid.threshold)
    with phase("test"):
        evaluation = evaluate(prepared, trials, classifier)
    ensemble = None
    if config.ensemble.trials:
        with phase("ensemble"):
            best = best_member(trials, classifier, valid, evaluation.scored)
            ensemble = build_ensemble(run, prepared, trials, best, evaluation)
    with phase("test"):
        verdict = judged(prepared, evaluation, ensemble)
    final_refit = None
    if config.final_refit:  # the last: by now nothing is left that the test split must be kept for
        with phase("final_refit"):
            final_refit = refit_on_all(run, prepared, trials, valid.threshold)
    return Answer(classifier, valid, evaluation, ensemble, verdict, final_refit)


def add_to(run: Run, prepared: Prepared, wanted: set[str]) -> dict[str, Any]:
    """Makes the additions to a run that has ended; its report is to be written again.

    Args:
        run: Its folder is open.
        prepared: The data, the space and the configuration.
        wanted: The additions, from `search.job.additions.lacking`.

    Returns:
        The summary, as in summary.json.
    """
    trials = ended_trials(prepared, run.folder, run.screen, run.stopwatch)
    return add(wanted, run, prepared, trials)
