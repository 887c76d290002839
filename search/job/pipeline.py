"""The main job, from a table of texts to a measured classifier."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from search.config import Config
from search.datasets import load_splits
from search.errors import InputError
from search.job.additions import REPORT, add, lacking, read_summary, told
from search.job.beforehand import check_beforehand
from search.job.inputs import Inputs
from search.job.unlabelled import check_unlabelled
from search.reporting.report.write import write_report
from search.reporting.screen import Screen, describe_cleaning
from search.run_folder import RunFolder
from search.tuning.objective import chosen_objective
from search.utils.device import configure
from search.utils.files import unusable_folder
from search.utils.stopwatch import Stopwatch
from spaces import space_from

log = logging.getLogger(__name__)


def run(
    config: Config,
    composed: DictConfig,
    overrides: Sequence[str],
    output: Path,
    catalogs: Sequence[Path],
    verbose: bool = False,
    *,
    gets_more: bool = False,
) -> dict[str, Any]:
    """Searches, refits, tests and reports.

    Args:
        config: The checked configuration.
        composed: The same as Hydra composed it, for the run folder.
        overrides: What the command line set.
        output: Folder of the run; nothing is written to it before the input has proved to be good.
        catalogs: Folders whose `module/*.yaml` name modules.
        verbose: Leave TensorFlow as talkative as it is.
        gets_more: The search of a run that had ended goes on all the same: it has more to spend.

    Returns:
        The summary, as written to summary.json.

    Raises:
        InputError: The data, the space, a module or the device cannot be used.
        SearchError: Every trial failed.
    """
    stopwatch = Stopwatch()
    screen = Screen()
    kept = RunFolder(output)
    wanted = None if config.resume is None or gets_more else lacking(config, kept)
    if wanted is not None and not wanted - {REPORT}:
        kept.remove_leftovers()
        if REPORT in wanted:
            write_report(output)
            screen.say(f"{output} is finished: its report was added")
        else:
            screen.say(told(kept))
        return read_summary(kept.summary)
    begun = None if config.resume is None else Inputs.read(kept.inputs)
    if begun is not None:
        catalogs = begun.with_catalogs(catalogs)
    ranges = _plain(composed.space)
    known = check_beforehand(config, space_from(ranges), catalogs, {} if begun is None else begun.places)
    # TensorFlow takes seconds, and is started before the data are read only where it alone knows of a mistake.
    device = configure(config.device, config.mixed_precision, verbose) if config.device == "gpu" else None
    check_unlabelled(config)
    _check_features(Path(config.paths.features))
    inputs = Inputs.of_data(config.dataset, Path(config.paths.data))
    if begun is not None:
        begun.check_data(inputs)
    splits = load_splits(config.dataset, Path(config.paths.data), config.seed)
    screen.show_data(config.dataset.name, splits)
    if config.threshold is not None and len(splits.classes) > 2:
        raise InputError(f"threshold={config.threshold} is for two classes, but there are {len(splits.classes)}.")
    chosen_objective(config.objective, len(splits.classes))

    device = device or configure(config.device, config.mixed_precision, verbose)
    # What follows imports TensorFlow, which takes seconds: an error in the data has been told by now.
    from search.job.answer import find_answer
    from search.job.outputs import write_outputs
    from search.job.prepare import prepare
    from search.job.trials import ended_trials, run_trials
    from search.reporting.tensorboard import write_configuration

    with stopwatch("embed"):
        prepared = prepare(config, ranges, splits, output, catalogs, screen.say, known)
    inputs = inputs.with_modules(prepared.modules, catalogs, known)
    if begun is not None:
        begun.check_modules(inputs)
    with RunFolder.opened(output, composed, overrides, resumed=config.resume is not None) as folder:
        log.info("%s: %s; %s", config.dataset.name, splits.sizes(), describe_cleaning(splits.cleaning))
        inputs.write(folder.inputs)
        if wanted is not None:
            trials = ended_trials(prepared, folder, screen, stopwatch)
            summary = add(wanted, prepared, trials, folder, stopwatch, screen.say)
            write_report(folder.path)
        else:
            for file in (folder.summary, folder.report, folder.model_card):
                file.unlink(missing_ok=True)  # from here on the run has not ended, until its answer is there
            write_configuration(folder.tensorboard, composed)
            trials = run_trials(prepared, folder, screen, stopwatch)
            answer = find_answer(prepared, trials, folder, screen, stopwatch)
            summary = write_outputs(prepared, trials, answer, folder, catalogs, device, stopwatch, screen.say)
    screen.show_result(summary, folder.path)
    return summary


def _check_features(folder: Path) -> None:
    if (reason := unusable_folder(folder)) is not None:
        raise InputError(
            f"paths.features={folder} cannot be used ({reason}): name a folder that features can be kept in."
        )


def _plain(node: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(node, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
