"""The settings in the files of an encoder's tokenizer, checked: nothing here needs TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.backbones.transformers.layout import Layout, read_json
from search.errors import InputError

KINDS = ("WordPiece", "BPE")
_SPECIAL: tuple[str, ...] = ("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")


@dataclass(frozen=True)
class TokenizerFiles:
    """A tokenizer.

    Attributes:
        kind: One of `KINDS`.
        vocabulary: Token by id.
        unknown: Id of what stands for words that no token matches; -1: there is none.
        padding: Id of what fills a batch.
        before: Ids before each text.
        after: Ids behind each text.
        special: Id of each special token that is found in texts as it is written.
        lowercase: WordPiece: whether capitals become small.
        strip_accents: WordPiece: whether accents leave.
        chinese: WordPiece: whether each Chinese character is a word.
        longest_word: WordPiece: characters of the longest word that is known.
        merges: BPE: pairs of tokens, the first to be merged first.
    """

    kind: str
    vocabulary: tuple[str, ...]
    unknown: int
    padding: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    special: Mapping[str, int]
    lowercase: bool = False
    strip_accents: bool = False
    chinese: bool = True
    longest_word: int = 100
    merges: tuple[tuple[str, str], ...] = ()


def read_tokenizer(layout: Layout) -> TokenizerFiles:
    """Reads the tokenizer of an encoder: tokenizer.json, or else BERT's vocab.txt.

    Raises:
        InputError: It is of a kind that cannot be read.
    """
    path = layout.folder / "tokenizer.json"
    try:
        if path.is_file():
            found = _of_json(read_json(path), path)
        elif (layout.folder / "vocab.txt").is_file():
            found = _of_vocabulary(layout.folder)
        else:
            raise InputError(f"module {layout.name}: {layout.folder} has neither tokenizer.json nor vocab.txt.")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"module {layout.name}: its tokenizer in {path.parent} cannot be read ({error!r}).") from error
    if len(found.vocabulary) > int(layout.config["vocab_size"]):
        raise InputError(
            f"module {layout.name}: its tokenizer has {len(found.vocabulary):,} tokens, its weights are of "
            f"{int(layout.config['vocab_size']):,}."
        )
    return found


def _of_json(content: dict[str, Any], path: Path) -> TokenizerFiles:
    model = content["model"]
    kind = model.get("type") or ("BPE" if "merges" in model else "WordPiece")
    if kind not in KINDS:
        raise InputError(f"{path}: tokenizers of the kind {kind!r:.40} cannot be read: expected {' or '.join(KINDS)}.")
    ids: dict[str, int] = dict(model["vocab"])
    added = [one for one in content.get("added_tokens") or () if one["content"] not in ids or one.get("special")]
    ids |= {one["content"]: int(one["id"]) for one in added}
    vocabulary = _by_id(ids, path)
    settings = _word_piece(content, path) if kind == "WordPiece" else _bpe(content, path)
    for one in added:
        if (one.get("normalized") and kind == "WordPiece") or one.get("single_word") or one.get("rstrip"):
            raise InputError(f"{path}: its token {one['content']!r:.40} is found in a way that cannot be reproduced.")
    before, after = _template(content.get("post_processor"), ids, path)
    unknown = model.get("unk_token")
    return TokenizerFiles(
        kind,
        vocabulary,
        ids[unknown] if unknown is not None else -1,
        next((ids[pad] for pad in ("[PAD]", "<pad>") if pad in ids), 0),
        before,
        after,
        {one["content"]: int(one["id"]) for one in added},
        **settings,
    )


def _word_piece(content: dict[str, Any], path: Path) -> dict[str, Any]:
    normalizer, cutter, model = content.get("normalizer") or {}, content.get("pre_tokenizer") or {}, content["model"]
    known = normalizer.get("type") == "BertNormalizer" and normalizer.get("clean_text", True)
    if not known or cutter.get("type") != "BertPreTokenizer" or model.get("continuing_subword_prefix", "##") != "##":
        raise InputError(f"{path}: expected WordPiece with BertNormalizer, clean_text, BertPreTokenizer and '##'.")
    lowercase = bool(normalizer.get("lowercase", True))
    accents = normalizer.get("strip_accents")
    return {
        "lowercase": lowercase,
        "strip_accents": lowercase if accents is None else bool(accents),
        "chinese": bool(normalizer.get("handle_chinese_chars", True)),
        "longest_word": int(model.get("max_input_chars_per_word", 100)),
    }


def _bpe(content: dict[str, Any], path: Path) -> dict[str, Any]:
    cutter, model = content.get("pre_tokenizer") or {}, content["model"]
    odd = [key for key in ("dropout", "byte_fallback", "ignore_merges") if model.get(key)]
    odd += [key for key in ("continuing_subword_prefix", "end_of_word_suffix") if model.get(key)]
    byte_level = cutter.get("type") == "ByteLevel" and cutter.get("use_regex", True)
    byte_level = byte_level and not cutter.get("add_prefix_space")
    if odd or content.get("normalizer") is not None or not byte_level:
        raise InputError(f"{path}: expected byte-level BPE without a normalizer, as RoBERTa's{', '.join(['', *odd])}.")
    merges = (tuple(one.split(" ")) if isinstance(one, str) else tuple(one) for one in model["merges"])
    return {"merges": tuple((first, second) for first, second in merges)}


def _template(content: dict[str, Any] | None, ids: Mapping[str, int], path: Path) -> tuple[tuple[int, ...], ...]:
    if content is None:
        return (), ()
    if content["type"] in ("BertProcessing", "RobertaProcessing"):
        return (int(content["cls"][1]),), (int(content["sep"][1]),)
    if content["type"] != "TemplateProcessing":
        raise InputError(f"{path}: special tokens by {content['type']!r:.40} cannot be read.")
    sides: tuple[list[int], list[int]] = ([], [])
    behind = False
    for one in content["single"]:
        if "Sequence" in one:
            behind = True
        else:
            sides[behind].extend(map(int, content["special_tokens"][one["SpecialToken"]["id"]]["ids"]))
    return tuple(sides[0]), tuple(sides[1])


def _of_vocabulary(folder: Path) -> TokenizerFiles:
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    tokens = [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    ids = {token: place for place, token in enumerate(tokens)}
    config = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    lowercase = bool(config.get("do_lower_case", True))
    accents = config.get("strip_accents")
    special = {token: ids[token] for token in _SPECIAL if token in ids}
    return TokenizerFiles(
        "WordPiece",
        _by_id(ids, folder / "vocab.txt"),
        ids["[UNK]"],
        ids["[PAD]"],
        (ids["[CLS]"],),
        (ids["[SEP]"],),
        special,
        lowercase,
        lowercase if accents is None else bool(accents),
        bool(config.get("tokenize_chinese_chars", True)),
    )


def _by_id(ids: Mapping[str, int], path: Path) -> tuple[str, ...]:
    if sorted(ids.values()) != list(range(len(ids))):
        raise InputError(f"{path}: expected tokens with the numbers 0 to {len(ids) - 1}, each once.")
    return tuple(sorted(ids, key=lambda token: ids[token]))
