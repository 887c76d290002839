"""Folders in KerasHub's layout, as its `save_to_preset` writes them and Kaggle keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.errors import InputError

ARCHITECTURES: Mapping[str, str] = {
    "AlbertBackbone": "albert",
    "BertBackbone": "bert",
    "DistilBertBackbone": "distilbert",
    "ElectraBackbone": "electra",
    "RobertaBackbone": "roberta",
    "XLMRobertaBackbone": "xlm-roberta",
}
"""The architecture of each of its classes."""
_SETTINGS: Mapping[str, str] = {
    "vocabulary_size": "vocab_size",
    "vocab_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "embedding_dim": "embedding_size",
    "num_groups": "num_hidden_groups",
    "num_inner_repetitions": "inner_group_num",
    "num_segments": "type_vocab_size",
    "dropout": "hidden_dropout_prob",
    "max_sequence_length": "max_position_embeddings",
}
# The second is its earlier name.
_PACKAGES = ("keras_hub.", "keras_nlp.")
_WEIGHTS, _SHARDS = "model.weights.h5", "model.weights.json"


def is_preset(config: Mapping[str, Any]) -> bool:
    """Whether config.json is that of a KerasHub model."""
    return isinstance(config.get("class_name"), str) and str(config.get("module")).startswith(_PACKAGES)


def hugging_face_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config.json that Hugging Face's layout has for such a model, as far as it says the same.

    Raises:
        KeyError, TypeError: It is none of a model.
    """
    architecture = ARCHITECTURES.get(config["class_name"], config["class_name"])
    inside = config["config"]
    return {
        "model_type": architecture,
        **{theirs: inside[ours] for ours, theirs in _SETTINGS.items() if ours in inside},
    }


def preset_weights(folder: Path) -> list[Path]:
    """The file of weights of a model, or the index of several and these.

    Raises:
        InputError: There are none.
    """
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if (folder / _SHARDS).is_file():
        return [folder / _SHARDS, *sorted(folder.glob("model_*.weights.h5"))]
    raise InputError(f"{folder} has no {_WEIGHTS}.")
