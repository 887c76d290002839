"""The settings in the files of an encoder's tokenizer, checked: nothing here needs TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.backbones.transformers.layout import Layout, read_json
from search.backbones.transformers.tokenizer_json import from_keras, from_older_files
from search.errors import InputError

KINDS = ("WordPiece", "BPE", "Unigram")
_SPACES = " {2,}"


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
        normalized: Special tokens that are found in texts once those are normalized.
        taking_spaces: Special tokens that take the white space before them along.
        scores: Unigram: score by id.
        normalizers: Unigram: what texts go through, as in tokenizer.json.
        white_space: Unigram: whether any white space, however long, is one space.
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
    normalized: tuple[str, ...] = ()
    taking_spaces: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    normalizers: tuple[Mapping[str, Any], ...] = ()
    white_space: bool = False


def read_tokenizer(layout: Layout) -> TokenizerFiles:
    """Reads the tokenizer of an encoder: tokenizer.json, or else older files.

    Raises:
        InputError: It is of a kind that cannot be read.
    """
    path = layout.folder / "tokenizer.json"
    try:
        content, path = (read_json(path), path) if path.is_file() else from_older_files(layout.folder)
        if layout.of_keras:
            content, path = from_keras(layout.folder, content)
        found = _of_json(content, path)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"module {layout.name}: its tokenizer {path} cannot be read ({error!r:.80}).") from error
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
    vocab = model["vocab"]
    ids: dict[str, int] = {text: place for place, (text, _) in enumerate(vocab)} if kind == "Unigram" else dict(vocab)
    added = [one for one in content.get("added_tokens") or () if one["content"] not in ids or one.get("special")]
    ids |= {one["content"]: int(one["id"]) for one in added}
    vocabulary = _by_id(ids, path)
    settings = {"WordPiece": _word_piece, "BPE": _bpe, "Unigram": _unigram}[kind](content, path)
    for one in added:
        if (
            one.get("single_word")
            or one.get("rstrip")
            or (one.get("normalized") and _is_changed(one["content"], settings))
        ):
            raise InputError(f"{path}: its token {one['content']!r:.40} is found in a way that cannot be reproduced.")
    before, after = _template(content.get("post_processor"), ids, path)
    unknown = model.get("unk_token")
    return TokenizerFiles(
        kind,
        vocabulary,
        settings.pop("unknown", -1) if unknown is None else ids[unknown],
        next((ids[pad] for pad in ("<pad>", "[PAD]") if pad in ids), 0),
        before,
        after,
        {one["content"]: int(one["id"]) for one in added},
        normalized=tuple(one["content"] for one in added if one.get("normalized")),
        taking_spaces=tuple(one["content"] for one in added if one.get("lstrip")),
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


def _unigram(content: dict[str, Any], path: Path) -> dict[str, Any]:
    model = content["model"]
    normalizers, cutters = (_flat(content.get(key)) for key in ("normalizer", "pre_tokenizer"))
    words = cutters.pop() if cutters else {}
    scheme = words.get("prepend_scheme", "always" if words.get("add_prefix_space", True) else "never")
    white_space = [one.get("type") for one in cutters] == ["WhitespaceSplit"]
    known = words.get("type") == "Metaspace" and words.get("replacement") == "▁" and words.get("split", True)
    if not known or scheme != "always" or (cutters and not white_space) or model.get("byte_fallback"):
        raise InputError(f"{path}: expected Unigram with Metaspace '▁' before each word, and without bytes.")
    for place, one in enumerate(normalizers):
        if not _is_known(one, normalizers[place + 1 : place + 2]):
            raise InputError(f"{path}: its normalizer {one.get('type')!r:.40} cannot be reproduced.")
    return {
        "unknown": int(model["unk_id"]),
        "scores": tuple(float(score) for _, score in model["vocab"]),
        "normalizers": tuple(normalizers),
        "white_space": white_space,
    }


def _flat(content: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a sequence, or the only one."""
    if content is None:
        return []
    inside = content.get("normalizers", content.get("pretokenizers"))
    return [content] if inside is None else [step for one in inside for step in _flat(one)]


def _is_known(normalizer: dict[str, Any], next_: list[dict[str, Any]]) -> bool:
    kind = normalizer.get("type")
    if kind == "Replace":
        return bool(normalizer["pattern"].get("Regex", _SPACES) == _SPACES)
    if kind == "NFKD":  # the order of accents is not kept
        return [one.get("type") for one in next_] == ["StripAccents"]
    return kind in ("Precompiled", "Strip", "StripAccents", "Lowercase")


def _is_changed(token: str, settings: Mapping[str, Any]) -> bool:
    """Whether a token that is looked for in normalized texts would be found where it was not written."""
    return token != token.lower() and any(one["type"] == "Lowercase" for one in settings.get("normalizers", ()))


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


def _by_id(ids: Mapping[str, int], path: Path) -> tuple[str, ...]:
    if sorted(ids.values()) != list(range(len(ids))):
        raise InputError(f"{path}: expected tokens with the numbers 0 to {len(ids) - 1}, each once.")
    return tuple(sorted(ids, key=lambda token: ids[token]))
