"""The model card: Mitchell et al., 2019, Model Cards for Model Reporting, with the metadata that model hubs read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from search.datasets import Cleaning
from search.datasets.content import CONTENTS
from search.evaluation.metrics import names
from search.evaluation.paired import BETTER, WORSE
from search.evaluation.per_class import per_class
from search.reporting.class_counts import rows_of
from search.reporting.cleaning_counts import describe_cleaning
from search.reporting.report.page import environment
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import ensembles, spoken
from search.reporting.report.sections.data import classes_told, without_twins
from search.reporting.report.sections.use import use
from search.reporting.tables import meaning_of_classes, with_article
from search.reporting.trial_table import BACKBONE

UNKNOWN = "unknown"
_FEW_ROWS, _IMBALANCE, _OVERCONFIDENT, _TWINS = 500, 10, 0.05, 0.01
_LANGUAGE = re.compile("[a-z]{2,3}")
_BARE = re.compile(r"[\\`*_{}\[\]<>|#~$&]")


def _without_folders(value: Any) -> Any:
    """Cuts a path on this machine to its last part; other values stay as they are."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def card(run: RecordedRun) -> str:
    """The card as Markdown. Whatever comes from the data is escaped."""
    templates = environment(autoescape=False)
    templates.filters["md"] = escaped
    summary = run.summary
    config = run.config.get("dataset", {})
    modules, chosen = run.measurements.get("modules", {}), summary["best"]
    backbone, pretrained, frozen = run.trials.set_index("trial_id").loc[summary["best_trial"], list(BACKBONE)]
    cleaning = describe_cleaning(Cleaning(**summary["cleaning"]), run.noun)
    # What is not the user's own.
    module = modules.get(pretrained, {})
    described = run.measurements.get("backbones", {}).get(backbone, {})
    return templates.get_template("model_card.md").render(
        metadata=yaml.safe_dump(_metadata(run, module), sort_keys=False, allow_unicode=True).strip(),
        name=f"{summary['dataset']} {run.noun} classifier",
        noun=run.noun,
        a_row=with_article(run.noun),
        summary=summary,
        classes=run.classes,
        threshold=run.threshold,
        threshold_chosen=run.threshold is not None and run.config.get("threshold") is None,
        created=run.measurements.get("created", UNKNOWN)[:10],
        best={name: _without_folders(value) for name, value in chosen.items()},
        backbone=_without_folders(backbone or UNKNOWN),
        pretrained=_without_folders(pretrained),
        frozen=frozen,
        dimension=described.get("dimension"),
        parameters=described.get("parameters"),
        module_origin=_without_folders(module.get("handle") or module.get("source") or UNKNOWN),
        module_licence=module.get("licence", UNKNOWN),
        module_language=module.get("language", UNKNOWN),
        module_notes=module.get("notes", ""),
        data_licence=config.get("licence") or UNKNOWN,
        data_origin=_origin(config),
        cleaning=" ".join(filter(None, (cleaning, classes_told(summary)))),
        validation=run.validation,
        judged_by=run.judged_by,
        refit_on=" and ".join(summary.get("refit_on", ("train", "valid"))),
        metrics=[
            (
                spoken(name),
                summary["valid"].get(name),
                summary["test"].get(name),
                summary["test_interval"].get(name) or (None, None),
            )
            for name in names(run.target)
        ],
        baselines=[
            (spoken(name), one["test"][run.metric], run.verdict.gains.get(name))
            for name, one in summary["baselines"].items()
            if "test" in one
        ],
        ensembles=ensembles(run),
        metric=spoken(run.metric),
        meaning=meaning_of_classes(run.classes, run.target),
        objective=run.objective,
        verdict=spoken(run.verdict.text),
        per_class=per_class(run.names, run.labels, run.probabilities, run.predicted),
        several=run.target.several,
        one_of=run.target.one,
        rows={split: rows_of(summary, split) for split in summary["sizes"]},
        limits=list(_limits(run, module)),
        trials=sum(summary["trials"].values()),
        tuner=run.config.get("tuner", {}).get("name", UNKNOWN),
        use=use(run),
    )


def escaped(value: Any) -> str:
    """Text on one line in which Markdown's special characters are escaped."""
    return _BARE.sub(lambda found: "\\" + found[0], " ".join(str(value).split()))


def _metadata(run: RecordedRun, module: dict[str, Any]) -> dict[str, Any]:
    """The metadata that model hubs read."""
    metric = run.metric
    result = {
        "task": {"type": f"{run.noun}-classification"},
        "dataset": {"name": run.summary["dataset"], "type": run.summary["dataset"], "split": "test"},
        "metrics": [{"type": metric, "name": spoken(metric), "value": round(run.summary["test"][metric], 4)}],
    }
    head = {
        "language": _languages(module.get("language", "")),
        "library_name": "keras",
        "pipeline_tag": f"{run.noun}-classification",
        "tags": [f"{run.noun}-classification", "transfer-learning"],
        "base_model": module.get("handle"),
        "model-index": [{"name": f"{run.summary['dataset']}-{run.noun}-classifier", "results": [result]}],
    }
    return {name: value for name, value in head.items() if value is not None}


def _languages(languages: str) -> str | list[str] | None:
    """The languages as model hubs read them: codes of ISO 639 and nothing else."""
    codes = [part.strip() for part in languages.split(",")]
    if not all(_LANGUAGE.fullmatch(code) for code in codes):
        return None
    return codes if len(codes) > 1 else codes[0]


def _origin(config: dict[str, Any]) -> str:
    if config.get("path"):
        return f"a file of the user's, {Path(config['path']).name}"
    if config.get("package"):
        return f"the Python package {config['package']}"
    return str(config.get("url") or config.get("file") or UNKNOWN)


def _limits(run: RecordedRun, module: dict[str, Any]) -> Iterator[str]:
    """The limits of the model that the run itself shows."""
    summary = run.summary
    sizes = summary["sizes"]
    verdict = run.verdict
    if verdict.outcome != BETTER:
        known = "It is not known to be better" if verdict.outcome != WORSE else "It is worse"
        yield f"{known} than a simple baseline, {spoken(verdict.best_baseline)}: {spoken(verdict.text)}"
    tested, trained = (rows_of(summary, split) for split in ("test", "train"))
    if tested < _FEW_ROWS:
        yield f"It was tested on {tested:,} rows only: see how wide the intervals are."
    counts = sizes["train"]
    rarest = min(counts, key=counts.get)
    if max(counts.values()) > _IMBALANCE * counts[rarest]:
        yield (
            f"{run.target.one.capitalize()} {rarest} is rare: {counts[rarest]:,} of {trained:,} rows it "
            "was trained on. Where it is more or less frequent, the numbers above do not hold."
        )
    error = summary["test"].get("expected_calibration_error")
    if error is not None and error > _OVERCONFIDENT:
        yield (
            f"Its probabilities are off by {error:.1%} on average (expected calibration error): do not read them as "
            "frequencies."
        )
    twins = run.measurements.get("near_duplicates", {}).get("counts", {}).get("test")
    if twins and twins["twins"] > _TWINS * twins["rows"]:
        without = without_twins(run)
        note = f"; without them {spoken(run.metric)} is {without[1]:.4f}" if without else ""
        yield f"{twins['twins']:,} of the test rows nearly repeat {with_article(run.noun)} it was trained on{note}."
    has_words = CONTENTS[run.noun].has_words
    if has_words and module.get("language"):
        yield (
            f"The module was made for: {module['language']}. Texts in others were not looked at, unless "
            "they are in the data."
        )
    yield (
        f"It knows the {run.noun}s of its data set: their time, their source, their way of "
        f"{'writing' if has_words else 'recording'}. On others it was not tested."
    )
    yield (
        "Whether it treats groups of people differently was not looked at. Labels made by people carry their "
        "judgements along."
    )
