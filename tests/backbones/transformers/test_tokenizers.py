import json
import random

import pytest
import tensorflow as tf
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from search.backbones.transformers.layout import read_layout
from search.backbones.transformers.tokenizer_files import read_tokenizer
from search.backbones.transformers.tokens import Tokens

SENTENCES = [
    "The train to the coast leaves at half past six, doesn't it? We'll see; I'd say they've left.",
    "Ça n'était pas vrai: l'été à Köln, naïve façade, Łódź, İstanbul, ẞ, ǅ.",
    "Привет, мир! Ёлка стоит дома, й и и\u0306.",
    "海岸行きの列車は六時半に出ます。去海边的火车六点半开。해안으로 가는 기차는 여섯 시 반에.",
    "รถไฟไปชายทะเลออกหกโมงครึ่ง القطار إلى الساحل يغادر नमस्ते दुनिया।",
    "👩‍👩‍👧 🙂🏽 🇩🇪 \U0001d400 ² ½ Ⅷ ٣ 1,234.56 ﬁ ① ﷺ",
    "a\x00b\u200bc\ufeffd\tx\ny\r\n  z\u3000\xa0w \x1c \x85 \u2028",
    "[MASK] x[SEP]y [cls] <mask> </s>z <s>",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "é" * 100,
    "\U00020000\U0002b820\U0002b920\U0002f800\uf900 \u07fd \u1734 \u166d \U000111c9 \U00013430 \u0378 \ue000",
    "''s 's're 'S '' don''t \n's  'll  x",
]
BYTES = pre_tokenizers.ByteLevel.alphabet()
KINDS = {
    f"word piece, lowercase={low}, accents={accents}, chinese={chinese}": ("WordPiece", low, accents, chinese)
    for low, accents, chinese in ((True, None, True), (False, None, True), (True, False, True), (False, True, False))
} | {"byte pairs": ("BPE", None, None, None)}


def trained(kind, low, accents, chinese):
    if kind == "WordPiece":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=low, strip_accents=accents, handle_chinese_chars=chinese)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        made.train_from_iterator(
            SENTENCES[:8] * 3, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
        )
        ids = [("[CLS]", 2), ("[SEP]", 3)]
        made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
        return made
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=BYTES, show_progress=False)
    made.train_from_iterator(SENTENCES[:8] * 3, trainer)
    made.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True, normalized=False)])
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def pair(request, tmp_path_factory):
    """A tokenizer of the library, and ours of its file: each gives the ids of texts."""
    made, folder = trained(*request.param), tmp_path_factory.mktemp("tokenizer")
    made.save(str(folder / "tokenizer.json"))
    config = {"model_type": "bert", "vocab_size": made.get_vocab_size(), "max_position_embeddings": 10_000}
    (folder / "config.json").write_text(json.dumps(config))
    layout = read_layout(folder, "made")
    tokens = Tokens(read_tokenizer(layout), layout.max_tokens)
    ours = tf.function(tokens.ids, input_signature=[tf.TensorSpec([None], tf.string)])
    return (
        lambda texts: [one.ids for one in made.encode_batch(texts)],
        lambda texts: ours(tf.constant([text.encode() for text in texts])).to_list(),
    )


def test_ids_are_those_of_the_library(pair):
    library, ours = pair
    texts = [*SENTENCES, "", " ", "\n", *(text[::-1] for text in SENTENCES)]
    assert ours(texts) == library(texts)


def test_ids_of_mixed_texts_are_those_of_the_library(pair):
    library, ours = pair
    chosen = random.Random(0)
    everything = "".join(SENTENCES)
    texts = ["".join(chosen.choices(everything, k=chosen.randrange(40))) for _ in range(5000)]
    differing = [text for text, one, other in zip(texts, library(texts), ours(texts), strict=True) if one != other]
    assert differing == []


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=30), min_size=1, max_size=20))
def test_ids_of_any_text_are_those_of_the_library(pair, texts):
    library, ours = pair
    assert ours(texts) == library(texts)


def test_a_batch_is_padded_to_its_longest(tmp_path):
    trained("WordPiece", True, None, True).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "bert", "vocab_size": 1000, "max_position_embeddings": 6})
    )
    layout = read_layout(tmp_path, "made")
    tokens = Tokens(read_tokenizer(layout), layout.max_tokens)
    rows = tokens.ids(tf.constant(["x", "the train to the coast", ""]))
    ids = tokens.padded(rows)
    assert rows.row_lengths().numpy().tolist() == [3, 6, 2] and ids.shape == (3, 6)
    assert ids.numpy()[2].tolist() == [2, 3, 0, 0, 0, 0]
