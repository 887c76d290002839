"""The GPUs of a process, and of a trial in it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def of_process(gpus: Sequence[_T], worker: int, per_trial: float) -> list[_T]:
    """The GPUs that one of several processes sees: as many as a trial takes, those of the processes in turn.

    Args:
        gpus: Those of the machine, or those that a scheduler left visible.
        worker: Number of the process, from 1.
        per_trial: GPUs of a trial; of a fraction several processes see the same one. 0: one.

    Example:
        >>> [of_process("abcd", worker, 2) for worker in (1, 2, 3)]
        [['a', 'b'], ['c', 'd'], ['a', 'b']]
        >>> [of_process("ab", worker, 0.5) for worker in (1, 2, 3)]
        [['a'], ['a'], ['b']]
    """
    begin, count = int((worker - 1) * (per_trial or 1)), min(max(1, int(per_trial)), len(gpus))
    return [gpus[(begin + place) % len(gpus)] for place in range(count)]


def memory_share(per_trial: float) -> int | None:
    """MiB of a GPU's memory that a process may take where several share one.

    Returns:
        The share of the card with the least memory; None where a process has a whole one, or its size is not known.
    """
    command = shutil.which("nvidia-smi")
    if not 0 < per_trial < 1 or command is None:
        return None
    asked = [command, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    sizes = [int(one) for one in told if one.isdecimal()]
    return int(min(sizes) * per_trial) if sizes else None


def trial_devices(per_trial: float) -> tuple[str, ...]:
    """TensorFlow's names of the devices that compute the parts of a batch; "": of the one that it takes itself.

    Args:
        per_trial: GPUs of a trial.

    Returns:
        A device for each part. There are as many parts as GPUs asked for, whatever this machine has, as what a batch
        gives depends on its parts; where there are fewer GPUs, some compute several.
    """
    if per_trial < 2:
        return ("",)
    import tensorflow as tf

    found = [one.name for one in tf.config.list_logical_devices("GPU")] or [""]
    return tuple(found[part % len(found)] for part in range(int(per_trial)))
