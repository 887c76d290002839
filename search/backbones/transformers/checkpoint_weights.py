"""The weights of an encoder: safetensors files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.transformers.layout import read_json
from search.errors import InputError

WEIGHTS = "model.safetensors"
_INDEX = f"{WEIGHTS}.index.json"
_LONGEST_HEADER = 2**27
_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}
# Of those names that begin differently in files of the encoder alone and of an encoder with a head.
_ENCODER = re.compile(r"^(?:.*\.)?((?:embeddings|embeddings_project|encoder|transformer|layernorm)\..+)$")


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of an encoder.

    Raises:
        InputError: There are none, or not all that are listed.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / _INDEX).is_file():
        listed = read_json(folder / _INDEX).get("weight_map")
        names = sorted({str(name) for name in listed.values()}) if isinstance(listed, dict) else []
        for name in names:
            if Path(name).name != name or not (folder / name).is_file():
                raise InputError(f"{folder / _INDEX} lists {name!r:.80}, which is not there.")
        return [folder / name for name in names]
    pickled = (folder / "pytorch_model.bin").is_file()
    raise InputError(
        f"{folder} has no {WEIGHTS}"
        + (": pytorch_model.bin is a program that is run to read it. Take a version that has it." if pickled else ".")
    )


def read_tensors(path: Path) -> dict[str, NDArray[np.floating[Any]]]:
    """Reads a safetensors file; the numbers stay on disk until they are used.

    https://huggingface.co/docs/safetensors: the length of the header, the header in JSON, the numbers.

    Raises:
        InputError: It is damaged, or holds numbers of another type.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_HEADER, size - 8):
                raise ValueError(f"a header of {length:,} bytes")
            header = json.loads(file.read(length))
        data = np.memmap(path, np.uint8, "r", 8 + length) if size > 8 + length else np.empty(0, np.uint8)
        header.pop("__metadata__", None)
        return {name: _tensor(data, one) for name, one in header.items() if one["dtype"] in _TYPES}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged or no safetensors file ({error}).") from error


def _tensor(data: NDArray[np.uint8], entry: Mapping[str, Any]) -> NDArray[np.floating[Any]]:
    begin, end = entry["data_offsets"]
    if not 0 <= begin <= end <= len(data):
        raise ValueError(f"numbers at {begin}-{end} of {len(data)} bytes")
    values = data[begin:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":  # the upper half of a float32
        return (values.astype("<u4") << 16).view("<f4")
    return values


def encoder_tensors(folder: Path) -> dict[str, NDArray[np.floating[Any]]]:
    """Reads the weights of the encoder in a folder by their names, without what stands before these in some files.

    Raises:
        InputError: They cannot be read.
    """
    tensors: dict[str, NDArray[np.floating[Any]]] = {}
    for path in weight_files(folder):
        for name, values in read_tensors(path).items():
            if found := _ENCODER.match(name):
                inner = found[1].replace("LayerNorm.gamma", "LayerNorm.weight")
                tensors[inner.replace("LayerNorm.beta", "LayerNorm.bias")] = values
    return tensors
