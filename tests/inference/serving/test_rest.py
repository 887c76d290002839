"""Requests and responses are those of TensorFlow Serving's REST API."""

import base64
import json
import math

import numpy as np
import pytest
from made_pictures import encoded, picture

from search.config.dataset import DatasetConfig
from search.datasets import Column
from search.inference.labels import Predictions
from search.inference.serving.elements import Refused, reader
from search.inference.serving.rest import Request, read_request, write_response

DEFAULT = {"inputs": {"texts": {}}, "outputs": {"probabilities": {}, "predicted": {}}}
SIGNATURES = {
    "serving_default": DEFAULT,
    "serve": DEFAULT,
    "__call__": {"inputs": {"texts": {}}, "outputs": {"output_0": {}}},
}


def read(body, most=3, columns=()):
    return read_request(body if isinstance(body, bytes) else json.dumps(body).encode(), SIGNATURES, columns, most)


@pytest.mark.parametrize(
    ("body", "by_row"),
    [
        ({"instances": ["a", "ü"]}, True),
        ({"instances": [{"texts": "a"}, {"texts": "ü"}]}, True),
        ({"instances": [{"b64": "YQ=="}, {"b64": "w7w="}]}, True),
        ({"instances": [{"texts": "a"}, {"texts": {"b64": "w7w="}}]}, True),
        ({"inputs": ["a", "ü"]}, False),
        ({"inputs": {"texts": ["a", "ü"]}}, False),
        ({"inputs": ["a", "ü"], "signature_name": "serve", "more": 1}, False),
        ({"inputs": ["a", "ü"], "signature_name": ""}, False),
    ],
)
def test_every_form_of_a_request(body, by_row):
    assert read(body) == Request(["a", "ü"], None, by_row)


def test_images_come_as_their_files_in_base_64_and_nothing_else_is_read(tmp_path):
    photo = encoded(picture())
    (tmp_path / "photo.png").write_bytes(photo)
    row = reader(DatasetConfig(name="photos", content="image"))

    def asked(*values):
        body = json.dumps({"instances": [*values]}).encode()
        return read_request(body, SIGNATURES, (), 3, row).texts

    def packed(data):
        return {"b64": base64.b64encode(data).decode()}

    assert asked(packed(photo)) == asked({"texts": packed(photo)}) == [photo]
    for refused in (str(tmp_path / "photo.png"), packed(b"no image"), packed(photo[:-40]), {"b64": "?"}):
        with pytest.raises(Refused, match="Failed to process element: 1") as error:
            asked(packed(photo), refused)
        assert error.value.status == 400


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "JSON Parse error"),
        (b"\xff\xff", 400, "JSON Parse error"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b'{"instances": [' + b"[" * 500 + b"]" * 500 + b"]}", 400, "Array of 1"),
        (b'{"instances": [' + b"9" * 5000 + b"]}", 400, "JSON Parse error"),
        (b'{"instances": [NaN]}', 400, "NaN is not of expected type: string"),
        (b'{"instances": ["\\ud800"]}', 400, "surrogate"),
        ([1], 400, "Is not object"),
        ({}, 400, "Missing 'inputs' or 'instances'"),
        ({"instances": ["a"], "inputs": ["a"]}, 400, "only one of"),
        ({"instances": []}, 400, "No values in 'instances'"),
        ({"instances": "a"}, 400, "a list"),
        ({"inputs": {"text": ["a"]}}, 400, "Missing named input: texts"),
        ({"instances": ["a", None]}, 400, "element: 1. Error: JSON Value: null"),
        ({"instances": [["a"]]}, 400, "element: 0"),
        ({"instances": ["a", {"texts": "b"}]}, 400, "mixed"),
        ({"instances": [{"texts": "a", "more": 1}]}, 400, "keys must be equal to: texts"),
        ({"instances": [{"b64": "%"}]}, 400, "base64"),
        ({"instances": [{"b64": "/w=="}]}, 400, "base64"),
        ({"instances": ["a"], "signature_name": "__call__"}, 400, '"__call__" not found'),
        ({"instances": ["a"], "signature_name": [1]}, 400, "'signature_name' must be a string"),
        ({"instances": ["a"] * 4}, 413, "3 at most"),
    ],
    ids=str,
)
def test_what_is_no_request_is_refused(body, status, told):
    with pytest.raises(Refused) as refused:
        read(body)
    assert refused.value.status == status
    assert told in refused.value.message and len(refused.value.message) < 200


COLUMNS = (Column("Price (€)", "number", "Price___"), Column("brand", "category", "brand"))


@pytest.mark.parametrize(
    "body",
    [
        {
            "instances": [
                {"texts": "a", "Price___": 2, "brand": " acme "},
                {"brand": {"b64": ""}, "texts": "b", "Price___": math.nan},
            ]
        },
        {"inputs": {"texts": ["a", "b"], "brand": ["acme", ""], "Price___": [2.0, math.inf]}},
    ],
)
def test_each_column_beside_the_text_is_an_input_of_its_own(body):
    found = read(body, columns=COLUMNS)
    assert found.texts == ["a", "b"] and found.beside["brand"].tolist() == ["acme", ""]
    np.testing.assert_array_equal(found.beside["Price___"], [2, math.nan])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"instances": ["a"]}, "multiple input tensors"),
        ({"instances": [{"texts": "a", "brand": "b"}]}, "keys must be equal to: Price___, brand, texts"),
        ({"instances": [{"texts": "a", "brand": "b", "Price___": "3"}]}, "element: 0 key: Price___"),
        ({"instances": [{"texts": "a", "brand": "b", "Price___": True}]}, "expected type: double"),
        ({"instances": [{"texts": "a", "brand": "b", "Price___": 10**400}]}, "too large"),
        ({"instances": [{"texts": "a", "brand": None, "Price___": 1}]}, "key: brand"),
        ({"inputs": ["a"]}, "expecting an object"),
        ({"inputs": {"texts": ["a"], "brand": ["b"]}}, "Missing named input: Price___"),
        ({"inputs": {"texts": ["a"], "brand": ["b"], "Price___": [1, 2]}}, "different lengths"),
    ],
    ids=str,
)
def test_columns_that_cannot_be_read_are_refused(body, told):
    with pytest.raises(Refused) as refused:
        read(body, columns=COLUMNS)
    assert refused.value.status == 400
    assert told in refused.value.message and len(refused.value.message) < 200


def test_a_response_by_row_and_by_column():
    probabilities = np.array([[0.1, 0.9], [1.0, 1e-9]], np.float32)
    given = Predictions(['"yes"', "nö"], probabilities.astype(np.float64))
    by_row, by_column = (json.loads(write_response(given, ("nö", '"yes"'), one)) for one in (True, False))
    assert by_column == {"outputs": {"probabilities": [[0.1, 0.9], [1.0, 1e-9]], "predicted": ['"yes"', "nö"]}}
    columns = zip(*by_column["outputs"].values(), strict=True)
    assert by_row == {"predictions": [{"probabilities": row, "predicted": name} for row, name in columns]}
    read_back = np.array(by_column["outputs"]["probabilities"], np.float32)
    np.testing.assert_array_equal(read_back, probabilities)


def test_several_labels_of_a_text_are_0_and_1_in_the_order_of_the_probabilities():
    whole = Predictions(
        ["a, b", "", "b"], np.array([[0.9, 0.8], [0.1, 0.2], [0.5, 0.75]]), np.array([[1, 1], [0, 0], [0, 1]])
    )
    given = Predictions.joined([whole.part(1, 3), whole.part(0, 1)])
    assert given.predicted == ["", "b", "a, b"]
    by_row, by_column = (json.loads(write_response(given, "ab", one)) for one in (True, False))
    assert by_column["outputs"]["predicted"] == [[0, 0], [0, 1], [1, 1]]
    assert by_row["predictions"][1] == {"probabilities": [0.5, 0.75], "predicted": [0, 1]}
