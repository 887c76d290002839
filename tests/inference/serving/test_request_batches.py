"""Requests that wait together are answered together, each with its own answer."""

import asyncio
import threading

import numpy as np
import pytest

from search.errors import InputError
from search.inference.labels import Predictions
from search.inference.serving.batches import Batches


class Model:
    """Predicts a text's length, and remembers the batches; while `free` is not set it computes."""

    def __init__(self):
        self.free = threading.Event()
        self.free.set()
        self.batches = []

    def __call__(self, texts, beside):
        self.batches.append(list(texts))
        assert self.free.wait(10)
        if "bad" in texts:
            raise InputError("the text 'bad'")
        return Predictions([f"{len(text)}" for text in texts], np.array([[len(text), 0.0] for text in texts]))


def asked(model, requests, largest=100):
    """Asks for the first two, which keep the model busy, then for the rest; gives the answers, or errors."""

    async def ask():
        batches = Batches(model, largest)
        async with batches.running():
            model.free.clear()
            tasks = []
            for request in requests:
                tasks.append(asyncio.ensure_future(batches.predict(request)))
                while len(model.batches) < min(len(tasks), 2):
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            model.free.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def lengths(answer):
    np.testing.assert_array_equal(answer.probabilities[:, 0], list(map(int, answer.predicted)))
    return answer.predicted


def test_what_waits_goes_together():
    model = Model()
    requests = [["a"], ["b"], ["ccc"], ["dddd", "eeeee"], ["f"]]
    assert [lengths(answer) for answer in asked(model, requests)] == [["1"], ["1"], ["3"], ["4", "5"], ["1"]]
    assert model.batches == [["a"], ["b"], ["ccc", "dddd", "eeeee", "f"]]


def test_a_long_request_is_cut_and_no_batch_is_larger_than_allowed():
    model = Model()
    answers = asked(model, [["a"], ["b"], ["c"] * 7, ["dd"] * 2], largest=3)
    assert [len(lengths(answer)) for answer in answers] == [1, 1, 7, 2]
    assert max(map(len, model.batches)) == 3


def test_columns_go_with_their_texts():
    async def ask():
        def model(texts, beside):
            return Predictions(list(texts), np.column_stack([beside["price"], beside["price"]]))

        batches = Batches(model, 3)
        prices = np.array([(float(k),) for k in range(8)], [("price", float)])
        async with batches.running():
            return await asyncio.gather(
                *(batches.predict(["a"] * len(some), some) for some in (prices[:7], prices[7:]))
            )

    first, last = asyncio.run(ask())
    assert first.probabilities[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6] and last.probabilities[0, 0] == 7


def test_a_text_that_stands_in_the_way_spoils_its_own_request_alone():
    answers = asked(Model(), [["a"], ["b"], ["c", "bad"], ["dddd"]])
    assert isinstance(answers[2], InputError)
    assert lengths(answers[3]) == ["4"]


def test_what_nobody_waits_for_any_more_is_left_out():
    model = Model()

    async def ask():
        batches = Batches(model)
        async with batches.running():
            model.free.clear()
            busy = []
            for name in "ab":
                busy.append(asyncio.ensure_future(batches.predict([name])))
                while len(model.batches) < len(busy):
                    await asyncio.sleep(0.001)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await batches.predict(["late"])
            model.free.set()
            await asyncio.gather(*busy)
            return await batches.predict(["last"])

    assert lengths(asyncio.run(ask())) == ["4"]
    assert ["late"] not in model.batches
