"""Run folders as the pipeline leaves them, made in a second: no model is trained."""

from dataclasses import replace

import numpy as np
import yaml

from search.backbones.catalog import Entry
from search.backbones.description import Description
from search.datasets import Cleaning, Examples, Splits
from search.evaluation import best_threshold, intervals, score
from search.evaluation.baselines import Baseline, records
from search.evaluation.paired import Predictions
from search.evaluation.verdict import judge
from search.reporting.report.measurements import write_measurements
from search.reporting.report.pass_log import Pass
from search.reporting.results import Evaluation, ScoredRows, TriedModels
from search.reporting.summary import count_trials, versions, write_predictions
from search.reporting.tensorboard import Curves
from search.reporting.trial_table import leaderboard, write_leaderboard
from search.run_folder import RunFolder
from search.tuning.record import TrialRecord, ranked
from search.utils.files import write_json, write_text

SPACE = ["module", "trainable", "layers", "units_1", "units_2", "learning_rate", "class_weight"]
NASTY = "</script><script>alert(1)</script> <b>&amp;</b> \"quoted\" 'too'"


def hyperband_records(rng, brackets=((9, 3, 1), (5, 2), (3,)), failing=0.0):
    """Trials by round; what is promoted goes on with its parent's epochs."""
    trials = []
    for bracket, sizes in zip(range(len(brackets) - 1, -1, -1), brackets, strict=True):
        parents = []
        for round_, size in enumerate(sizes):
            epochs = 3 ** (round_ + len(brackets) - 1 - bracket)
            begun = [
                trial_of(rng, trials, bracket, round_, epochs, parent, failing)
                for parent in [*parents, *[None] * size][:size]
            ]
            alive = [trial for trial in begun if trial.status == "COMPLETED"]
            parents = sorted(alive, key=lambda trial: -trial.score)[
                : sizes[round_ + 1] if round_ + 1 < len(sizes) else 0
            ]
    return trials


def trial_of(rng, trials, bracket, round_, epochs, parent, failing):
    values = (
        dict(parent.values)
        if parent
        else {
            "module": str(rng.choice(["small", "large"])),
            "trainable": False,
            "layers": int(rng.integers(1, 3)),
            "units_1": int(rng.choice([64, 128])),
            "learning_rate": float(10 ** rng.uniform(-4, -2)),
            "class_weight": str(rng.choice(["none", "balanced"])),
        }
    )
    if values["layers"] == 2:
        values.setdefault("units_2", int(rng.choice([64, 128])))
    record = TrialRecord(f"{len(trials):04}", values, values["module"], values["module"], not values["trainable"])
    record.bracket, record.round, record.parent = bracket, round_, parent and parent.trial_id
    record.initial_epoch, record.target_epochs = parent.epochs if parent else 0, epochs
    if rng.random() < failing:
        record.status, record.error = "FAILED", f"ResourceExhausted: {NASTY}"
    else:
        quality = 0.6 - 0.1 * abs(np.log10(values["learning_rate"]) + 3) + 0.02 * np.log(epochs) + 0.01 * rng.normal()
        record.status, record.score, record.best_epoch, record.epochs = "COMPLETED", float(quality), epochs, epochs
        record.metrics = {"val_macro_f1": float(quality), "val_average_precision": float(quality)}
        record.seconds = 1.5
    trials.append(record)
    return record


def make_run(
    path,
    *,
    classes=("no", "yes"),
    rows=200,
    train_rows=300,
    trials=None,
    skill=1.5,
    seed=0,
    measured=True,
    texts=None,
    curves=True,
    ordered=False,
):
    """Writes a run folder and gives its path; `trials` are the records of the search."""
    rng = np.random.default_rng(seed)
    folder, k = RunFolder(path), len(classes)
    splits = replace(made_splits(rng, classes, rows, train_rows, texts), ordered=ordered)
    trials = hyperband_records(rng) if trials is None else trials
    probabilities = made_probabilities(rng, splits.test.labels, k, skill)
    valid = made_probabilities(rng, splits.valid.labels, k, skill)
    threshold = best_threshold(splits.valid.labels, valid) if k == 2 else None
    baselines = made_baselines(rng, splits, k)
    metric = "average_precision" if k == 2 else "macro_f1"
    best = ranked(trials, "max")[0]
    test = score(splits.test.labels, probabilities, threshold, splits.target)
    write_text(
        path / ".hydra" / "config.yaml",
        yaml.safe_dump({"dataset": {"name": "made", "licence": "CC0"}, "tuner": {"name": "hyperband"}}),
    )
    write_text(path / ".hydra" / "overrides.yaml", yaml.safe_dump(["dataset=made", "space.layers=[1,2]"]))
    write_leaderboard(leaderboard(trials, SPACE, "max"), folder.leaderboard)
    scored = ScoredRows(splits.test, splits.classes, probabilities, threshold)
    write_predictions(folder.predictions, scored)
    summary = {
        "dataset": "made",
        "classes": list(classes),
        **({"ordered": True} if ordered else {}),
        "sizes": splits.sizes(),
        "cleaning": Cleaning(read=9999, duplicates=7).__dict__,
        "objective": {"name": f"val_{metric}", "direction": "max"},
        "seed": seed,
        "best_trial": best.trial_id,
        "best_epoch": best.best_epoch,
        "score": best.score,
        "best": best.values,
        "threshold": threshold,
        "valid": score(splits.valid.labels, valid, threshold, splits.target),
        "test": test,
        "test_interval": intervals(
            splits.test.labels, probabilities, threshold, splits.target, resamples=50, seed=seed
        ),
        "milliseconds_per_text": 0.02,
        "latency": None,
        "baselines": records(baselines),
        "verdict": judge(
            splits.test.labels,
            Predictions(probabilities, threshold),
            {name: Predictions(one.probabilities, one.threshold) for name, one in baselines.items() if not one.error},
            metric,
            seed=seed,
        ).record(),
        "trials": count_trials(trials),
        "seconds": {"embed": 1.0, "search": 30.0, "total": 33.0},
        "versions": versions(),
        "device": "CPU, 2 cores",
    }
    write_json(folder.summary, summary)
    if curves:
        for trial in trials:
            if trial.status == "COMPLETED" and trial.parent is None:
                writer = Curves(folder.tensorboard / trial.trial_id)
                for epoch in range(1, 4):
                    losses = dict.fromkeys(("loss", "log_loss"), 1 / epoch)
                    valid = {metric: trial.score - 0.1 / epoch, "accuracy": 0.9 - 0.1 / epoch, **losses}
                    train = {metric: trial.score, "accuracy": 0.9, **losses}
                    writer.add(epoch, {**{f"val_{name}": value for name, value in valid.items()}, **train})
                writer.close()
    if measured:
        names = ("small", "large")
        write_measurements(
            folder,
            splits,
            Evaluation(scored, test, summary["test_interval"], 0.02, baselines),
            lambda found: made_probabilities(rng, np.zeros(len(found), int), k, 1),
            TriedModels(
                dict.fromkeys(names, lambda found: [0]),
                dict.fromkeys(names, lambda found: [0]),
                {"small": Description("small", "small", True, 3, "MIT", 1234)},
                [trial.trial_id for trial in trials],
            ),
            {"small": Entry(name="small", source="a-package", dimension=3, licence="MIT", language="en")},
            [Pass("small", rows, rows // 2, 0.5)],
        )
    return path


def made_splits(rng, classes, rows, train_rows, texts=None):
    def split(n):
        labels = np.concatenate([np.arange(len(classes)), rng.choice(len(classes), max(0, n - len(classes)))])[:n]
        words = rng.choice(np.array(["one", "two", "three", "four", "five", "six", "seven"]), (n, 6))
        found = np.array([f"{' '.join(row)} {rng.integers(10**9)}" for row in words], dtype=object)
        return Examples(found, labels.astype(np.int64), np.arange(1, n + 1))

    train, valid, test = split(max(train_rows, len(classes))), split(max(20, len(classes))), split(rows)
    if texts is not None:
        test.texts[: len(texts)] = texts
    return Splits(tuple(classes), train, valid, test, Cleaning())


def made_probabilities(rng, labels, classes, skill):
    logits = rng.normal(size=(len(labels), classes)) + skill * np.eye(classes)[labels]
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def made_baselines(rng, splits, classes):
    found = {}
    for name, skill in (("majority", 0.0), ("tfidf_logistic_regression", 0.7)):
        valid = made_probabilities(rng, splits.valid.labels, classes, skill)
        test = made_probabilities(rng, splits.test.labels, classes, skill)
        threshold = 0.5 if classes == 2 else None
        found[name] = Baseline(
            threshold,
            score(splits.valid.labels, valid, threshold),
            score(splits.test.labels, test, threshold),
            test,
            0.1 + skill,
        )
    found["tfidf_naive_bayes"] = Baseline(error="no words to count")
    return found


def single(score=0.5):
    """One trial, of a search without brackets."""
    values = {
        "module": "small",
        "trainable": False,
        "layers": 1,
        "units_1": 64,
        "learning_rate": 1e-3,
        "class_weight": "none",
    }
    return TrialRecord(
        "0000",
        values,
        *("small", "small", True),
        status="COMPLETED",
        score=score,
        best_epoch=1,
        epochs=1,
        target_epochs=1,
        metrics={"val_macro_f1": score},
    )


def flat_records(rng, n):
    """Trials of random search: no brackets, no rounds."""
    trials = []
    for _ in range(n):
        trial_of(rng, trials, None, None, 5, None, 0.0)
    return trials
