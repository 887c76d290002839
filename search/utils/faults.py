"""Tells a fault of the machine from an error of what it was given to do."""

from __future__ import annotations

import errno
import math
import os
import re

from search.errors import InputError, MachineFault
from search.utils.machine_memory import all_memory

# TensorFlow has errors of its own for what the system refuses, told apart by the words of the system.
_SYSTEM = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENODEV, errno.ESTALE),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE, errno.ENFILE),
    *(errno.EFBIG, errno.ENOMEM, errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT, errno.ENETUNREACH),
    errno.EHOSTUNREACH,
)
_SYSTEM_WORDS = tuple(os.strerror(number) for number in _SYSTEM)
_TENSORFLOW_FAULTS = ("DataLossError", "UnavailableError", "PermissionDeniedError")
# As TensorFlow tells of a tensor that there is no room for, with the device that was to hold it.
_TENSOR = re.compile(r"shape\[([\d,]*)\] and type (\w+) on \S*?device:(\w+):")
_LARGEST_ITEM = 16


def machine_fault(error: BaseException) -> str | None:
    """Describes a failure of the machine (disk, permissions, network, memory); None for any other error.

    No trial is to blame for a file that cannot be read or written. Memory is another matter: an array larger than all
    memory of the machine is the trial's own fault, and so is anything that does not fit on a GPU.

    Args:
        error: The error; its causes count as well.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, InputError):  # it says what to do, whatever it was raised from
            return str(seen) if isinstance(seen, MachineFault) else None
        if (reason := _reason(seen)) is not None:
            return reason
        seen = seen.__cause__
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, of the machine or a GPU, not a disk."""
    if isinstance(error, MemoryError):
        return True
    return type(error).__name__ == "ResourceExhaustedError" and not any(word in str(error) for word in _SYSTEM_WORDS)


def _reason(error: BaseException) -> str | None:
    # Whoever reads what the program prints has enough: that is no fault at all.
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        reason = error.strerror or str(error) or type(error).__name__
        return f"{reason}: {error.filename}" if error.filename is not None else reason
    if is_out_of_memory(error):
        return None if _is_too_large(error) else f"out of memory{_told(error)}"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return str(error)
    if type(error).__module__.startswith("tensorflow."):
        words = next((words for words in _SYSTEM_WORDS if words in str(error)), None)
        if words is not None or type(error).__name__ in _TENSORFLOW_FAULTS:
            return words or str(error).partition("\n")[0]
    return None


def _told(error: BaseException) -> str:
    return f" ({first})" if (first := str(error).partition("\n")[0]) else ""


def _is_too_large(error: BaseException) -> bool:
    """Whether the array is larger than all memory of this machine, or was meant for another device."""
    found = _TENSOR.search(str(error))
    if found is not None:
        shape, device = [int(length) for length in found[1].split(",") if length], found[3]
        bits = re.search(r"\d+$", found[2])
        item = {"float": 4, "double": 8, "half": 2}.get(found[2], int(bits[0]) // 8 if bits else _LARGEST_ITEM)
        return device != "CPU" or math.prod(shape) * item > all_memory()
    if "GPU" in str(error):
        return True
    # NumPy says what there was no room for.
    lengths, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
    return lengths is not None and dtype is not None and math.prod(lengths) * dtype.itemsize > all_memory()
