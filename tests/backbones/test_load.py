import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from search.backbones.hub import load, saved_model
from search.backbones.hub.load import published, read, trainable_copy
from search.errors import InputError

TWO = tf.constant(["good film", "n't"])


class Owner:
    """Stands for a layer."""


def table(module):
    return module.trainable_variables[0].numpy()


def test_says_what_a_module_is(words_module, encoder_module, save):
    words, encoder, fixed = published(words_module), published(encoder_module), published(save("fixed"))
    assert (words.dimension, encoder.dimension, fixed.dimension) == (4, 4, 1)
    assert (words.takes_training, encoder.takes_training, fixed.takes_training) == (False, True, False)
    assert [variable.name for variable in encoder.variables] == ["encoder/table:0", "steps:0"]
    assert [variable.name for variable in encoder.trainable_variables] == ["encoder/table:0"]
    assert len(words.trainable_variables) == 1 and fixed.trainable_variables == ()
    # A variable that the module does not list is part of its state all the same.
    assert len(fixed.other_variables) == 1


def test_is_loaded_once(words_module, monkeypatch):
    first = published(words_module)
    monkeypatch.setattr(load, "read", lambda *given: pytest.fail("read again"))
    assert published(words_module.parent / "." / words_module.name) is first


def test_a_copy_is_apart_and_starts_as_published(encoder_module):
    original = published(encoder_module)
    before = [variable.numpy() for variable in original.variables]
    first, second = Owner(), Owner()
    one, other = trainable_copy(encoder_module, first), trainable_copy(encoder_module, second)
    one.trainable_variables[0].assign_add(tf.ones([8, 4]))
    one(TWO, training=True)
    for variable, value in zip((*original.variables, *other.variables), before + before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert one.other_variables[0].numpy() == 1


def test_a_copy_nobody_owns_is_used_again_and_set_back(encoder_module, monkeypatch):
    owner = Owner()
    copy = trainable_copy(encoder_module, owner)
    copy.trainable_variables[0].assign_add(tf.ones([8, 4]))
    copy.other_variables[0].assign(7.0)
    # As a layer and its model do.
    owner.cycle = owner
    del owner
    monkeypatch.setattr(load, "read", lambda *given: pytest.fail("read again"))
    again = trainable_copy(encoder_module, Owner())
    assert again is copy
    for variable, value in zip(again.variables, published(encoder_module).variables, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_copy_stays_with_its_owner_while_that_is_alive(words_module):
    owners = [Owner() for _ in range(3)]
    copies = [trainable_copy(words_module, owner) for owner in owners]
    assert len({id(copy) for copy in copies}) == 3
    del owners[1]
    assert trainable_copy(words_module, Owner()) is copies[1]


def test_does_not_depend_on_where_it_is_called(words_module):
    @tf.function
    def traced(texts):
        with tf.name_scope("inside"):
            return published(words_module)(texts)

    embedded = traced(TWO)
    np.testing.assert_array_equal(embedded, published(words_module)(TWO))
    assert published(words_module).variables[0].name == "table:0"


def image(scale, pixels):
    return scale * tf.reduce_mean(pixels, [1, 2])


def tokens(scale, texts):
    return scale * tf.zeros([tf.shape(texts)[0], 7, 3])


@pytest.mark.parametrize(
    ("function", "spec", "told"),
    [
        (image, [tf.TensorSpec([None, 8, 8, 3])], r"takes images, float32 \[\?, 8, 8, 3\]"),
        (lambda scale, ids: scale * tf.cast(ids, tf.float32), [tf.TensorSpec([None, 5], tf.int32)], r"int32 \[\?, 5\]"),
        (
            lambda scale, given: scale * tf.cast(given["ids"], tf.float32),
            [{"ids": tf.TensorSpec([None, 5], tf.int32), "mask": tf.TensorSpec([None, 5], tf.int32)}],
            r"{ids: int32 \[\?, 5\], mask: int32 \[\?, 5\]}",
        ),
        (lambda scale, text: scale, [tf.TensorSpec([], tf.string)], r"it takes string \[\]"),
        (tokens, [], r"got float32 \[2, 7, 3\]"),
        (lambda scale, texts: {"default": tokens(scale, texts)}, [], r"got {default: float32 \[2, 7, 3\]}"),
        (lambda scale, texts: tf.strings.length(texts)[:, tf.newaxis], [], r"got int32 \[2, 1\]"),
        (lambda scale, texts: scale * tf.ones([1, 4]), [], r"got float32 \[1, 4\]"),
        (lambda scale, texts: tf.strings.to_number(texts)[:, tf.newaxis], [], "fails on texts.*StringToNumber"),
    ],
)
def test_what_is_no_text_module_is_told(save, function, spec, told):
    folder = save("module", function, *spec)
    with pytest.raises(InputError, match=told) as raised:
        published(folder, "mine")
    assert str(raised.value).startswith("module mine ") and "\n" not in str(raised.value)


def test_float64_becomes_float32(save):
    folder = save("double", lambda scale, texts: tf.cast(tf.strings.length(texts), tf.float64)[:, tf.newaxis])
    assert published(folder)(TWO).dtype == tf.float32


def unknown_operation(folder):
    """A SavedModel with an operation that TensorFlow does not have, as SentencePiece modules have."""
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes().replace(b"StringLength", b"Sentencepiec"))
    return folder


def test_a_missing_operation_says_what_to_install(save, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(InputError, match=r'Sentencepiec.*pip install "search\[text\]"'):
        published(unknown_operation(save("module")))


def test_an_operation_that_the_library_lacks_too(save, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", types.ModuleType("tensorflow_text"))
    with pytest.raises(InputError, match="Sentencepiec"):
        published(unknown_operation(save("module")))


def test_the_library_is_imported_where_it_is_needed(save, monkeypatch):
    folder = save("module")
    path = folder / "saved_model.pb"
    whole = path.read_bytes()
    unknown_operation(folder)

    # Stands for the import: from then on the module loads.
    monkeypatch.setattr(saved_model, "_text_operations", lambda: path.write_bytes(whole) > 0)
    assert read(folder, "mine").dimension == 1


@pytest.mark.parametrize(
    "damage", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
def test_a_damaged_module_is_told(encoder_module, damage):
    path = encoder_module / damage
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="module mine cannot be loaded from") as raised:
        published(encoder_module, "mine")
    assert "\n" not in str(raised.value)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        published(tmp_path / "none")
