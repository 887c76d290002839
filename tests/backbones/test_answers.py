import faulty
import keras
import numpy as np
import pytest
import tensorflow as tf

from search.backbones.hub.answers import answers, answers_in_batches, faults_of_modules
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.load import published
from search.errors import InputError
from search.features.cache import FeatureCache, Features
from search.features.store import KEY, ChunkStore

GOOD = ["a fine film", "rather a bad one", "no", "one that is much longer than all of the others are"]
FAULTS = [(faulty.fewer_rows, "does not give a row for each"), (faulty.not_a_number, "NaN or infinite")]
at_fault = pytest.mark.parametrize(("function", "told"), FAULTS)


@at_fault
@pytest.mark.parametrize("place", [0, 2, 4])
def test_the_text_is_named_that_a_module_has_no_finite_row_for(tmp_path, function, told, place):
    module = published(faulty.save(function, tmp_path / "module"), "mine")
    np.testing.assert_array_equal(answers(module, GOOD, "module mine"), module(tf.constant(GOOD)))
    texts = [*GOOD[:place], "!!!", *GOOD[place:]]
    if place < 4 and function is faulty.fewer_rows:
        texts[place + 1 :] = []  # in the middle it gives zeros, which are as good as any
    with pytest.raises(InputError, match=rf"^module mine .* '!!!': it .*{told}"):
        answers(module, texts, "module mine")
    with pytest.raises(tf.errors.InvalidArgumentError):
        module(tf.constant(texts))


@at_fault
def test_no_frozen_features_of_such_a_text(tmp_path, function, told):
    folder = faulty.save(function, tmp_path / "module")
    cache = FeatureCache(tmp_path / "cache")
    known = cache.features(folder, np.array(GOOD, object), name="mine").array()
    for _ in range(2):
        with pytest.raises(InputError, match=rf"^module mine .* '!!!': it .*{told}"):
            cache.features(folder, np.array([*GOOD, "!!!"], object), name="mine")
    np.testing.assert_array_equal(cache.features(folder, np.array(GOOD, object)).array(), known)


def test_rows_that_were_never_filled_are_not_handed_out(tmp_path):
    values = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match="none of 1"):
        Features([values], np.array([0, -1], np.int32), np.array([0, 1], np.int32), 3)
    store = ChunkStore(tmp_path, None)
    with pytest.raises(ValueError, match="for each of 3 keys"):
        store.write(store.shelf("0" * 64, "float32"), np.array([b"a", b"b", b"c"], KEY), values, set())
    assert not list(tmp_path.rglob("*.features"))


@at_fault
@pytest.mark.parametrize("trainable", [False, True])
def test_a_model_over_the_module_fails_instead_of_guessing(tmp_path, function, told, trainable):
    texts = keras.Input((), dtype="string")
    embedded = TextEmbedding(faulty.save(function, tmp_path / "module"), trainable=trainable)(texts)
    model = keras.Model(texts, keras.layers.Dense(2, "softmax")(keras.layers.Dense(3, "relu")(embedded)))
    model.export(str(tmp_path / "exported"), verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    for call in (model, exported.serve):
        assert answers_in_batches(call, np.array(GOOD, object), "the model").shape == (4, 2)
        with pytest.raises(InputError, match=rf"^the model .* '!!!': it .*{told}"):
            answers_in_batches(call, np.array([*GOOD, "!!!"], object), "the model")


def test_weights_that_diverged_are_not_the_module_s_fault(tmp_path):
    module = published(faulty.save(faulty.not_a_number, tmp_path / "module"), "mine")
    nothing = tf.fill(module.variables[0].shape, np.nan)

    def train(texts):
        before = module.variables[0].numpy()
        with faults_of_modules({"mine": module}, np.array(texts, object)):
            try:
                module.variables[0].assign(nothing)
                tf.function(module)(tf.constant(texts))
            finally:
                module.variables[0].assign(before)

    with pytest.raises(ArithmeticError, match="diverged"):
        train(GOOD)
    with pytest.raises(InputError, match=r"^module mine .* '\?\?'"):
        train([*GOOD, "??"])


def test_texts_that_only_fail_together_are_counted():
    def together(texts):
        return tf.zeros([1 + len(texts) // 4, 2]) if len(texts) > 2 else tf.zeros([len(texts), 2])

    with pytest.raises(InputError, match="on 4 texts together: it does not give a row for each text"):
        answers(together, list("abcd"), "module mine")
