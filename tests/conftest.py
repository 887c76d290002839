"""What many tests need: the command, run as a user would, and small data that it can learn from."""

import gc
import logging
import signal
import sys
from collections import namedtuple
from dataclasses import replace

import numpy as np
import pytest
from reviews import VOCABULARY

import spaces.text_classifier
from search.commands.search import main
from spaces import SETTINGS, Choice

# Models of tests are made without words: a space has them beside the head where a test asks for them.
spaces.text_classifier.SETTINGS = {**SETTINGS, "wide": replace(SETTINGS["wide"], default=Choice(["none"]))}

Outcome = namedtuple("Outcome", "code out err")

# Where the tests are started in the background, Ctrl-C is ignored, and so would be what they send themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


# A minute or more each, for which the other workers would wait at the end.
_LONGEST = (
    "test_killed_again_and_again_it_ends_the_same",
    "test_workers_give_the_answer_of_one_process",
    "test_another_test_split_changes_what_is_measured_and_nothing_else",
)


def pytest_collection_modifyitems(items):
    """Puts the longest tests first."""
    items.sort(key=lambda item: item.originalname not in _LONGEST)


def pytest_xdist_auto_num_workers(config):
    """A few files are sooner run here than by workers, each of which imports TensorFlow first."""
    return 0 if all(".py" in argument for argument in config.args) else None


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Modules and features of tests stay out of the cache of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_validation_split():
    """The few rows of tests are no reason to cross-validate, five times as long, but where that is what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.datasets.folds.FEW", 0)
        yield


@pytest.fixture(scope="module", autouse=True)
def few_objects_to_search_through():
    """Keeps garbage collection cheap: TensorFlow's own objects, a million by then, are looked through no more."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def search_command(capfd, monkeypatch, tmp_path):
    """Runs `python -m search` in an empty folder; gives its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    if "tensorflow" in sys.modules:
        # Imported by a test, and so not quiet: it says once in a process that there is no GPU.
        sys.modules["tensorflow"].config.list_physical_devices("GPU")
        capfd.readouterr()

    def run(*arguments):
        logging.getLogger().handlers = []
        code = main(list(arguments))
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def word_module(tmp_path_factory):
    """A module of random word vectors, 16-d, for the words of `make_reviews`."""
    from search.backbones.builders.vectors import write_module

    words = list(VOCABULARY)
    folder = tmp_path_factory.mktemp("modules") / "words"
    write_module(words, np.random.default_rng(0).normal(size=(len(words), 16)).astype(np.float32), folder)
    return folder
