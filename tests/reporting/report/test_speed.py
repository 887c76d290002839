"""What is drawn of speed is measured in one way, scored on one split, and the front is the front."""

import json
import re
from xml.etree import ElementTree

import pytest
from made_runs import make_run

from search.reporting.report.figures.speed_picture import Costed, quality_against_time
from search.reporting.report.run_files import read_run
from search.reporting.report.sections.speed import speed

TIMES = {"small": 0.03, "large": 2.0}


@pytest.fixture
def run(tmp_path):
    make_run(tmp_path)
    path = tmp_path / "report.json"
    content = json.loads(path.read_text())
    content["milliseconds"]["trials"] = TIMES
    content["milliseconds"]["baselines"] = {"majority": 0.001, "tfidf_logistic_regression": 0.1}
    path.write_text(json.dumps(content))
    return read_run(tmp_path)


def test_every_score_is_of_the_validation_split(run):
    rows = {row["name"]: row for row in speed(run)["rows"]}
    assert list(rows) == ["majority", "small", "TF-IDF logistic regression", "large"]
    for name, spent in TIMES.items():
        assert rows[name]["score"] == run.trials.loc[run.trials["module"] == name, "score"].max()
        assert rows[name]["milliseconds"] == spent
    baseline = run.summary["baselines"]["majority"]
    assert rows["majority"]["score"] == baseline["valid"][run.metric]
    assert rows["majority"]["test"] == baseline["test"][run.metric]
    chosen, other = ("small", "large") if run.summary["best"]["module"] == "small" else ("large", "small")
    assert rows[chosen]["test"] == run.summary["test"][run.metric] and rows[other]["test"] is None


def test_what_is_drawn_on_the_front_is_on_it(run):
    shown = speed(run)
    on = [row for row in shown["rows"] if row["on_front"]]
    assert [row["score"] for row in on] == sorted({row["score"] for row in on})
    label = re.search(r'aria-label="([^"]*)"', shown["picture"])[1]
    assert all((f"{row['name']} (" in label) is row["on_front"] for row in shown["rows"])


def test_of_a_metric_that_is_to_be_small_the_least_is_the_best(run):
    run.summary["objective"]["direction"] = "min"
    rows = {row["name"]: row for row in speed(run)["rows"]}
    scores = run.trials.loc[run.trials["module"] == "small", "score"]
    assert rows["small"]["score"] == scores.min()


def test_a_run_without_times_has_no_such_part(tmp_path):
    assert speed(read_run(make_run(tmp_path, measured=False))) is None


def test_the_limit_and_equal_points_can_be_drawn():
    measured = [
        ("a", 0.5, None, 0.0, True, True),
        ("b", 0.5, None, 0.0, False, True),
        ("c", 0.4, None, 3, False, False),
    ]
    points = [Costed(*one) for one in measured]
    picture = str(quality_against_time(points, "F1", 0.5, "text"))
    circles = [one for one in ElementTree.fromstring(picture) if one.tag == "circle"]
    assert len(circles) == 3 and "limit 0.5 ms" in picture
    assert sum(one.get("class") == "hollow" for one in circles) == 1
