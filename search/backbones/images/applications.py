"""Networks of `keras.applications` by name: `keras://EfficientNetV2B0`, with Keras's weights or with one's own."""

from __future__ import annotations

import importlib
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.backbones.hub.layer_groups import ANY_SIZE
from search.errors import InputError, nearest
from search.utils.checksums import sha256
from search.utils.files import whole_folder
from search.utils.paths import read_path

if TYPE_CHECKING:  # it imports TensorFlow
    from search.backbones.images.network import ImageNetwork

SCHEME = "keras://"
_FAMILIES = {
    "convnext": "ConvNeXtTiny ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge",
    "densenet": "DenseNet121 DenseNet169 DenseNet201",
    "efficientnet": " ".join(f"EfficientNetB{number}" for number in range(8)),
    "efficientnet_v2": " ".join(f"EfficientNetV2{one}" for one in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "inception_resnet_v2": "InceptionResNetV2",
    "inception_v3": "InceptionV3",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3": "MobileNetV3Large MobileNetV3Small",
    "nasnet": "NASNetLarge NASNetMobile",
    "resnet": "ResNet50 ResNet101 ResNet152",
    "resnet_v2": "ResNet50V2 ResNet101V2 ResNet152V2",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "xception": "Xception",
}
NETWORKS: Mapping[str, str] = {name: family for family, names in _FAMILIES.items() for name in names.split()}
"""The name of each network to the module of `keras.applications` that holds it and its preprocessing."""
SIZES: Mapping[str, int] = {
    **dict(zip(_FAMILIES["efficientnet"].split(), (224, 240, 260, 300, 380, 456, 528, 600), strict=True)),
    **dict(zip(_FAMILIES["efficientnet_v2"].split(), (224, 240, 260, 300, 384, 480, 480), strict=True)),
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}
"""Height and width of the images that a network was trained on, where they are not `ANY_SIZE`."""
_FILES = (".weights.h5", ".h5", ".keras")
# To be raised when what is built changes, so that folders built before are not taken for it.
_VERSION = 1
_NOT_FETCHED = re.compile(r"URL fetch failure on (\S+): (?:None -- )?(.*)")


@dataclass(frozen=True)
class Application:
    """A network of `keras.applications`.

    Attributes:
        handle: What messages call it.
        network: Its name in `NETWORKS`.
        weights: A file of weights; None: those that Keras publishes, of ImageNet.
    """

    handle: str
    network: str
    weights: Path | None

    def build(self, modules: Path, image_size: int | None) -> Path:
        """Builds its SavedModel, unless that was done before.

        Args:
            modules: Folder that modules are kept in.
            image_size: Height and width of images; None: those it was trained on.

        Returns:
            The folder of the SavedModel.

        Raises:
            InputError: The weights cannot be fetched or read, or it takes no images of that size.
            OSError: The module cannot be written.
        """
        size = image_size or SIZES.get(self.network, ANY_SIZE[0])
        whose = "imagenet" if self.weights is None else sha256(self.weights)[:12]
        target = modules / f"keras-{self.network}-{size}-{whose}-{_VERSION}"
        if not target.is_dir():
            # Imported here: TensorFlow takes seconds, and most mistakes are told without it.
            from search.backbones.builders.saving import save_module
            from search.backbones.hub.layer_groups import write_groups

            network = self.network_of(size)
            with whole_folder(target) as beside:
                write_groups(beside, network.described)
                save_module(network, beside)
        return target

    def network_of(self, size: int) -> ImageNetwork:
        """Makes the network for images of a height and width, with its weights.

        Raises:
            InputError: The weights cannot be fetched or read, or it takes no images of that size.
        """
        import keras

        from search.backbones.images.network import made_network

        family = importlib.import_module(f"keras.applications.{NETWORKS[self.network]}")

        def make() -> Any:
            made = getattr(keras.applications, self.network)
            settings = {"include_top": False, "input_shape": (size, size, 3)}
            if self.weights is not None:
                model = made(weights=None, **settings)
                model.load_weights(self.weights)
                return model
            try:
                with warnings.catch_warnings():
                    # Of images of another size than its weights were made on, which is meant.
                    warnings.filterwarnings("ignore", "`input_shape` is undefined", UserWarning)
                    return made(weights="imagenet", **settings)
            except Exception as error:  # which is the type that Keras raises without a network
                if found := _NOT_FETCHED.match(str(error)):
                    raise self._not_fetched(*found.groups()) from error
                raise

        return made_network(self.handle, self.network, make, lambda images: family.preprocess_input(images * 255.0))

    def _not_fetched(self, address: str, reason: str) -> InputError:
        cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
        return InputError(
            f"module {self.handle}: its weights cannot be fetched ({reason:.100}): bring {address} by other means to "
            f"{cache}, or give a file of your own, {SCHEME}{self.network}/path/to/it{_FILES[0]}"
        )


def read_application(handle: str, name: str) -> Application:
    """Takes the handle of a network apart: keras://NAME, perhaps with the path of a file of weights behind it.

    Args:
        handle: The handle.
        name: What messages call it.

    Raises:
        InputError: There is no such network or file.
    """
    network, slash, path = handle.removeprefix(SCHEME).partition("/")
    if network not in NETWORKS:
        raise InputError(
            f"module {name}: {network!r:.40} is no network of keras.applications. {nearest(network, NETWORKS)}"
        )
    if not slash:
        return Application(name, network, None)
    weights = read_path(slash + path, f"module {name}")
    if not weights.is_file() or not weights.name.endswith(_FILES):
        raise InputError(
            f"module {name}: expected a file of weights that Keras saved of {network} ({', '.join(_FILES)}), but "
            f"{weights} is none."
        )
    return Application(name, network, weights)
