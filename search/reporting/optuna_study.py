"""Writes the trials of a run as a study of Optuna, which its dashboard and its own analyses read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.reporting.report.learning_curves import curve
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.how_found import searched_space
from search.tuning.record import TrialRecord, order
from search.utils.files import whole_file
from spaces import Float, Int, Parameter

_FACTS = ("backbone", "pretrained", "frozen", "bracket", "round", "parent", "epochs", "best_epoch", "seconds", "worker")


def write_study(run: RecordedRun, output: Path) -> int:
    """Writes the study into an SQLite file, whole or not at all.

    Each trial has its hyperparameters, the objective after each epoch, those of its parents included, as intermediate
    values, and facts and metrics as user attributes.

    Args:
        run: The run.
        output: The file.

    Returns:
        The number of trials.

    Raises:
        InputError: Optuna is not installed, or the run's records are damaged.
    """
    try:
        import optuna
    except ImportError as error:
        raise InputError(f"format=optuna needs the package {error.name}: pip install 'search[optuna]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    paths = sorted(run.folder.trials.glob("trial_*/record.json"), key=lambda path: order(path.parent.name[6:]))
    records = {record.trial_id: record for record in map(TrialRecord.read, paths)}
    distributions = _distributions(run, list(records.values()))
    with whole_file(output) as beside:
        storage = optuna.storages.RDBStorage(f"sqlite:///{beside}")
        study = optuna.create_study(
            storage=storage,
            study_name=f"{run.summary['dataset']} {run.folder.path.name}",
            direction="maximize" if run.higher_is_better else "minimize",
        )
        study.set_user_attr("objective", run.objective)
        study.add_trials([_trial(run, record, records, distributions) for record in records.values()])
        storage.engine.dispose()
    return len(records)


def _trial(
    run: RecordedRun, record: TrialRecord, records: Mapping[str, TrialRecord], distributions: Mapping[str, Any]
) -> Any:
    import optuna

    first = record
    while first.parent is not None:
        first = records[first.parent]
    points = curve(run.folder.tensorboard / first.trial_id, run.metric, "validation")
    values = _values(record)
    facts = {name: getattr(record, name) for name in _FACTS}
    is_complete = record.status == "COMPLETED"
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if is_complete else optuna.trial.TrialState.FAIL,
        value=record.score if is_complete else None,
        params=values,
        distributions={name: distributions[name] for name in values},
        user_attrs={"trial_id": record.trial_id, **facts, **record.metrics, "error": record.error},
        intermediate_values={step: value for step, value in points.items() if 0 < step <= record.epochs},
    )


def _values(record: TrialRecord) -> dict[str, Any]:
    return {name: value for name, value in record.values.items() if not name.startswith("tuner/")}


def _distributions(run: RecordedRun, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """Name of each hyperparameter to its distribution, that of the run's space.

    A space that is not known, or was fitted to the data when the search began, is widened by the values that came up.
    """
    seen: dict[str, list[Any]] = {}
    for record in records:
        for name, value in _values(record).items():
            seen.setdefault(name, []).append(value)
    space = searched_space(run)
    return {name: _distribution(space.get(name), values) for name, values in seen.items()}


def _distribution(parameter: Parameter | None, seen: Sequence[Any]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    is_plain = isinstance(parameter, Int) and parameter.step == 1
    if isinstance(parameter, Float | Int) and (is_plain or parameter.options is None):
        kind = IntDistribution if is_plain else FloatDistribution
        return kind(min(parameter.min, *seen), max(parameter.max, *seen), log=parameter.log)
    options = [] if parameter is None else list(parameter.options or [])
    return CategoricalDistribution(list(dict.fromkeys([*options, *seen])))
