"""`python -m search.serve` as its clients see it; what stands for the model needs no TensorFlow."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from search.commands.serve import main

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

# The command, with a model that sleeps as many seconds as a text says.
PROGRAM = """
import sys, time
import numpy as np
import search.inference.predictor as predictor, search.inference.serving.rest as rest, search.utils.device as device

class Model:
    def __init__(self, labels):
        self.labels = labels
    def __call__(self, texts, columns):
        if "broken" in texts:
            raise RuntimeError("a secret of the server")
        time.sleep(max((float(text) for text in texts if text[:1].isdigit()), default=0))
        return predictor.Predictions(["good"] * len(texts), np.array([[0.25, 0.75]] * len(texts)))

predictor.Predictor.load = lambda run, threshold, model: Model(predictor.Labels.of(run, threshold, model))
rest.read_signatures = lambda folder: {"serving_default": {"inputs": {"texts": {}}, "outputs": {"predicted": {}}}}
device.configure = lambda *_, **__: None
from search.commands.serve import main
sys.exit(main(sys.argv[1:]))
"""
PATH = "/v1/models/reviews:predict"
ANSWER = {"predictions": [{"probabilities": [0.25, 0.75], "predicted": "good"}]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made"
    (folder / ".hydra").mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / ".hydra" / "config.yaml").write_text("dataset: {name: reviews, text: review, label: stars}\n")
    (folder / "model" / "labels.json").write_text(json.dumps({"labels": ["bad", "good"], "threshold": 0.5}))
    return folder


@pytest.fixture(scope="module")
def server(run):
    """The server's process, and its port; it must end by itself after SIGTERM, having printed no traceback."""
    settings = [f"run={run}", "port=0", "timeout=1", "max_mib=1", "max_instances=3"]
    command = [sys.executable, "-c", PROGRAM, *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://127.0.0.1:(\d+)" + PATH, process.stdout.readline())
            yield process, int(found[1])
        finally:
            process.kill()


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.headers["content-type"] == "application/json"
    return response.status, json.loads(content)


def predict(port, *texts):
    return ask(port, "POST", PATH, json.dumps({"instances": texts}))


def test_the_paths_of_tensorflow_serving(server):
    _, port = server
    assert predict(port, "a") == (200, ANSWER)
    assert ask(port, "POST", "/v1/models/reviews/versions/1:predict", '{"instances": ["a"]}') == (200, ANSWER)
    status, content = ask(port, "GET", "/v1/models/reviews")
    assert (status, content["model_version_status"][0]["state"]) == (200, "AVAILABLE")
    status, content = ask(port, "GET", "/v1/models/reviews/metadata")
    assert (status, content["model_spec"]["name"]) == (200, "reviews")
    assert "serving_default" in content["metadata"]["signature_def"]["signature_def"]
    assert ask(port, "GET", "/health")[0] == 200


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (400, "POST", PATH, "{", {}),
        (404, "POST", "/v1/models/other:predict", "{}", {}),
        (404, "GET", "/", None, {}),
        (405, "GET", PATH, None, {}),
        (413, "POST", PATH, json.dumps({"instances": ["a"] * 4}), {}),
        (413, "POST", PATH, json.dumps({"instances": ["a" * (1 << 20)]}), {}),
        (415, "POST", PATH, "{}", {"Content-Encoding": "gzip"}),
        (504, "POST", PATH, json.dumps({"instances": ["1.3"]}), {}),
    ],
)
def test_an_error_is_json_with_its_status(server, status, method, path, body, headers):
    found, content = ask(server[1], method, path, body, headers)
    assert found == status
    assert list(content) == ["error"] and content["error"]


def test_a_fault_of_the_server_is_not_told_to_the_client(server):
    status, content = predict(server[1], "broken")
    assert status == 500
    assert "secret" not in content["error"] and "Traceback" not in content["error"]
    assert predict(server[1], "a") == (200, ANSWER)


def test_clients_that_are_slow_or_go_away_keep_nobody_waiting(server):
    _, port = server
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".encode()
    slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(60)]
    for number, one in enumerate(slow):
        one.sendall(head[: 20 if number % 2 else None])
    for one in slow[:20]:
        one.close()
    begun = time.monotonic()
    assert predict(port, "a") == (200, ANSWER)
    assert time.monotonic() - begun < 1
    assert slow[20].recv(1000).startswith(b"HTTP/1.1 408")
    assert slow[21].recv(1000) == b""  # half a header: cut without a word
    for one in slow:
        one.close()


def test_sigterm_answers_what_is_running_and_ends(server):
    process, port = server
    with ThreadPoolExecutor() as threads:
        running = threads.submit(predict, port, "0.6")
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert running.result() == (200, ANSWER)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert err.count("Traceback") == 1 and "a secret of the server" in err  # of the fault above: for the log alone


def test_a_port_that_is_taken_is_one_line(run, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main([f"run={run}", f"port={taken.getsockname()[1]}"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "in use" in err


def test_without_its_packages(run, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "search.inference.serving.server", raising=False)
    assert main([f"run={run}"]) == 2
    err = capsys.readouterr().err
    assert "search[serve]" in err and err.count("\n") == 1
