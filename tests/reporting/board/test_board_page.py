"""What is changed of TensorBoard's pages is changed, and TensorBoard is still as the changes take it to be."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
import tensorboard
from werkzeug.test import Client
from werkzeug.wrappers import Response

from search.reporting.board.web_page import Page

JSON = "application/json"
ANSWERS = {
    "/": "<html><body>…</body></html>",
    "/data/runs": json.dumps(["a", "b", "c"]),
    "/experiment/defaultExperimentId/data/runs": json.dumps(["a", "b", "c"]),
    "/data/plugin/projector/projector_binary.js": "its();",
    "/data/plugin/scalars/tags": json.dumps({"a": {}, "c": {}}),
}


def board(environ, start_response):
    path = environ["PATH_INFO"]
    answer = Response(ANSWERS[path], mimetype=JSON) if path in ANSWERS else Response("no", status=404)
    answer.headers["X-Encoding-Wanted"] = environ.get("HTTP_ACCEPT_ENCODING", "none")
    return answer(environ, start_response)


@pytest.fixture
def browser():
    return Client(Page(board, lambda names: [name for name in names if name != "b"]))


@pytest.mark.parametrize("path", ["/data/runs", "/experiment/defaultExperimentId/data/runs"])
def test_some_runs_are_listed(browser, path):
    answer = browser.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.json == ["a", "c"]
    assert answer.headers["X-Encoding-Wanted"] == "none", "what is compressed cannot be changed"
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_other_answers_are_handed_on(browser):
    answer = browser.get("/data/plugin/scalars/tags", headers={"Accept-Encoding": "gzip"})
    assert answer.json == {"a": {}, "c": {}}
    assert answer.headers["X-Encoding-Wanted"] == "gzip"
    assert browser.get("/nothing/data/runs").status_code == 404


def test_the_page_and_the_projector_load_what_sets_them_up(browser):
    assert '<script src="./search-board.js"></script></body>' in browser.get("/").text
    script = browser.get("/search-board.js")
    assert script.mimetype == "text/javascript"
    assert "tf-hparams-query-pane" in script.text
    projector = browser.get("/data/plugin/projector/projector_binary.js").text
    assert projector.startswith("its();\n")
    assert "vz-projector-data-panel" in projector


def test_tensorboard_has_what_the_scripts_set():
    """They do nothing where it has not: a new version of TensorBoard is looked at here."""
    root = Path(tensorboard.__file__).parent
    projector = (root / "plugins/projector/tf_projector_plugin/projector_binary.js").read_text(encoding="utf-8")
    for name in ("vz-projector-data-panel", "selectedColorOptionName", "colorOptions"):
        assert name in projector
    with ZipFile(root / "webfiles.zip") as files:
        index = files.read("index.js").decode()
        assert "</body>" in files.read("index.html").decode()
    for name in ("tf-hparams-query-pane", "_pageSizeInput", "_queryServer", "_hparams"):
        assert name in index


def test_a_page_is_waited_for(monkeypatch):
    asked = []

    def slow(environ, start_response):
        asked.append(environ["PATH_INFO"])
        answer = Response(json.dumps({"projector": {"enabled": len(asked) > 2}}), mimetype=JSON)
        return answer(environ, start_response)

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    page = Page(slow, list)
    page.wait_for("projector", 30)
    assert asked == ["/data/plugins_listing"] * 3
    asked.clear()
    page.wait_for("projector", 0)
    assert not asked
