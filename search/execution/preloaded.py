"""The imports of the server that worker processes are forked from."""

import gc
import signal

# Ctrl-C reaches this process too, which then ends without a word; once all is imported, multiprocessing ignores it.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from search.utils.device import muted  # noqa: E402

with muted():
    import keras_tuner  # noqa: F401

    import search.training.trainers  # noqa: F401

# What is here for good is not to be looked through in the workers, which would copy its memory.
gc.freeze()
