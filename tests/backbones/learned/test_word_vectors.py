"""The table that an embedding starts from."""

import numpy as np
import tensorflow as tf
from reviews import VOCABULARY

from search.backbones.hub.load import published
from search.backbones.learned.initial_table import WordVectors


def test_each_token_starts_with_the_vector_of_its_word(word_module):
    (table,) = published(word_module).variables
    rows = dict(zip(VOCABULARY, table.numpy(), strict=False))
    found = WordVectors.of(word_module, "words").table(["", "[UNK]", "love", "zebra", "a film", "a zebra"])
    assert found.dtype == np.float32 and not found[0].any()
    np.testing.assert_array_equal(found[2], rows["love"])
    np.testing.assert_allclose(found[4], (rows["a"] + rows["film"]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(found[5], rows["a"])
    # The module's own answer for words that it does not know.
    np.testing.assert_array_equal(found[[1, 3]], [table.numpy()[-1]] * 2)


def test_a_module_of_another_kind_has_none(tmp_path):
    class Lengths(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            return tf.cast(tf.strings.length(texts), tf.float32)[:, None]

    tf.saved_model.save(Lengths(), str(tmp_path / "lengths"))
    assert WordVectors.of(tmp_path / "lengths", "lengths") is None
