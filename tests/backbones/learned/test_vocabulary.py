"""Vocabularies know the training split alone, and tokens are the same inside and outside of a model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.backbones.learned.vocabulary import UNKNOWN, Tokens

TRAIN = np.array(["The red, red fox!", "the blue fox", "a fox", "the  end?", "it's the fox's"], object)
OTHERS = np.array(["the zebra saw the fox", "zebra", "", "!!!", "a red fox and a blue one"], object)
ALL = {"vocabulary_size": 100, "sequence_length": 6, "ngrams": 1}


def test_the_most_frequent_tokens_come_first_and_no_more_than_asked():
    tokens = Tokens(TRAIN)
    assert tokens.vocabulary(ALL)[2:5] == ["the", "fox", "red"]
    assert tokens.vocabulary({**ALL, "vocabulary_size": 4})[2:] == ["the", "fox"]
    kerass_own = keras.layers.TextVectorization(5)
    kerass_own.adapt(TRAIN.tolist())
    assert tokens.vocabulary({**ALL, "vocabulary_size": 5}) == kerass_own.get_vocabulary()


def test_no_word_of_another_split_enters_the_vocabulary():
    tokens = Tokens(TRAIN)
    before = tokens.vocabulary(ALL)
    ids = tokens.ids(OTHERS, ALL).numpy()
    assert "zebra" not in before and tokens.vocabulary(ALL) == before
    the, fox, a = (before.index(word) for word in ("the", "fox", "a"))
    np.testing.assert_array_equal(ids[0], [the, UNKNOWN, UNKNOWN, the, fox, 0])
    np.testing.assert_array_equal(ids[4, [0, 3, 4]], [a, UNKNOWN, a])
    assert tokens.length({**ALL, "sequence_length": "auto"}) == 4


def test_a_text_without_tokens_is_one_unknown_word():
    np.testing.assert_array_equal(Tokens(TRAIN).ids(OTHERS, ALL).numpy()[1:4], [[UNKNOWN, 0, 0, 0, 0, 0]] * 3)


def test_pairs_of_words_stand_behind_the_words():
    pairs = {**ALL, "ngrams": 2}
    tokens = Tokens(TRAIN)
    words = tokens.vocabulary(pairs)
    ids = tokens.ids(np.array(["the red fox"], object), pairs).numpy()[0]
    assert [words[i] for i in ids] == ["the", "red", "fox", "the red", "red fox", ""]


@pytest.mark.parametrize("setting", [ALL, {**ALL, "sequence_length": 1}, {**ALL, "ngrams": 2, "vocabulary_size": 8}])
def test_a_model_cuts_texts_into_the_same_tokens(setting):
    tokens = Tokens(TRAIN)
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, tokens.tokenized(inputs, setting))
    for texts in (TRAIN, OTHERS):
        np.testing.assert_array_equal(model(tf.constant(texts.tolist())), tokens.ids(texts, setting))


def test_a_model_with_words_of_any_characters_can_be_saved_and_read_again(tmp_path):
    texts = [
        "x\u2028y z\u0085w q\x1cr",
        "a\x00 a \x00",
        "é É ß 😀 中文 字",
        "\u200bzero \ufeffbom t\x1fu",
        "nul\x00inside",
        "[UNK]",
    ]
    tokens = Tokens(np.array(texts, object))
    words = tokens.vocabulary(ALL)
    assert {"é", "中文", "t\x1fu"} < set(words) and len(set(words)) == len(words)
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, tokens.tokenized(inputs, ALL))
    model.save(tmp_path / "tokens.keras")
    again = keras.models.load_model(tmp_path / "tokens.keras")
    np.testing.assert_array_equal(again(tf.constant(texts)), tokens.ids(np.array(texts, object), ALL))


def test_the_length_of_auto_leaves_out_the_longest_texts_and_is_bounded():
    usual = [f"{'word ' * 8}" for _ in range(97)]
    auto = {**ALL, "sequence_length": "auto"}
    assert Tokens(np.array([*usual, *["word " * 500] * 3], object)).length(auto) == 8
    assert Tokens(np.array(["word " * 500] * 3, object)).length(auto) == 256
    assert Tokens(np.array(["?", "!"], object)).length(auto) == 1


def test_each_split_is_cut_once_for_all_trials_that_look_at_it_alike():
    tokens = Tokens(TRAIN)
    first = tokens.ids(OTHERS, ALL)
    assert tokens.ids(OTHERS, {**ALL, "module": "lstm"}) is first
    assert tokens.ids(OTHERS, {**ALL, "sequence_length": 3}) is not first
    assert tokens.ids(OTHERS.copy(), ALL) is not first
