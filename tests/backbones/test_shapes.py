import gc
import shutil
from collections import namedtuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers import LOAD_KERAS, LOAD_SAVED_MODEL, TEXTS, classifier, elsewhere, fit, same, values
from shapes import SHAPES, expected

from search.backbones.base import SavedModule
from search.backbones.catalog import ModulePlaces
from search.backbones.hub import load
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.load import published
from search.backbones.hub.module import HubModule
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig
from search.errors import InputError

Built = namedtuple("Built", "shape folder")
Fitted = namedtuple("Fitted", "model layer before")
TRAINABLE = [name for name, shape in SHAPES.items() if shape.trains]

# One after the other, each with all its tests.
trainable = pytest.mark.parametrize("built", TRAINABLE, indirect=True)


@pytest.fixture(scope="module")
def resolved(tmp_path_factory):
    """Builds a shape once, and gives it as it is used: its parts are gone."""
    known = {}

    def build(name):
        if name not in known:
            folder = tmp_path_factory.mktemp("shape")
            settings = ModuleConfig(**SHAPES[name].build(folder / "module"))
            given = str(folder / "module")
            found = resolve_modules([given], ModulePlaces(settings, folder / "modules", [folder]))[given]
            assert (found.parent == folder / "modules") == SHAPES[name].composed
            if SHAPES[name].composed:
                for part in folder.iterdir():
                    if part.name != "modules":
                        shutil.rmtree(part) if part.is_dir() else part.unlink()
            known[name] = Built(SHAPES[name], found)
        return known[name]

    return build


@pytest.fixture(scope="module", params=SHAPES)
def built(request, resolved):
    return resolved(request.param)


@pytest.fixture(scope="module")
def fitted(built):
    """A classifier on the shape after an epoch, and the variables of its embedding before."""
    model = classifier(built.folder, trainable=built.shape.trains, eagerly=True)
    layer = model.get_layer("embedding")
    before = values(layer.variables)
    fit(model, epochs=1)
    return Fitted(model, layer, before)


def test_embeds_texts(built):
    module = published(built.folder)
    embedded = module(tf.constant(TEXTS))
    assert embedded.dtype == tf.float32 and module.dimension == 4
    if built.shape.pooling:
        np.testing.assert_allclose(embedded, expected(TEXTS, built.shape.pooling), atol=1e-6)
    np.testing.assert_array_equal(module(tf.constant(TEXTS[:1])), embedded[:1])
    assert module(tf.constant([], tf.string)).shape == (0, 4)
    assert len(module.variables) == len({id(variable) for variable in module.variables})


def test_tells_training_from_inference_where_it_can(built):
    module = published(built.folder)
    texts = tf.constant(TEXTS)
    assert module.takes_training == built.shape.takes_training
    before = module(texts)
    with tf.init_scope():
        difference = load.read(built.folder, "mine")(texts, training=True) - before
    assert np.any(np.abs(difference) > 1e-6) == built.shape.takes_training


@trainable
def test_gradients_are_sparse(built, fitted):
    (table,) = fitted.layer.trainable_variables
    assert table.shape == (8, 4)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def gradient(texts):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(fitted.layer(texts, training=True) ** 2)
        assert len(fitted.layer.losses) == built.shape.losses
        return tape.gradient(loss, table.value)

    slices = gradient(tf.constant(TEXTS))
    assert isinstance(slices, tf.IndexedSlices)
    assert np.any(slices.values.numpy() != 0)


@trainable
def test_is_fine_tuned_and_starts_as_published(built, fitted):
    assert same(values(published(built.folder).variables), fitted.before)
    assert not np.array_equal(fitted.layer.trainable_variables[0].numpy(), fitted.before[0])


@pytest.mark.parametrize("name", [name for name in SHAPES if name not in TRAINABLE])
def test_what_cannot_be_fine_tuned_is_said(resolved, name):
    folder = resolved(name).folder
    with pytest.raises(InputError, match=r"no trainable variables.*space.trainable=\[false\]"):
        TextEmbedding(folder, trainable=True)(tf.constant(TEXTS))
    assert HubModule(SavedModule("mine", folder)).untrainable() == ["mine"]


def test_a_saved_classifier_needs_nothing_else(built, fitted, tmp_path):
    model = fitted.model
    probabilities = model(tf.constant(TEXTS)).numpy()
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "exported", verbose=False)
    # Read as where the module is not: from the file alone.
    hidden = built.folder.rename(built.folder.with_name("hidden"))
    try:
        restored = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(restored(tf.constant(TEXTS)), probabilities, atol=1e-6)
        exported = tf.saved_model.load(tmp_path / "exported")
        np.testing.assert_allclose(exported.serve(tf.constant(TEXTS)), probabilities, atol=1e-6)
    finally:
        hidden.rename(built.folder)
    del restored
    gc.collect()


@pytest.mark.slow
def test_other_processes_compute_the_same(resolved, tmp_path):
    (tmp_path / "empty").mkdir()
    expected, files, exported = [], [], []
    for number, name in enumerate(("signature", "BERT, max")):
        folder = tmp_path / str(number)
        shutil.copytree(resolved(name).folder, folder / "module")
        model = classifier(folder / "module", trainable=True)
        fit(model)
        expected.append(model.predict(tf.constant(TEXTS), verbose=0))
        files.append(folder / "model.keras")
        exported.append(folder / "exported")
        model.save(files[-1])
        model.export(exported[-1], verbose=False)
        (folder / "module").rename(folder / "gone")
    for program, paths in ((LOAD_KERAS, files), (LOAD_SAVED_MODEL, exported)):
        np.testing.assert_allclose(elsewhere(program, paths, tmp_path / "empty"), expected, atol=1e-6)
