"""Networks of `keras.applications` by name: `keras://EfficientNetV2B0`, with Keras's weights or with one's own."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.backbones.hub.layer_groups import ANY_SIZE
from search.errors import InputError, nearest
from search.utils.files import whole_folder
from search.utils.paths import read_path

if TYPE_CHECKING:  # it imports TensorFlow
    from search.backbones.images.network import ImageNetwork

SCHEME = "keras://"
FAMILIES: Mapping[str, str] = {
    "ConvNeXt(Tiny|Small|Base|Large|XLarge)": "convnext",
    "DenseNet(121|169|201)": "densenet",
    "EfficientNetB[0-7]": "efficientnet",
    "EfficientNetV2(B[0-3]|S|M|L)": "efficientnet_v2",
    "InceptionResNetV2": "inception_resnet_v2",
    "InceptionV3": "inception_v3",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    "MobileNetV3(Large|Small)": "mobilenet_v3",
    "NASNet(Large|Mobile)": "nasnet",
    "ResNet(50|101|152)": "resnet",
    "ResNet(50|101|152)V2": "resnet_v2",
    "VGG16": "vgg16",
    "VGG19": "vgg19",
    "Xception": "xception",
}
"""The names of networks to the module of `keras.applications` that they and their preprocessing are in."""
