"""Files as PyTorch's `torch.save` writes them, made without PyTorch."""

import io
import pickle
import pickletools
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("A name in a file, never called")


class FloatStorage:
    """A name in a file."""


class _Tensor:
    def __init__(self, key, values, count):
        self.key, self.values, self.count = key, values, count

    def __reduce__(self):
        steps = tuple(step // self.values.itemsize for step in self.values.strides)
        return _rebuild_tensor_v2, (_Reference(self.key, self.count), 0, self.values.shape, steps, False, OrderedDict())


class _Reference:
    def __init__(self, key, count):
        self.key, self.count = key, count


class _Pickler(pickle._Pickler):
    """Python's own, which asks `persistent_id` for each object."""

    def persistent_id(self, obj):
        if isinstance(obj, _Reference):
            return "storage", FloatStorage, obj.key, "cpu", obj.count, None
        return None


def _state(tensors, count=None):
    found = OrderedDict()
    for number, (name, values) in enumerate(tensors.items()):
        found[name] = _Tensor(str(number), values, count or values.size) if isinstance(values, np.ndarray) else values
    written = io.BytesIO()
    places = {"torch": FloatStorage, "torch._utils": _rebuild_tensor_v2}
    before = {name: sys.modules.get(name) for name in places}
    try:
        for name, made in places.items():
            module = sys.modules[name] = types.ModuleType(name)
            setattr(module, made.__name__, made)
            made.__module__ = name
        _Pickler(written, 2).dump(found)
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
    return pickletools.optimize(written.getvalue()) if count is None else written.getvalue()


def _numbers(values):
    return np.asarray(values.T if not values.flags.c_contiguous else values, "<f4").tobytes()


def pickled(tensors, count=None):
    """The format before PyTorch 1.6; `count` numbers are claimed of each storage."""
    arrays = {str(number): one for number, one in enumerate(tensors.values()) if isinstance(one, np.ndarray)}
    parts = [pickle.dumps(one, 2) for one in (_MAGIC, 1001, {"little_endian": True})]
    parts += [_state(tensors, count), pickle.dumps(list(arrays), 2)]
    parts += [struct.pack("<q", count or one.size) + _numbers(one) for one in arrays.values()]
    return b"".join(parts)


def archived(tensors):
    """The format from PyTorch 1.6 on."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("archive/data.pkl", _state(tensors))
        for number, one in enumerate(tensors.values()):
            if isinstance(one, np.ndarray):
                archive.writestr(f"archive/data/{number}", _numbers(one))
    return written.getvalue()
