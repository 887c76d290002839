"""The content of a tokenizer.json, for folders that have older files in its place."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.backbones.transformers.layout import read_json
from search.backbones.transformers.sentence_piece import UNIGRAM, SentencePieceModel, parse_model
from search.errors import InputError

Content = dict[str, Any]
FAIRSEQ, ALBERT = "sentencepiece.bpe.model", "spiece.model"
"""The names of SentencePiece's models: as XLM-RoBERTa numbers the pieces, and as ALBERT does."""
_ASSETS = Path("assets") / "tokenizer"
_BERT: tuple[str, ...] = ("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
_ROBERTA: tuple[str, ...] = ("<s>", "</s>", "<unk>", "<pad>", "<mask>")


def from_older_files(folder: Path) -> tuple[Content, Path]:
    """Reads vocab.txt, vocab.json with merges.txt, or a model of SentencePiece.

    Args:
        folder: The encoder's.

    Returns:
        The content, and the file that it is from.

    Raises:
        InputError: There is none of them, or one that is something else.
        KeyError, ValueError: One is damaged.
    """
    config = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if (path := folder / FAIRSEQ).is_file():
        return fairseq(path), path
    if (path := folder / ALBERT).is_file():
        return albert(path, config), path
    if (path := folder / "vocab.txt").is_file():
        return word_piece(path, config), path
    if (path := folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return byte_pairs(path, folder / "merges.txt"), path
    raise InputError(f"{folder} has neither tokenizer.json nor {FAIRSEQ}, {ALBERT}, vocab.txt or vocab.json.")


def from_keras(folder: Path, settings: Mapping[str, Any]) -> tuple[Content, Path]:
    """Reads the tokenizer of a model in KerasHub's layout.

    Args:
        folder: The model's.
        settings: Its own tokenizer.json.

    Returns:
        The content, and the file of its tokens.

    Raises:
        InputError: There is none.
    """
    path = folder / _ASSETS
    if (vocabulary := path / "vocabulary.txt").is_file():
        return word_piece(vocabulary, {"do_lower_case": settings["config"].get("lowercase", False)}), vocabulary
    if (vocabulary := path / "vocabulary.json").is_file() and (path / "merges.txt").is_file():
        return byte_pairs(vocabulary, path / "merges.txt"), vocabulary
    if (vocabulary := path / "vocabulary.spm").is_file():
        of_albert = settings.get("class_name") == "AlbertTokenizer"
        return albert(vocabulary, {}) if of_albert else fairseq(vocabulary), vocabulary
    raise InputError(f"{path} has neither vocabulary.txt, vocabulary.json with merges.txt nor vocabulary.spm.")


def word_piece(path: Path, config: Mapping[str, Any]) -> Content:
    """BERT's tokenizer, or MPNet's, of a file with a token a line."""
    lines = path.read_text(encoding="utf-8").split("\n")
    tokens = [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    ids = {token: place for place, token in enumerate(tokens)}
    bert = "[CLS]" in ids or "<s>" not in ids
    normalizer = {
        "type": "BertNormalizer",
        "lowercase": bool(config.get("do_lower_case", True)),
        "strip_accents": config.get("strip_accents"),
        "handle_chinese_chars": bool(config.get("tokenize_chinese_chars", True)),
    }
    return {
        "model": {"type": "WordPiece", "vocab": ids, "unk_token": "[UNK]"},
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        **_specials(ids, *(("[CLS]", "[SEP]") if bert else ("<s>", "</s>")), _BERT if bert else (*_ROBERTA, "[UNK]")),
    }


def byte_pairs(path: Path, merges: Path) -> Content:
    """RoBERTa's tokenizer, of a file of tokens and a file of pairs, one a line."""
    ids = read_json(path)
    lines = merges.read_text(encoding="utf-8").split("\n")
    pairs = [line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#version")]
    return {
        "model": {"type": "BPE", "vocab": ids, "merges": pairs},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        **_specials(ids, "<s>", "</s>", _ROBERTA),
    }


def fairseq(path: Path) -> Content:
    """XLM-RoBERTa's tokenizer: its first four ids are fixed, and those of the pieces one higher than in the model."""
    model = _unigram(path)
    first = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary = [*first, *model.pieces[3:], ("<mask>", 0.0)]
    normalizers = [_precompiled(model.charsmap)] if model.charsmap else []
    return _of_pieces(vocabulary, "<unk>", normalizers, "<s>", "</s>", _ROBERTA)


def albert(path: Path, config: Mapping[str, Any]) -> Content:
    """ALBERT's tokenizer, which cuts a comma from the digit before it, and as a rule removes capitals and accents."""
    model = _unigram(path)
    vocabulary = [
        (text, score - 100 if text[-2:-1].isdigit() and text.endswith(",") else score) for text, score in model.pieces
    ]
    normalizers: list[Content] = [
        {"type": "Replace", "pattern": {"String": quotes}, "content": '"'} for quotes in ("``", "''")
    ]
    if not config.get("keep_accents", False):
        normalizers += [{"type": "NFKD"}, {"type": "StripAccents"}]
    if config.get("do_lower_case", True):
        normalizers.append({"type": "Lowercase"})
    if model.charsmap:
        normalizers.append(_precompiled(model.charsmap))
    normalizers.append({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
    return _of_pieces(
        vocabulary, "<unk>", normalizers, "[CLS]", "[SEP]", ("<unk>", "<pad>", "[CLS]", "[SEP]", "[MASK]")
    )


def _unigram(path: Path) -> SentencePieceModel:
    model = parse_model(path.read_bytes())
    if model.kind != UNIGRAM:
        raise InputError(f"{path}: a model of SentencePiece of kind {model.kind}, expected {UNIGRAM}, Unigram.")
    return model


def _precompiled(charsmap: bytes) -> Content:
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}


def _of_pieces(
    vocabulary: Sequence[tuple[str, float]],
    unknown: str,
    normalizers: Sequence[Content],
    first: str,
    last: str,
    special: Sequence[str],
) -> Content:
    ids = {text: place for place, (text, _) in enumerate(vocabulary)}
    words = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}
    return {
        "model": {"type": "Unigram", "vocab": vocabulary, "unk_id": ids[unknown]},
        "normalizer": {"type": "Sequence", "normalizers": [*normalizers]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, words]},
        **_specials(ids, first, last, special),
    }


def _specials(ids: Mapping[str, int], first: str, last: str, special: Sequence[str]) -> Content:
    added = [
        {"content": token, "id": ids[token], "special": True, "lstrip": token in ("<mask>", "[MASK]")}
        for token in special
        if token in ids
    ]
    around = {"type": "RobertaProcessing", "cls": [first, ids[first]], "sep": [last, ids[last]]}
    return {"added_tokens": added, "post_processor": around}
