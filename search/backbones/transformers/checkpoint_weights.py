"""The weights of an encoder: safetensors files, and the same under the names that KerasHub reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.transformers.layout import Layout, read_json
from search.errors import InputError

WEIGHTS = "model.safetensors"
_INDEX = f"{WEIGHTS}.index.json"
_LONGEST_HEADER = 2**27
_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}
# Of those names that begin differently in files of the encoder alone and of an encoder with a head.
_ENCODER = re.compile(r"^(?:.*\.)?((?:embeddings|encoder|transformer|pooler)\..+)$")
_PREFIX = {"bert": "", "xlm-roberta": "", "roberta": "roberta.", "albert": "albert.", "distilbert": "distilbert."}
_POOLERS = {"bert": "pooler.dense", "albert": "pooler"}


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


def write_for_keras_hub(layout: Layout, folder: Path) -> None:
    """Writes an encoder's config.json and weights, float32, under the names that KerasHub looks for.

    Args:
        layout: The encoder.
        folder: Where to.

    Raises:
        InputError: The weights cannot be read.
        OSError: `folder` cannot be written.
    """
    tensors: dict[str, NDArray[Any]] = {}
    for path in weight_files(layout.folder):
        tensors |= dict(_renamed(read_tensors(path), layout.architecture))
    _complete(tensors, layout)
    (folder / "config.json").write_text(json.dumps(dict(layout.config)), encoding="utf-8")
    header, place = {}, 0
    for name, values in tensors.items():
        end = place + 4 * values.size
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [place, end]}
        place = end
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    with (folder / WEIGHTS).open("wb") as file:
        file.write(len(written).to_bytes(8, "little") + written)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values, "<f4").data)
        file.flush()
        os.fsync(file.fileno())


def _renamed(tensors: Mapping[str, NDArray[Any]], architecture: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, values in tensors.items():
        found = _ENCODER.match(name)
        if found is None:
            continue
        inner = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", found[1])
        inner = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", inner)
        yield _PREFIX[architecture] + inner, values


def _complete(tensors: dict[str, NDArray[Any]], layout: Layout) -> None:
    """Adds what KerasHub needs and no output depends on, and puts token types where it knows none."""
    prefix, width = _PREFIX[layout.architecture], int(layout.config.get("hidden_size", 1))
    if pooler := _POOLERS.get(layout.architecture):
        tensors.setdefault(f"{prefix}{pooler}.weight", np.zeros((width, width), np.float32))
        tensors.setdefault(f"{prefix}{pooler}.bias", np.zeros(width, np.float32))
    if layout.architecture == "roberta":
        types = tensors.get(f"{prefix}embeddings.token_type_embeddings.weight")
        positions = f"{prefix}embeddings.position_embeddings.weight"
        if types is not None and positions in tensors:
            tensors[positions] = tensors[positions] + types[0]
