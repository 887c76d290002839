import gc
import json
import re
import subprocess
import sys
import weakref
import zipfile
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from classifiers import LABELS, TEXTS, classifier, fit, same, values
from keras.src.trainers.trainer import model_supports_jit

import search
from search.backbones.hub import load
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.load import published
from search.errors import InputError


@pytest.fixture(params=["words_module", "encoder_module"])
def module(request):
    return request.getfixturevalue(request.param)


def test_frozen_weights_stay_bit_identical_while_the_head_learns(module):
    model = classifier(module, trainable=False)
    layer = model.get_layer("embedding")
    before, head = values(published(module).variables), model.get_weights()
    embedded = layer(tf.constant(TEXTS)).numpy()
    fit(model)
    assert same(values(published(module).variables), before)
    assert not same(model.get_weights(), head)
    np.testing.assert_array_equal(layer(tf.constant(TEXTS)), embedded)


def test_no_setting_reaches_the_weights_of_a_frozen_layer(module):
    model = classifier(module, trainable=False)
    before = values(published(module).variables)
    model.trainable = True
    model.compile("sgd", "sparse_categorical_crossentropy")
    fit(model)
    assert len(model.trainable_variables) == 4
    assert same(values(published(module).variables), before)


def test_trainable_weights_move_and_the_published_ones_do_not(module):
    model = classifier(module, trainable=True)
    layer = model.get_layer("embedding")
    before = values(published(module).variables)
    assert same(values(layer.variables), before)
    fit(model)
    assert not np.array_equal(layer.trainable_variables[0].numpy(), before[0])
    assert same(values(published(module).variables), before)
    # What moved is what computes.
    frozen = TextEmbedding(module)(tf.constant(TEXTS)).numpy()
    assert not np.allclose(layer(tf.constant(TEXTS)), frozen)


def test_each_trainable_layer_starts_from_the_published_weights_bit_for_bit(module):
    for _ in range(3):
        model = classifier(module, trainable=True, eagerly=True)
        assert same(values(model.get_layer("embedding").variables), values(published(module).variables))
        fit(model, epochs=1)
        del model


def test_two_trainable_layers_do_not_share_weights(module):
    first, second = classifier(module, trainable=True, eagerly=True), classifier(module, trainable=True, eagerly=True)
    fit(first, epochs=1)
    trained = values(first.get_layer("embedding").variables)
    assert same(values(second.get_layer("embedding").variables), values(published(module).variables))
    fit(second, epochs=1)
    assert same(values(first.get_layer("embedding").variables), trained)


def test_a_module_is_read_twice_however_many_trials_there_are(module, monkeypatch):
    reads = []
    read = load.read
    monkeypatch.setattr(load, "read", lambda *given: reads.append(given) or read(*given))
    for trainable in (True, False, True, True, False):
        fit(classifier(module, trainable, eagerly=True), epochs=1)
    assert len(reads) == 2


def test_a_fitted_model_is_let_go(module):
    model = classifier(module, trainable=True)
    fit(model, epochs=1)
    layer = weakref.ref(model.get_layer("embedding"))
    del model
    gc.collect()
    assert layer() is None


def test_training_twice_gives_the_same_weights(module):
    trained = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = classifier(module, trainable=True, eagerly=True)
        fit(model, epochs=2)
        trained.append(model.get_weights())
        del model
    assert same(*trained)


@pytest.mark.slow
def test_in_the_model_that_keras_tuner_builds(words_module, tmp_path):
    before = values(published(words_module).variables)
    seen = {}

    class Watched(keras_tuner.HyperModel):
        def build(self, hp):
            return classifier(words_module, hp.Boolean("trainable"))

        def fit(self, hp, model, *given, **named):
            history = model.fit(*given, **named)
            seen[hp.get("trainable")] = values(tf.nest.flatten(model.get_layer("embedding")._saved.variables))
            return history

    tuner = keras_tuner.GridSearch(Watched(), "val_loss", directory=tmp_path / "tuner")
    data = (tf.constant(TEXTS), LABELS)
    tuner.search(*data, validation_data=data, epochs=2, verbose=0)
    assert same(seen[False], before)
    assert not np.array_equal(seen[True][0], before[0])
    assert same(values(published(words_module).variables), before)


def test_the_gradient_of_a_word_table_is_sparse(words_module):
    layer = TextEmbedding(words_module, trainable=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant(["good good film"])) ** 2)
    gradient = tape.gradient(loss, layer.trainable_variables[0].value)
    assert isinstance(gradient, tf.IndexedSlices)
    assert sorted(gradient.indices.numpy()) == [0, 2]


def test_shapes_are_known_without_a_call(words_module):
    layer = TextEmbedding(words_module)
    assert layer.dimension == 4
    assert layer(keras.Input((), dtype="string")).shape == (None, 4)
    assert layer(keras.Input((1,), dtype="string")).shape == (None, 4)
    with pytest.raises(ValueError, match=r"\(None, 2\)"):
        layer(keras.Input((2,), dtype="string"))


def test_a_column_of_texts_gives_the_same_as_a_row(words_module):
    layer = TextEmbedding(words_module)
    column = layer(tf.constant(TEXTS)[:, tf.newaxis])
    assert column.dtype == tf.float32
    np.testing.assert_array_equal(column, layer(tf.constant(TEXTS)))
    np.testing.assert_array_equal(column, layer(np.array(TEXTS, dtype=object)))


def test_float32_under_mixed_precision(module):
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = classifier(module, trainable=True)
        fit(model)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    layer = model.get_layer("embedding")
    assert layer.output.dtype == "float32"
    assert model.layers[2].compute_dtype == "float16"
    assert layer.trainable_variables[0].dtype == "float32"
    assert not np.array_equal(layer.trainable_variables[0].numpy(), published(module).variables[0].numpy())


def test_is_never_compiled_by_xla(words_module):
    # What Keras asks where it chooses by itself, jit_compile="auto".
    assert not model_supports_jit(classifier(words_module, trainable=False))


def test_training_is_passed_on_only_where_the_layer_trains(encoder_module):
    texts = tf.constant(TEXTS)
    frozen, trained = TextEmbedding(encoder_module), TextEmbedding(encoder_module, trainable=True)
    np.testing.assert_array_equal(frozen(texts, training=True), frozen(texts))
    np.testing.assert_allclose(trained(texts, training=True), frozen(texts) + 1.0)
    steps = next(variable for variable in trained.non_trainable_variables if variable.name == "steps")
    assert steps.numpy() == 1


def test_regularization_losses_are_added_in_training(encoder_module):
    texts = tf.constant(TEXTS)
    layer = TextEmbedding(encoder_module, trainable=True)
    layer(texts)
    assert layer.losses == []
    layer(texts, training=True)
    assert float(layer.losses[0]) == pytest.approx(0.5 * float(np.sum(layer.trainable_variables[0].numpy() ** 2)))
    frozen = TextEmbedding(encoder_module)
    frozen(texts, training=True)
    assert frozen.losses == []


def test_regularization_losses_reach_the_loss_of_fit(encoder_module):
    model = classifier(encoder_module, trainable=True, optimizer=keras.optimizers.SGD(0.0))
    plain = classifier(encoder_module, trainable=True, optimizer=keras.optimizers.SGD(0.0))
    plain.set_weights(model.get_weights())
    plain.get_layer("embedding").trainable = False
    penalty = 0.5 * float(np.sum(published(encoder_module).variables[0].numpy() ** 2))
    texts = tf.constant(TEXTS)
    log_loss = keras.losses.sparse_categorical_crossentropy(LABELS, model(texts, training=True)).numpy().mean()
    history = model.fit(texts, LABELS, batch_size=len(TEXTS), verbose=0)
    assert history.history["loss"][0] == pytest.approx(log_loss + penalty, rel=1e-5)


def test_a_module_without_trainable_variables_cannot_be_fine_tuned(save):
    folder = save("fixed")
    assert TextEmbedding(folder)(tf.constant(["four"])).numpy() == 8
    with pytest.raises(InputError, match=r"space.trainable=\[false\]"):
        TextEmbedding(folder, trainable=True)(tf.constant(["four"]))


def test_a_weights_file_of_a_frozen_model_holds_the_head_alone(tmp_path, word_vectors):
    from search.backbones.builders.vectors import write_module

    folder = tmp_path / "large"
    write_module((f"w{i}" for i in range(20_000)), np.ones([20_000, 50], np.float32), folder)
    sizes = {}
    for trainable in (False, True):
        model = classifier(folder, trainable)
        model.save_weights(tmp_path / "model.weights.h5")
        sizes[trainable] = (tmp_path / "model.weights.h5").stat().st_size
    assert sizes[False] < 50_000
    assert sizes[True] > 20_000 * 50 * 4


@pytest.mark.parametrize("trainable", [False, True])
def test_keras_file_in_the_same_process(module, trainable, tmp_path):
    model = classifier(module, trainable, eagerly=True)
    fit(model, epochs=1)
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(restored.predict(tf.constant(TEXTS)), model.predict(tf.constant(TEXTS)))
    assert same(restored.get_weights(), model.get_weights())
    # Both go on training, apart from each other.
    fit(model, epochs=1)
    fit(restored, epochs=1)
    assert same(restored.get_weights(), model.get_weights())


@pytest.mark.parametrize("trainable", [False, True])
def test_keras_file_goes_on_training_where_the_module_is_gone(module, trainable, tmp_path):
    model = classifier(module, trainable)
    fit(model)
    model.save(tmp_path / "model.keras")
    module.rename(tmp_path / "elsewhere")
    restored = keras.models.load_model(tmp_path / "model.keras")
    restored.save(tmp_path / "again.keras")
    copy = restored.get_layer("embedding")._folder
    again = keras.models.load_model(tmp_path / "again.keras")
    for other in (restored, again):
        np.testing.assert_array_equal(other.predict(tf.constant(TEXTS)), model.predict(tf.constant(TEXTS)))
        assert same(values(other.optimizer.variables), values(model.optimizer.variables))
    fit(restored)
    fit(model)
    assert same(restored.get_weights(), model.get_weights())
    assert copy.is_dir()
    del restored, again, other
    gc.collect()
    assert not copy.exists()


def test_keras_file_does_not_trust_a_module_that_changed(words_module, word_vectors, tmp_path):
    from search.backbones.builders.vectors import write_module

    model = classifier(words_module, trainable=False)
    fit(model)
    model.save(tmp_path / "model.keras")
    before = model.predict(tf.constant(TEXTS))
    words_module.rename(tmp_path / "moved")
    write_module(("other", "words"), word_vectors[:2] + 1, words_module)
    restored = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(restored.predict(tf.constant(TEXTS)), before)


def test_a_clone_starts_from_the_published_weights(words_module):
    model = classifier(words_module, trainable=True)
    fit(model)
    clone = keras.models.clone_model(model)
    assert same(values(clone.get_layer("embedding").variables), values(published(words_module).variables))


def test_exported_model_brings_its_vocabulary(words_module, tmp_path):
    model = classifier(words_module, trainable=False)
    model.export(tmp_path / "exported", verbose=False)
    assert (tmp_path / "exported" / "assets" / "vocabulary.txt").read_text().split() == [
        "good", "bad", "film", "book", "the", "n't", "!",
    ]  # fmt: skip


def test_keras_file_carries_the_module(words_module, tmp_path):
    classifier(words_module, trainable=False).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        names = file.namelist()
    assert any(name.endswith("assets/vocabulary.txt") for name in names)
    assert any(name.endswith("saved_model.pb") for name in names)


def _layers():
    """The names of all layers that a file may hold."""
    sources = [path.read_text(encoding="utf-8") for path in Path(search.__file__).parent.rglob("*.py")]
    registered = r'^@keras.saving.register_keras_serializable\(package="search"\)\nclass (\w+)'
    found = re.findall(registered, "\n".join(sources), re.MULTILINE)
    assert len(found) > 3
    return found


@pytest.mark.parametrize("imports", ["import search, keras", "import keras, search"])
def test_keras_loads_the_file_once_the_package_is_imported(words_module, tmp_path, imports):
    model = classifier(words_module, trainable=True)
    model.save(tmp_path / "model.keras")
    program = f"""
import sys
{imports}
import keras, json, tensorflow as tf
model = keras.models.load_model(sys.argv[1])
assert all(keras.saving.get_registered_object("search>" + name) for name in {_layers()})
print(json.dumps(model(tf.constant(["good film"])).numpy().tolist()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.keras")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), model(tf.constant(["good film"])), rtol=1e-6)


def test_importing_the_package_brings_neither_keras_nor_tensorflow():
    program = "import sys, search; sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
