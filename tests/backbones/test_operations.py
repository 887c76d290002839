import logging

import pytest
import tensorflow as tf
from shapes import SHAPES

from search.backbones.hub import saved_model
from search.backbones.hub.load import published

TEXTS = tf.TensorSpec([None], tf.string)


def lengths(texts):
    return tf.cast(tf.strings.length(texts), tf.float32)[:, tf.newaxis]


def save(function, folder):
    module = tf.train.Checkpoint()
    module.__call__ = tf.function(function, input_signature=[TEXTS])
    tf.saved_model.save(module, str(folder))
    return folder


def writing(path, texts):
    with tf.control_dependencies([tf.io.write_file(str(path), "was here")]):
        return lengths(texts)


def nested(path):
    """Writes in a branch of a function in a loop of a function."""

    @tf.function
    def step(number, texts):
        return tf.cond(number > 0, lambda: writing(path, texts), lambda: lengths(texts))

    def module(texts):
        return tf.while_loop(lambda i, _: i < 1, lambda i, _: (i + 1, step(i, texts)), (0, lengths(texts)))[1]

    return module


@pytest.mark.parametrize("kind", ["plain", "nested"])
def test_what_writes_a_file_is_named_before_it_runs(tmp_path, kind, caplog):
    written = tmp_path / "written"
    function = nested(written) if kind == "nested" else lambda texts: writing(written, texts)
    folder = save(function, tmp_path / "module")
    assert saved_model.reach(folder) == "files (WriteFile)"
    with caplog.at_level(logging.WARNING), pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_model, "_load", lambda folder: pytest.fail(f"{written.exists()}: {caplog.text}"))
        with pytest.raises(pytest.fail.Exception, match=r"False: .*mine is a program that reaches files \(WriteFile\)"):
            published(folder, "mine")


def test_python_and_files_that_are_read_are_named(tmp_path):
    def module(texts):
        known = tf.strings.length(tf.io.read_file("/etc/hostname"))
        return tf.numpy_function(lambda x: x, [lengths(texts)], tf.float32) + tf.cast(known, tf.float32)

    assert saved_model.reach(save(module, tmp_path / "module")) == "files (ReadFile); Python (PyFunc)"


@pytest.mark.parametrize("name", ["object", "Keras 3 export", "Keras 2", "BERT in signatures"])
def test_modules_as_they_are_reach_nothing(tmp_path, name):
    SHAPES[name].build(tmp_path / "module")
    assert saved_model.reach(tmp_path / "module") == ""
