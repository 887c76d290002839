import functools
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import sentencepiece
import tensorflow as tf
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from search.backbones.transformers.layout import read_layout
from search.backbones.transformers.sentence_piece import parse_model
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
    "[MASK] x[SEP]y [cls] [CLS] <mask> </s>z <s> <S>x < s>",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "é" * 100,
    "\U00020000\U0002b820\U0002b920\U0002f800\uf900 \u07fd \u1734 \u166d \U000111c9 \U00013430 \u0378 \ue000",
    "''s 's're 'S '' don''t \n's  'll  x",
    # Characters that are seen as one, and marks of words.
    "e\u0301\u0302 o\u0302\u0301 ﬁ\u0301 \uff21\u0301 x\r\ny ｶﾞ ｶ ᄀ\u1161\u11a8 a\u200d \u0600\uff21 ©\u200d©",
    "▁a▁▁b ▁ c  ▁ d `` '' 1,2, \uff1cs\uff1e aaaaaaaaaa!!!!!!! aaa??",
]
BYTES = pre_tokenizers.ByteLevel.alphabet()
KINDS = {
    f"word piece, lowercase={low}, accents={accents}, chinese={chinese}": ("WordPiece", low, accents, chinese)
    for low, accents, chinese in ((True, None, True), (False, None, True), (False, True, False))
} | {
    "word piece, accents kept, special tokens in clean text": ("WordPiece late", True, False, True),
    "byte pairs": ("BPE", None, None, None),
    "pieces as XLM-R's": ("XLM-R", None, None, None),
    "pieces as XLM-R's, white space kept": ("XLM-R kept", None, None, None),
    "pieces as ALBERT's": ("ALBERT", None, None, None),
}


@functools.cache
def sentence_piece_model(kind):
    """A model that SentencePiece trained."""
    settings = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1, "control_symbols": "[CLS],[SEP],[MASK]"}
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES[:8] * 3),
        model_writer=written,
        vocab_size=400,
        hard_vocab_limit=False,
        minloglevel=2,
        **(settings if kind == "ALBERT" else {}),
    )
    return written.getvalue()


def pieces_of(kind):
    model = parse_model(sentence_piece_model("ALBERT" if kind == "ALBERT" else "XLM-R"))
    steps = [normalizers.Precompiled(model.charsmap)]
    words = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always")])
    if kind == "ALBERT":
        # A comma is cut from the digit before it.
        vocab = [
            (text, score - 100 if text in [f"{digit}," for digit in range(10)] else score)
            for text, score in model.pieces
        ]
        quotes = [normalizers.Replace(text, '"') for text in ("``", "''")]
        small = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
        steps = [*quotes, *small, *steps, normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
        special, mask, around, unknown = ["<pad>", "<unk>"], "[MASK]", ("[CLS]", "[SEP]"), 1
    else:
        vocab = [*((text, 0.0) for text in ("<s>", "<pad>", "</s>", "<unk>")), *model.pieces[3:], ("<mask>", 0.0)]
        special, mask, around, unknown = ["<pad>", "<unk>"], "<mask>", ("<s>", "</s>"), 3
    if kind == "XLM-R kept":
        steps += [normalizers.Strip(left=False, right=True), normalizers.Replace(tokenizers.Regex(" {2,}"), "▁")]
        words = pre_tokenizers.Metaspace("▁", "always")
    made = tokenizers.Tokenizer(models.Unigram(vocab, unknown, False))
    made.normalizer, made.pre_tokenizer = normalizers.Sequence(steps), words
    made.add_special_tokens([*special, *around, tokenizers.AddedToken(mask, lstrip=True, normalized=False)])
    ids = [(token, made.token_to_id(token)) for token in around]
    made.post_processor = processors.TemplateProcessing(single=f"{around[0]} $A {around[1]}", special_tokens=ids)
    return made


def trained(kind, low, accents, chinese):
    if kind not in ("WordPiece", "WordPiece late", "BPE"):
        return pieces_of(kind)
    if kind.startswith("WordPiece"):
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=low, strip_accents=accents, handle_chinese_chars=chinese)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        made.train_from_iterator(
            SENTENCES[:8] * 3, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
        )
        if kind == "WordPiece late":
            made.add_special_tokens([tokenizers.AddedToken(token, normalized=True) for token in ("<s>", "[CLS]")])
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
    return ids_by(made), ours_of(folder)


def ids_by(library):
    return lambda texts: [one.ids for one in library.encode_batch(texts)]


def layout_of(folder):
    config = {"model_type": "bert", "vocab_size": 10_000, "max_position_embeddings": 10_000}
    (folder / "config.json").write_text(json.dumps(config))
    return read_layout(folder, "made")


def ours_of(folder):
    """Gives the ids of texts by the tokenizer in a folder."""
    layout = layout_of(folder)
    tokens = Tokens(read_tokenizer(layout), layout.max_tokens)
    ours = tf.function(tokens.ids, input_signature=[tf.TensorSpec([None], tf.string)])
    return lambda texts: ours(tf.constant([text.encode() for text in texts])).to_list()


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


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("XLM-R", ["sentencepiece.bpe.model"]),
        ("ALBERT", ["spiece.model"]),
        ("BPE", ["vocab.json", "merges.txt"]),
        ("WordPiece", ["vocab.txt"]),
    ],
)
def test_older_files_say_what_tokenizer_json_says(tmp_path, kind, names):
    library = trained(kind, True, None, True)
    if names[0].endswith(".model"):
        (tmp_path / names[0]).write_bytes(sentence_piece_model(kind))
    else:
        assert {Path(path).name for path in library.model.save(str(tmp_path))} == {*names}
        # Which tokens are special is not in these files.
        library.add_special_tokens(["<s>", "</s>", "<unk>", "<pad>"] if kind == "BPE" else ["[UNK]", "[PAD]"])
    layout = layout_of(tmp_path)
    older = read_tokenizer(layout)
    library.save(str(tmp_path / "tokenizer.json"))
    newer = read_tokenizer(layout)
    if kind == "BPE":  # vocab.json has no mask here, and what is around a text is RoBERTa's
        assert newer.vocabulary == (*older.vocabulary, "<mask>") and newer.special.items() > older.special.items()
        older = replace(newer, merges=older.merges, padding=older.padding)
    if kind == "WordPiece":  # which cuts at white space anyway
        older = replace(older, taking_spaces=())
    assert newer == older


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
