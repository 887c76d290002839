"""The folder of an encoder in the layout of Hugging Face and sentence-transformers: its files say how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from search.backbones.catalog import TEXTS
from search.backbones.images import architectures as images
from search.backbones.transformers.preset import ARCHITECTURES as TEXT_PRESETS
from search.backbones.transformers.preset import hugging_face_config, is_preset
from search.errors import InputError

ARCHITECTURES = ("albert", "bert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta")
"""The architectures whose weights can be read, by `model_type` of config.json."""
POOLINGS = ("mean", "cls", "max")
ACTIVATIONS = {"gelu": False, "gelu_new": True, "gelu_pytorch_tanh": True, "gelu_fast": True}
"""Whether each activation that can be read is GELU by its approximation with tanh."""
_LARGEST_JSON = 2**27


@dataclass(frozen=True)
class Layout:
    """How an encoder makes a vector of a text.

    Attributes:
        folder: Where its files are.
        name: What messages call it.
        config: Its config.json.
        architecture: One of `ARCHITECTURES`.
        pooling: One of `POOLINGS`.
        dense: Folders of the linear layers after pooling, in order.
        normalized: Whether vectors are made 1 long.
        max_tokens: Longest text, its special tokens included.
        lowercase: Whether texts are made small before the tokenizer sees them.
        prompt: What is put before each text.
        of_keras: Whether the folder is in KerasHub's layout; `config` is then that of Hugging Face's all the same.
    """

    folder: Path
    name: str
    config: Mapping[str, Any]
    architecture: str
    pooling: str
    dense: tuple[Path, ...]
    normalized: bool
    max_tokens: int
    lowercase: bool
    prompt: str
    of_keras: bool

    takes: ClassVar[str] = TEXTS
    packages: ClassVar[tuple[str, ...]] = ("keras-hub", "tensorflow-text")

    @property
    def asked(self) -> str:
        """The prompt, part of what a built module is known by."""
        return self.prompt

    @property
    def rows(self) -> str:
        """The rows that it embeds, in words."""
        return f"texts up to {self.max_tokens} tokens"

    @property
    def first_position(self) -> int:
        """The place of the first token's position: those before it are kept for padding."""
        return _first_position(self.architecture, self.of_keras)

    @property
    def approximate_gelu(self) -> bool:
        """Whether the activation is GELU by its approximation with tanh."""
        return ACTIVATIONS[self._activation]

    @property
    def _activation(self) -> str:
        return str(self.config.get("hidden_act", self.config.get("activation", "gelu")))

    @property
    def epsilon(self) -> float:
        """The number that layer normalization adds to variances."""
        return float(self.config.get("layer_norm_eps", 1e-12))


def is_transformer(folder: Path) -> bool:
    """Whether a folder looks like an encoder: its config.json tells a `model_type`, or a class of KerasHub's."""
    try:
        config = read_json(folder / "config.json")
        return "model_type" in config or is_preset(config)
    except (InputError, OSError):
        return False


def read_layout(folder: Path, name: str, prompt: str | None = None) -> Layout:
    """Reads how the encoder in a folder is to be used.

    Args:
        folder: The folder.
        name: What messages call it.
        prompt: What is put before each text; None: what the folder says, nothing as a rule.

    Raises:
        InputError: It is none that can be read.
    """
    config = read_json(folder / "config.json")
    of_keras = is_preset(config)
    try:
        config = hugging_face_config(config) if of_keras else config
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"module {name}: {folder / 'config.json'} cannot be read ({error!r:.80}).") from error
    architecture = str(config.get("model_type"))
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"module {name}: its architecture {architecture!r:.40} cannot be read: expected {', '.join(ARCHITECTURES)} "
            f"of texts, {', '.join(images.ARCHITECTURES)} of images, or {', '.join((*TEXT_PRESETS, *images.PRESETS))} "
            "in KerasHub's layout."
        )
    try:
        layout = Layout(
            folder,
            name,
            config,
            architecture,
            max_tokens=_max_tokens(folder, config, _first_position(architecture, of_keras)),
            lowercase=bool(_of_sentences(folder).get("do_lower_case", False)),
            prompt=_prompt(folder) if prompt is None else prompt,
            of_keras=of_keras,
            **_parts(folder, name),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"module {name}: the settings in {folder} cannot be read ({error!r:.80}).") from error
    if layout._activation not in ACTIVATIONS:
        raise InputError(
            f"module {name}: its activation {layout._activation!r:.40} is unknown: expected {', '.join(ACTIVATIONS)}."
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise InputError(f"module {name}: its positions are not absolute, which alone can be read.")
    return layout


def read_json(path: Path) -> dict[str, Any]:
    """Reads a file of settings.

    Raises:
        InputError: It is missing, too large, or holds something else.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise InputError(f"{path} is larger than {_LARGEST_JSON >> 20} MiB: that is no file of settings.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected an object of settings, found {type(content).__name__}.")
    return content


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _parts(folder: Path, name: str) -> dict[str, Any]:
    """Pooling, linear layers and normalization, as modules.json lists them; without it the mean, as is usual."""
    path = folder / "modules.json"
    if not path.is_file():
        return {"pooling": "mean", "dense": (), "normalized": False}
    try:
        modules = [(str(one["type"]).split(".")[-1], str(one["path"])) for one in json.loads(path.read_text("utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: expected a list of modules with type and path ({error}).") from error
    pooling, dense, normalized = "mean", [], False
    for kind, place in modules:
        inside = folder / place
        if not inside.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{path}: the path {place!r:.80} leads out of its folder.")
        if kind == "Pooling":
            pooling = _pooling(inside / "config.json", name)
        elif kind == "Dense" and not normalized:
            dense.append(inside)
        elif kind == "Normalize":
            normalized = True
        elif kind != "Transformer":
            raise InputError(f"module {name}: its part {kind!r:.40} is unknown: expected Pooling, Dense or Normalize.")
    return {"pooling": pooling, "dense": tuple(dense), "normalized": normalized}


def _pooling(path: Path, name: str) -> str:
    config = read_json(path)
    modes = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_max_tokens": "max"}
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in modes:
        raise InputError(
            f"module {name}: its pooling {', '.join(chosen) or 'none'} is unknown: expected one of {', '.join(modes)}."
        )
    return modes[chosen[0]]


def _max_tokens(folder: Path, config: Mapping[str, Any], first_position: int) -> int:
    positions = int(config["max_position_embeddings"]) - first_position
    told = (
        _of_sentences(folder).get("max_seq_length"),
        _optional(folder / "tokenizer_config.json").get("model_max_length"),
    )
    return min([positions, *(int(one) for one in told if one)])


def _first_position(architecture: str, of_keras: bool) -> int:
    return 2 if architecture in ("mpnet", "roberta", "xlm-roberta") and not of_keras else 0


def _of_sentences(folder: Path) -> dict[str, Any]:
    """The settings of sentence-transformers; older files are named after the architecture."""
    named = sorted(folder.glob("sentence_*_config.json"))
    return read_json(named[0]) if named else {}


def _prompt(folder: Path) -> str:
    config = _optional(folder / "config_sentence_transformers.json")
    prompts, default = config.get("prompts") or {}, config.get("default_prompt_name")
    return str(prompts.get(default, "")) if default else ""
