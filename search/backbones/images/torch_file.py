"""Tensors in a file of PyTorch's `torch.save`, read without PyTorch and without running what such a file may hold.

The file is a pickle, which is a program. Before it is read, every operation in it is checked: it may make dictionaries,
tuples, numbers, names and tensors, and nothing else.
"""

from __future__ import annotations

import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError

Tensors = dict[str, NDArray[Any]]
# First of the pickles in a file of PyTorch before 1.6, which is no archive.
_MAGIC = 0x1950A86A20F9469CFC6C
_LONGEST_PICKLE = 2**24
_TYPES = {
    ("torch", "FloatStorage"): "<f4",
    ("torch", "DoubleStorage"): "<f8",
    ("torch", "HalfStorage"): "<f2",
    ("torch", "LongStorage"): "<i8",
    ("torch", "IntStorage"): "<i4",
}
# What a pickle that makes no sense makes Python raise.
_SENSELESS = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError, TypeError, LookupError),
    *(AttributeError, MemoryError, RecursionError, NotImplementedError),
)
_REBUILD, _ORDERED = ("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict")
# fmt: off
_OPERATIONS = frozenset({
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "APPEND", "APPENDS",
    "SETITEM", "SETITEMS", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL", "REDUCE", "BUILD", "BINPERSID",
})
# fmt: on


class _Refused(Exception):
    """A reason not to read a file."""


@dataclass(frozen=True)
class _Storage:
    """Numbers in a row, somewhere in the file."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A tensor of numbers that a storage has from some place on, with the steps between them along each axis."""

    storage: _Storage
    begin: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch(file: IO[bytes], name: str | Path) -> Tensors:
    """Reads the tensors of a model's state.

    Args:
        file: The file, which can be read from any place.
        name: Its name in messages.

    Returns:
        The tensors by their names.

    Raises:
        InputError: It is damaged, or holds anything but tensors.
    """
    try:
        if zipfile.is_zipfile(file):
            return _of_archive(file)
        file.seek(0)
        return _of_pickles(file)
    except _Refused as error:
        raise InputError(f"{name} cannot be read: expected names and tensors alone, found {error}.") from error
    except _SENSELESS as error:
        raise InputError(f"{name} is damaged or no file of torch.save ({error!s:.100}).") from error


def _of_pickles(file: IO[bytes]) -> Tensors:
    """Reads the format of PyTorch before 1.6: five pickles, then the numbers of each storage behind their count."""
    if _unpickled(file) != _MAGIC:
        raise ValueError("another beginning")
    _unpickled(file), _unpickled(file)  # version and sizes of types, which follow from the version
    found = _unpickled(file)
    storages = {tensor.storage.key: tensor.storage for tensor in _tensors(found).values()}
    read: dict[str, NDArray[Any]] = {}
    for key in _unpickled(file):
        storage = storages[key]
        count = int.from_bytes(_exactly(file, 8), "little")
        if count != storage.count:
            raise ValueError(f"{count} numbers in place of {storage.count}")
        read[key] = _numbers(file, storage)
    return _arrays(found, read)


def _of_archive(file: IO[bytes]) -> Tensors:
    """Reads the format of PyTorch from 1.6 on: an archive of a pickle and a file for each storage."""
    with zipfile.ZipFile(file) as archive:
        inside = next((name for name in archive.namelist() if name.endswith("/data.pkl")), "data.pkl")
        with archive.open(inside) as content:
            found = _unpickled(BytesIO(content.read(_LONGEST_PICKLE)))
        read: dict[str, NDArray[Any]] = {}
        for storage in {tensor.storage for tensor in _tensors(found).values()}:
            with archive.open(inside.removesuffix("data.pkl") + f"data/{storage.key}") as content:
                read[storage.key] = _numbers(content, storage)
    return _arrays(found, read)


def _unpickled(file: IO[bytes]) -> Any:
    """Reads one pickle, from where the file stands, after a look at all that it does."""
    begin = file.tell()
    for operation, argument, place in pickletools.genops(file):
        if operation.name not in _OPERATIONS:
            raise _Refused(f"the operation {operation.name}")
        if operation.name == "GLOBAL":
            _known(*str(argument).split(" ", 1))
        far = int(argument or 0) if operation.name == "LONG_BINPUT" else (place or 0) - begin
        if far > _LONGEST_PICKLE:
            raise _Refused("a pickle that is too long")
    end = file.tell()
    file.seek(begin)
    return _Unpickler(BytesIO(file.read(end - begin))).load()


def _known(module: str, name: str) -> str | Callable[..., Any]:
    """The only names that a file may use."""
    if (module, name) == _ORDERED:
        return OrderedDict
    if (module, name) == _REBUILD:
        return _rebuilt
    if (module, name) in _TYPES:
        return _TYPES[module, name]
    raise _Refused(f"{module}.{name}")


def _rebuilt(storage: _Storage, begin: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    """Makes of its arguments what `torch._utils._rebuild_tensor_v2` makes a tensor of."""
    if not isinstance(storage, _Storage) or len(strides) != len(shape) or min((begin, *shape, *strides)) < 0:
        raise _Refused("a tensor that makes no sense")
    last = begin + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    elements: int = math.prod(shape)
    if elements > storage.count or (elements and last >= storage.count):
        raise _Refused("a tensor with more numbers than there are")
    return _Tensor(storage, begin, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Reads a pickle that may name what `_known` knows."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """What a name stands for."""
        return _known(module_name, global_name)

    def persistent_load(self, pid: Any) -> _Storage:
        """The storage that a file refers to."""
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or dtype not in _TYPES.values() or not isinstance(key, str) or not count >= 0:
            raise _Refused("a reference to something else")
        return _Storage(key, dtype, int(count))


def _tensors(found: Any) -> Mapping[str, _Tensor]:
    if not isinstance(found, dict) or not all(isinstance(one, _Tensor) for one in found.values()):
        raise _Refused("something else")
    return found


def _arrays(found: Mapping[str, _Tensor], read: Mapping[str, NDArray[Any]]) -> Tensors:
    arrays = {}
    for name, tensor in found.items():
        numbers = read[tensor.storage.key][tensor.begin :]
        steps = [step * numbers.itemsize for step in tensor.strides]
        arrays[str(name)] = np.lib.stride_tricks.as_strided(numbers, tensor.shape, steps, writeable=False).copy()
    return arrays


def _numbers(file: IO[bytes], storage: _Storage) -> NDArray[Any]:
    return np.frombuffer(_exactly(file, storage.count * np.dtype(storage.dtype).itemsize), storage.dtype)


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EOFError("it ends too soon")
    return content
