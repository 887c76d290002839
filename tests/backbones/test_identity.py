import shutil

from search.backbones.builders.vectors import write_module
from search.backbones.hub.identity import fingerprint


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
