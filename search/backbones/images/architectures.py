"""The encoders of images that can be read from a folder, by what its config.json says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.backbones.transformers.preset import is_preset

ARCHITECTURES = ("deit", "dinov2", "dinov2_with_registers", "vit")
"""In Hugging Face's layout, by `model_type`."""
PRESETS = (
    "DINOV2Backbone",
    "DeiTBackbone",
    "DenseNetBackbone",
    "EfficientNetBackbone",
    "MiTBackbone",
    "MobileNetBackbone",
    "ResNetBackbone",
    "VGGBackbone",
    "ViTBackbone",
    "XceptionBackbone",
)
"""In KerasHub's layout, by `class_name`."""


def is_of_images(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of one of them."""
    return config.get("model_type") in ARCHITECTURES or (is_preset(config) and config["class_name"] in PRESETS)
