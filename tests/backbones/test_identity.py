import shutil
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from search.backbones.builders.vectors import write_module
from search.backbones.catalog import ModulePlaces
from search.backbones.hub.identity import content, fingerprint
from search.backbones.hub.load import forget, published
from search.backbones.resolve import resolve
from search.config import ModuleConfig
from search.errors import InputError
from search.utils.checksums import SEAL


def test_follows_the_content_not_the_place(words_module, tmp_path):
    copy = shutil.copytree(words_module, tmp_path / "copy")
    assert fingerprint(copy) == fingerprint(words_module)
    with (copy / "assets" / "vocabulary.txt").open("a") as file:
        file.write("more\n")
    assert fingerprint(copy) != fingerprint(words_module)


def test_tells_weights_apart(word_vectors, tmp_path):
    words = [str(i) for i in range(len(word_vectors))]
    seen = set()
    for i in range(3):
        # The smallest step a float can make.
        word_vectors = word_vectors.copy()
        word_vectors[2, 1] = word_vectors[2, 1] * (1 + 2**-23)
        write_module(words, word_vectors, tmp_path / str(i))
        index = (tmp_path / str(i) / "variables" / "variables.index").read_bytes()
        seen.add(index)
        assert fingerprint(tmp_path / str(i))
    assert len(seen) == 3


def test_a_module_that_is_built_again_has_the_same_content(tmp_path):
    for name in ("one", "two"):
        write_module(["a", "b"], np.ones((2, 4), np.float32), tmp_path / name)
    assert fingerprint(tmp_path / "one") != fingerprint(tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_words_weights_and_operations_make_the_content(tmp_path):
    ones = np.ones((2, 4), np.float32)
    write_module(["a", "b"], ones, tmp_path / "plain")
    write_module(["a", "c"], ones, tmp_path / "words")
    write_module(["a", "b"], ones * 2, tmp_path / "weights")
    for function in (tf.strings.lower, tf.strings.upper):
        module = tf.Module()
        module.__call__ = tf.function(function, [tf.TensorSpec([None], tf.string)])
        tf.saved_model.save(module, str(tmp_path / function.__name__))
    assert len({content(folder) for folder in tmp_path.iterdir()}) == 5


@pytest.mark.parametrize("name", ["assets/vocabulary.txt", "saved_model.pb", "variables/variables.index"])
def test_a_written_module_whose_files_changed_is_refused(tmp_path, name):
    folder = tmp_path / "module"
    write_module(["good", "bad", "so"], np.eye(3, dtype=np.float32), folder)
    assert published(folder).dimension == 3
    forget(folder)
    path = folder / name
    # As long as before: nothing but its content tells.
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=name):
        published(folder, "mine")


def test_checksums_come_with_every_module_of_the_cache(tmp_path):
    write_module(["good", "bad"], np.eye(2, dtype=np.float32), tmp_path / "own")
    (tmp_path / "own" / SEAL).unlink()
    archive = tmp_path / "packed.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "own", "own")
    resolved = [
        resolve(str(place), {}, ModulePlaces(ModuleConfig(), tmp_path / "modules"))
        for place in (tmp_path / "own", archive, archive)
    ]
    assert [(folder / SEAL).exists() for folder in resolved] == [False, True, True]
    (resolved[1] / "assets" / "vocabulary.txt").write_text("good\n")
    with pytest.raises(InputError, match=r"vocabulary\.txt"):
        published(resolved[2])
