"""The page and the card of every kind of run: whole, escaped, with the numbers of the run's files."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from made_runs import NASTY, flat_records, hyperband_records, make_run, single

from search.errors import InputError
from search.evaluation import score
from search.reporting.report.card import card
from search.reporting.report.run_files import read_run
from search.reporting.report.sections.answer import answer
from search.reporting.report.sections.data import data
from search.reporting.report.sections.time_saved import saved_by_cache
from search.reporting.report.sections.wrong import wrong
from search.reporting.report.write import write_report

VOID = {"meta", "link", "br", "input", "hr", "img"}


class Nesting(HTMLParser):
    """Checks that tags nest, ids are unique and pictures have a label; keeps the text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.scripts, self.text, self.labels, self.links = [], [], 0, [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes[name] for name in ("id",) if name in attributes]
        self.scripts += tag == "script"
        self.links += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "svg":
            self.labels.append(attributes["aria-label"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in {"path", "circle", "rect"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text.append(text)


def page_of(path):
    write_report(path)
    html = (path / "report.html").read_text(encoding="utf-8")
    parsed = Nesting(html)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.scripts == 1 and all(parsed.labels)
    assert all(link.startswith("#") or link == "data:," for link in parsed.links)
    assert "nan" not in re.sub(r"[a-z]+nan|nan[a-z]+", "", html.split("<main>")[1].split("<script>")[0].lower())
    assert "{{" not in html.split("<main>")[1].split("<script>")[0]  # every word of the templates is filled in
    for picture in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(picture)
    head = (path / "MODEL_CARD.md").read_text(encoding="utf-8").split("---\n")
    assert yaml.safe_load(head[1])["pipeline_tag"] == "text-classification"
    return html


MANY = tuple(f"class {i}" for i in range(40))


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"classes": ("a", "b", "c")},
        {"classes": MANY, "rows": 300},
        {"rows": 2},
        {"rows": 3, "classes": ("a", "b", "c"), "skill": 50.0},
        {"trials": [single()]},
        {"trials": flat_records(np.random.default_rng(0), 12)},
        {"trials": hyperband_records(np.random.default_rng(3), failing=0.4)},
        {"measured": False},
        {"curves": False},
        {"skill": 0.0},
    ],
    ids=lambda made: ", ".join(made) or "binary",
)
def test_a_run_of_any_kind_gives_a_whole_page(tmp_path, made):
    html = page_of(make_run(tmp_path, **made))
    for part in ("answer", "data", "search", "model", "mistakes", "use"):
        assert f'<section id="{part}"' in html


def test_all_trials_but_one_failed(tmp_path):
    trials = flat_records(np.random.default_rng(0), 6)
    for trial in trials[:5]:
        trial.status, trial.score, trial.best_epoch, trial.epochs, trial.error = "FAILED", None, None, 0, "no memory"
    html = page_of(make_run(tmp_path, trials=trials))
    assert "1 completed" in html and "5 failed" in html and "no memory" in html


def test_nothing_in_the_data_becomes_markup(tmp_path):
    texts = [NASTY, "=cmd()", "line\nbreak\rreturn", "\u202eturned", 'a "quoted" one'] * 4
    trials = hyperband_records(np.random.default_rng(0), failing=0.3)
    html = page_of(make_run(tmp_path, classes=("<i>no", NASTY), texts=texts, trials=trials))
    assert "<script>alert" not in html and "<i>no" not in html and "&lt;i&gt;no" in html
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "<script>alert" not in card.replace("\\<", "&lt;")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return read_run(make_run(tmp_path_factory.mktemp("run"), classes=("a", "b", "c"), rows=300, ordered=True))


def test_the_probabilities_are_those_of_the_summary(run):
    assert score(run.labels, run.probabilities, run.threshold, run.target) == pytest.approx(run.summary["test"])


def test_ordered_classes_have_their_metrics_in_the_report_and_can_be_judged_by_them(run):
    shown = {one["name"]: one["test"] for one in answer(run)["metrics"]}
    assert (shown["MAE"], shown["quadratic kappa"]) == (
        run.summary["test"]["mae"],
        run.summary["test"]["quadratic_kappa"],
    )
    assert "| MAE |" in card(run)
    verdict = run.judged("mae")
    assert verdict.outcome == "better" and verdict.score < verdict.baseline_score


def test_the_answer_names_the_best_baseline_and_its_gain(run):
    shown = answer(run)
    assert shown["score"] == run.summary["test"]["macro_f1"]
    gain = run.verdict.gains["tfidf_logistic_regression"]
    assert gain.gain == pytest.approx(
        shown["score"] - run.summary["baselines"]["tfidf_logistic_regression"]["test"]["macro_f1"], abs=1e-6
    )
    assert shown["errors"] == [("TF-IDF naive bayes", "no words to count")]
    assert shown["outcome"] == "better" and f"{gain.gain:+.4f}" in shown["verdict"]


def test_the_mistakes_are_mistakes_the_surest_first(run):
    shown = wrong(run)
    assert shown["mistakes"] == (run.labels != run.predicted).sum()
    assert all(row["label"] != row["predicted"] for row in shown["rows"])
    margins = [row["sureness"] - row["of_label"] for row in shown["rows"]]
    assert margins == sorted(margins, reverse=True)
    assert shown["suspects"] >= sum(row["suspect"] for row in shown["rows"]) > 0


def test_of_two_classes_both_kinds_of_mistake_are_shown(tmp_path):
    shown = wrong(read_run(make_run(tmp_path, rows=1000, skill=0.3)))
    kinds = [row["predicted"] for row in shown["rows"]]
    few = min(kinds.count("yes"), kinds.count("no"))
    assert len(kinds) == 200 and 0 < few <= 100


def test_texts_that_repeat_are_counted_and_taken_out(tmp_path):
    make_run(tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    content["near_duplicates"]["test_positions"] = list(range(50))
    (tmp_path / "report.json").write_text(json.dumps(content))
    run = read_run(tmp_path)
    with_them, without = data(run)["without_twins"]
    assert with_them == run.summary["test"]["average_precision"]
    assert without == pytest.approx(score(run.labels[50:], run.probabilities[50:], run.threshold)["average_precision"])


def test_the_cache_saved_the_epochs_of_frozen_trials(run):
    saved = saved_by_cache(run)
    # 9/3/1 trials of 1, 3 and 9 epochs, 5/2 of 3 and 9, 3 of 9: 75 epochs, each trial's own alone.
    assert saved["epochs"] == 75 and saved["computed"] == saved["texts"] // 2 == 150


def test_the_cache_saved_the_epochs_of_the_trials_on_features_alone(tmp_path):
    make_run(tmp_path)
    run = read_run(tmp_path)
    last = run.trials[run.trials["parent"].isna()]["trial_id"].iloc[-1]  # without a parent, for the full 9 epochs
    run.measurements["on_features"] = [last]
    assert saved_by_cache(run)["epochs"] == 9
    del run.measurements["on_features"]  # as an earlier version left it
    run.trials["backbone"], run.trials["pretrained"], run.trials["frozen"] = "small", "small", True
    assert saved_by_cache(run)["epochs"] == 75 and saved_by_cache(run)["without"] > 0
    run.trials["frozen"] = False
    assert saved_by_cache(run)["epochs"] == 0


def test_several_columns_of_texts_are_named(tmp_path):
    run = read_run(make_run(tmp_path, rows=30, trials=flat_records(np.random.default_rng(0), 3)))
    several = replace(run, summary={**run.summary, "texts": ["title", "body"]})
    assert "title, body" in data(several)["columns"] and data(run)["columns"] == ""
    assert card(several).count("title, body") == 2, "as the input, and where it is called"


def test_a_card_says_what_is_known_and_what_is_not(tmp_path):
    write_report(make_run(tmp_path, rows=60))
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| Licence of the data | CC0, as the catalog states it |" in card
    assert "tested on 60 rows only" in card
    for part in ("Intended use", "Data", "Metrics", "Limits", "Training", "How to use it"):
        assert f"\n## {part}\n" in card
    summary = json.loads((tmp_path / "summary.json").read_text())
    low, high = summary["test_interval"]["f1"]
    assert f"| {summary['test']['f1']:.3f} | {low:.3f} to {high:.3f} |" in card
    assert not re.search(r"\n\n\|(?!.*\n\|[- :|]+\n)", card), "a table is broken by an empty line"
    (tmp_path / ".hydra" / "config.yaml").write_text("dataset: {name: made}\n")
    write_report(tmp_path)
    assert "| Licence of the data | unknown |" in (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["summary.json", "predictions.csv", "leaderboard.csv", "report.json", "baselines.npz"])
def test_a_damaged_file_is_named(tmp_path, file):
    make_run(tmp_path)
    (tmp_path / file).write_bytes(b"{")
    with pytest.raises(InputError, match=file):
        write_report(tmp_path)


def test_a_run_that_has_not_ended_is_told_apart_from_none(tmp_path):
    with pytest.raises(InputError, match="no run"):
        read_run(tmp_path / "none")
    make_run(tmp_path)
    (tmp_path / "summary.json").unlink()
    with pytest.raises(InputError, match=r"not ended.*resume="):
        read_run(tmp_path)


def test_the_report_of_the_same_run_is_the_same(tmp_path):
    make_run(tmp_path)
    pages = []
    for _ in range(2):
        write_report(tmp_path)
        pages.append((tmp_path / "report.html").read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("told", "codes"),
    [("en", "en"), ("ar, de, zh", ["ar", "de", "zh"]), ("no", "no"), ("16 languages", None), ("unknown", None)],
)
def test_the_card_gives_hubs_codes_of_languages_alone(tmp_path, told, codes):
    make_run(tmp_path, curves=False)
    file = tmp_path / "report.json"
    measured = json.loads(file.read_text())
    measured["modules"]["small"]["language"] = told
    measured["modules"]["large"] = measured["modules"]["small"]
    file.write_text(json.dumps(measured))
    _, head, body = card(read_run(tmp_path)).split("---\n", 2)
    assert yaml.safe_load(head).get("language") == codes
    assert told in body


@pytest.mark.parametrize("name", ["summary.json", "report.json"])
@pytest.mark.parametrize("content", ["{}", "[]", "{", "null"])
def test_the_file_that_is_damaged_is_the_one_that_is_named(tmp_path, name, content):
    run = make_run(tmp_path / "run")
    (run / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name} is damaged"):
        read_run(run)
