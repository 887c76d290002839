"""The main job, from a table of texts to a measured classifier."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from search.config import Config
from search.datasets import load_splits
from search.datasets.content import CONTENTS
from search.datasets.text_columns import text_columns
from search.errors import InputError
from search.execution import fork_server
from search.execution.processes import trains_in_processes
from search.job.additions import REPORT, finished_message, lacking, read_summary
from search.job.beforehand import check_beforehand
from search.job.inputs import Inputs
from search.job.run import Audience, Run, run_event
from search.job.unlabelled import check_unlabelled
from search.reporting.cleaning_counts import describe_cleaning
from search.reporting.report.write import write_report
from search.reporting.screen import Screen
from search.run_folder import RunFolder
from search.tracking import trackers
from search.tracking.callbacks import Callbacks
from search.tuning.objective import chosen_objective
from search.utils.device import configure
from search.utils.files import unusable_folder
from search.utils.stopwatch import Stopwatch
from spaces import space_from

log = logging.getLogger(__name__)


def run(
    config: Config,
    overrides: Sequence[str],
    output: Path,
    catalogs: Sequence[Path],
    audience: Audience,
    *,
    gets_more: bool = False,
) -> dict[str, Any]:
    """Searches, refits, tests and reports.

    Args:
        config: The checked configuration.
        overrides: The settings of the command line.
        output: Folder of the run; nothing is written to it before the input has been checked.
        catalogs: Folders whose `module/*.yaml` name modules.
        audience: Follows the run.
        gets_more: Whether the search of a run that had ended goes on, since its budget was raised.

    Returns:
        The summary, as written to summary.json.

    Raises:
        InputError: The data, the space, a module or the device cannot be used.
        SearchError: Every trial failed.
        CallbackError: A callback failed; the run can be resumed.
    """
    stopwatch, screen, folder = Stopwatch(), Screen(quiet=audience.quiet), RunFolder(output)
    callbacks = Callbacks(audience.callbacks) + trackers(config.tracker)
    wanted = None if config.resume is None or gets_more else lacking(config, folder)
    if wanted is not None and not wanted - {REPORT}:
        return _finished(config, folder, wanted, screen, callbacks)
    begun = None if config.resume is None else Inputs.read(folder.inputs)
    if begun is not None:
        catalogs = begun.with_catalogs(catalogs)
    places = {} if begun is None else begun.places
    texts = text_columns(config.dataset.text)
    content = CONTENTS[config.dataset.content]
    space = space_from(config.space, text_columns=len(texts), has_views=content.altered is not None)
    known = check_beforehand(config, space, catalogs, places)
    # TensorFlow takes seconds, and is started before the data are read only where it alone knows of a mistake.
    threads, gpus = config.parallel.cpus_per_trial, config.parallel.gpus_per_trial
    start = partial(configure, config.device, config.mixed_precision, audience.verbose, threads, gpus)
    device = start() if config.device == "gpu" else None
    check_unlabelled(config)
    _check_features(Path(config.paths.features))
    inputs = Inputs.of_data(config.dataset, Path(config.paths.data))
    if begun is not None:
        begun.check_data(inputs)
    splits = load_splits(config.dataset, Path(config.paths.data), config.seed)
    screen.show_data(config.dataset.name, splits, texts)
    if config.threshold is not None and len(splits.classes) > 2 and not splits.target.several:
        raise InputError(f"threshold={config.threshold} is for two classes, but there are {len(splits.classes)}.")
    chosen_objective(config.objective, splits.target)

    if trains_in_processes(config.parallel):
        fork_server.begin(audience.verbose)
    with screen.busy("Starting TensorFlow"):
        device = device or start()
        # The steps import TensorFlow, which takes seconds: an error in the data has been told by now.
        from search.job.prepare import prepare
        from search.job.steps import add_to, search_and_answer

    with stopwatch("embed"):
        prepared = prepare(config, config.space, splits, output, catalogs, screen.say, known)
    inputs = inputs.with_modules(prepared.modules, catalogs, known)
    if begun is not None:
        begun.check_modules(inputs)
    settings = OmegaConf.structured(config)
    objective = {"name": prepared.objective.name, "direction": prepared.objective.direction}
    event = run_event(config, output, splits.classes, objective, prepared.space)
    with (
        RunFolder.opened(output, settings, overrides, resumed=config.resume is not None),
        callbacks.following(event) as end,
    ):
        log.info("%s: %s; %s", config.dataset.name, splits.sizes(), describe_cleaning(splits.cleaning, content.name))
        for fault in splits.faults:
            log.warning("left out: %s", fault)
        inputs.write(folder.inputs)
        here = Run(folder, screen, stopwatch, catalogs, device, start, callbacks)
        summary = search_and_answer(here, prepared) if wanted is None else add_to(here, prepared, wanted)
        screen.show_result(summary, output, write_report(output))
        end(summary)
    return summary


def _finished(
    config: Config, folder: RunFolder, wanted: set[str], screen: Screen, callbacks: Callbacks
) -> dict[str, Any]:
    """Resumes a run that lacks nothing, except perhaps its report, and a callback that had failed at its end."""
    folder.remove_leftovers()
    if REPORT in wanted:
        write_report(folder.path)
        screen.say(f"{folder.path} is finished: its report was added")
    else:
        screen.say(finished_message(folder))
    summary = read_summary(folder.summary)
    event = run_event(config, folder.path, summary["classes"], summary["objective"], {})
    with callbacks.following(event) as end:
        end(summary)
    return summary


def _check_features(folder: Path) -> None:
    if (reason := unusable_folder(folder)) is not None:
        raise InputError(f"paths.features={folder} cannot be used ({reason}): choose a folder that can be written to.")
