"""Made-up reviews that a classifier of word vectors can learn from."""

import numpy as np

_WORDS = {
    "bad": "awful broken dreadful hate horrible poor sad terrible ugly worst".split(),
    "good": "best brilliant excellent great happy love lovely nice superb wonderful".split(),
    "dull": "average common fair middling normal ordinary plain regular standard usual".split(),
}
_FILLERS = "a and film food hotel it the this was with very place room story in of we".split()
VOCABULARY = (*_FILLERS, *(word for group in _WORDS.values() for word in group))


def make_reviews(rows, classes=("bad", "good"), seed=0):
    """Distinct texts of made-up words with their labels; the first class is the most frequent."""
    random = np.random.default_rng(seed)
    shares = np.array([3, *[1] * (len(classes) - 1)])
    labels = random.choice(classes, rows, p=shares / shares.sum())
    texts = [
        " ".join(random.permutation([*random.choice(_FILLERS, 5), *random.choice(_WORDS[label], 2), str(row)]))
        for row, label in enumerate(labels)
    ]
    return texts, labels.tolist()


def write_reviews(path, rows=300, classes=("bad", "good"), seed=0):
    """Writes `make_reviews` as a CSV with the columns review and stars."""
    texts, labels = make_reviews(rows, classes, seed)
    lines = [f"{text},{label}" for text, label in zip(texts, labels, strict=True)]
    path.write_text("\n".join(["review,stars", *lines]) + "\n", encoding="utf-8")
    return path
