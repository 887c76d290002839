import json
import subprocess
import sys
from pathlib import Path

import faulty
import numpy as np
import pytest
import tensorflow as tf

from search.backbones.hub.load import published
from search.errors import InputError
from search.utils import plain_paths
from search.utils.plain_paths import plain_path

NAMES = ["runs [1]", "runs[1", "a\\b", "what?", "a*b", "{a,b}", "ré sumé (1) 'x'"]


@pytest.mark.parametrize("name", NAMES)
def test_a_module_loads_from_a_folder_of_any_name(tmp_path, name):
    folder = faulty.save(faulty.sound, tmp_path / name / "module")
    known = published(faulty.save(faulty.sound, tmp_path / "plain"))
    texts = tf.constant(["a film", "another"])
    module = published(folder)
    np.testing.assert_array_equal(module(texts), known(texts))
    assert module.folder == folder.resolve()


def test_an_ordinary_path_stays_as_it_is(tmp_path):
    assert plain_path(tmp_path / "runs (1)") == tmp_path / "runs (1)"


def test_the_links_are_gone_after_the_process(tmp_path):
    (tmp_path / "runs [1]").mkdir()
    program = (
        "import json, pathlib, sys; from search.utils.plain_paths import plain_path\n"
        "found = plain_path(pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps([str(found), str(found.resolve())]))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "runs [1]")], capture_output=True, check=True)
    link, target = json.loads(done.stdout)
    assert "[" not in link and target == str(tmp_path / "runs [1]")
    assert not Path(link).parent.exists() and (tmp_path / "runs [1]").is_dir()


def test_a_temporary_folder_with_brackets_is_told(tmp_path, monkeypatch):
    (tmp_path / "tmp [1]").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp [1]"))
    monkeypatch.setattr(plain_paths, "_links", plain_paths._links.__wrapped__)
    with pytest.raises(InputError, match="TMPDIR"):
        plain_path(tmp_path / "tmp [1]")
