"""Gets TensorFlow ready: quiet, on the device asked for, with the same numbers every time."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.utils.gpus import memory_share, of_process

# Of NVIDIA, AMD, Windows' own Linux, and others.
_GPU_DEVICES = ("nvidia[0-9]*", "kfd", "dxg", "dri/renderD*")
_BACKEND = "tensorflow"


def quieten() -> None:
    """Has TensorFlow, which has not been imported yet, log nothing but errors."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("tensorflow", "absl", "h5py"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _start_tensorflow(verbose: bool) -> list[Any]:
    """Imports TensorFlow and lets it look for GPUs, without the noise of both.

    Args:
        verbose: Keep TensorFlow's own log messages.

    Returns:
        The GPUs it sees.
    """
    if not verbose:
        quieten()
    with nullcontext() if verbose else muted():
        import tensorflow as tf

        if not verbose:
            # In a notebook TensorFlow makes its logger talkative when it is first asked for it.
            tf.get_logger().setLevel(logging.ERROR)
        return list(tf.config.list_physical_devices("GPU"))


@contextmanager
def muted() -> Iterator[None]:
    """Drops native output to stderr: TensorFlow logs as it loads, before it reads its log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def may_have_gpu() -> bool:
    """Whether the machine may have a GPU, judged by its device files; True where the system has no such files."""
    return sys.platform != "linux" or any(True for name in _GPU_DEVICES for _ in Path("/dev").glob(name))


def _no_gpu(reason: str) -> InputError:
    return InputError(
        f"device=gpu, but {reason}: install TensorFlow's CUDA libraries with pip install 'search[gpu]', check the "
        "driver with nvidia-smi, or set device=auto."
    )


def configure(
    device: str,
    mixed_precision: bool,
    verbose: bool = False,
    threads: int | None = None,
    gpus_per_trial: float = 0.0,
    worker: int | None = None,
) -> str:
    """Chooses the device and makes its arithmetic repeatable.

    Args:
        device: auto, cpu or gpu.
        mixed_precision: Compute in float16, keep weights in float32.
        verbose: Keep TensorFlow's own log messages.
        threads: Threads of TensorFlow's computations, on which the last digits of sums depend; None: one per core.
        gpus_per_trial: GPUs of a trial: see `search.utils.gpus`.
        worker: Number of the process among those of a search, from 1: of several GPUs each sees those of a trial, in
            turn; None: it is alone, and sees them all.

    Returns:
        The device, in words.

    Raises:
        InputError: A GPU is asked for and TensorFlow sees none, or Keras was imported on another backend.
    """
    if device == "gpu" and not may_have_gpu():
        raise _no_gpu("this machine has none")
    gpus = _start_tensorflow(verbose)
    import keras
    import tensorflow as tf

    if device == "gpu" and not gpus:
        raise _no_gpu("TensorFlow sees none")
    if keras.backend.backend() != _BACKEND:
        raise InputError(
            f"Keras was imported on {keras.backend.backend()} here, and this package needs it on {_BACKEND}: set the "
            f"variable KERAS_BACKEND={_BACKEND}, or import search before Keras."
        )
    # A keras.json of other work may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    if device == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    if worker is not None and gpus:
        gpus = of_process(gpus, worker, gpus_per_trial)
        tf.config.set_visible_devices(gpus, "GPU")
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    most = None if worker is None else memory_share(gpus_per_trial)
    for gpu in gpus:
        # Without either TensorFlow takes the whole memory of the card, whatever else needs some.
        if most is None:
            tf.config.experimental.set_memory_growth(gpu, True)
        else:
            tf.config.set_logical_device_configuration(gpu, [tf.config.LogicalDeviceConfiguration(memory_limit=most)])
    tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy("mixed_float16" if mixed_precision else "float32")
    if not gpus:
        return f"CPU, {os.cpu_count() if threads is None else threads} cores"
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names)


def keras_settings() -> Callable[[int], None]:
    """A function that gives another process the settings of Keras and TensorFlow in this one.

    Returns:
        A function of the number of the process.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.config import is_op_determinism_enabled

    threads = tf.config.threading
    return partial(
        _set_keras,
        keras.config.floatx(),
        keras.config.dtype_policy().name,
        is_op_determinism_enabled(),
        (threads.get_intra_op_parallelism_threads(), threads.get_inter_op_parallelism_threads()),
    )


def _set_keras(floatx: str, policy: str, deterministic: bool, threads: tuple[int, int], worker: int) -> None:
    _start_tensorflow(verbose=False)
    import keras
    import tensorflow as tf

    if deterministic:
        tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(threads[0])
    tf.config.threading.set_inter_op_parallelism_threads(threads[1])
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


def configured() -> str:
    """Sets TensorFlow up, unless it has been imported: then it is as somebody wants it. Returns the device in words."""
    if "tensorflow" not in sys.modules:
        return configure("auto", mixed_precision=False)
    import tensorflow as tf

    return "GPU" if tf.config.get_visible_devices("GPU") else f"CPU, {os.cpu_count()} cores"
