import numpy as np
import pandas as pd

from search.reporting.report.importance import EPOCHS, importance, varying


def table(n, seed=0):
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "rate": 10 ** random.uniform(-4, -2, n),
            "kind": random.choice(["a", "b"], n),
            "absent": np.where(random.random(n) < 0.5, random.random(n), np.nan),
            "pinned": 1,
            "epochs": random.choice([1, 3], n),
        }
    )
    made["score"] = -np.abs(np.log10(made["rate"]) + 3) + 0.3 * (made["kind"] == "a") + 0.02 * random.normal(size=n)
    return made


NAMES = ["rate", "kind", "absent", "pinned"]


def test_what_matters_comes_first_and_what_does_not_is_near_nothing():
    found = importance(table(120), NAMES, seed=0)
    assert list(found.shares)[:2] == ["rate", "kind"]
    assert set(found.shares) == {"rate", "kind", "absent", EPOCHS}
    for name in ("absent", EPOCHS):
        assert abs(found.shares[name][0]) < 0.05
    for mean, low, high in found.shares.values():
        assert low <= mean <= high
    assert found.explained > 0.7 and found.trusted


def test_few_or_inexplicable_configurations_are_not_to_be_trusted():
    assert not importance(table(12), NAMES, seed=0).trusted
    chance = table(120).assign(score=np.random.default_rng(1).normal(size=120))
    assert not importance(chance, NAMES, seed=0).trusted


def test_nothing_to_say_is_said():
    assert importance(table(5), NAMES, seed=0) is None
    assert importance(table(50).assign(score=1.0), NAMES, seed=0) is None
    assert importance(table(50), ["pinned"], seed=0) is None


def test_the_seed_decides():
    assert importance(table(30), NAMES, seed=1) == importance(table(30), NAMES, seed=1)


def test_not_being_there_is_a_value():
    made = pd.DataFrame({"x": [1.0, np.nan], "y": [1.0, 1.0]})
    assert varying(made, ["x", "y"]) == ["x"]
