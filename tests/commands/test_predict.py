"""`python -m search.predict` on a tiny saved model: the more often a text says "good", the more probable is class 1."""

import csv
import gzip
import io
import json
import os
import shutil
import sys
import threading

import numpy as np
import pytest
from made_models import make_run
from memory import MIB, at_most
from reviews import write_reviews

from search.backbones.hub.identity import seal_module
from search.commands import export
from search.commands.predict import main

TEXTS = ["good good day", "a good day", "a bad day", ' good, "good"\nday ', "größer good good"]
GOOD = [2, 1, 0, 2, 2]
ROWS = [{"id": f"r{number}", "words": text} for number, text in enumerate(TEXTS)]


def probability(count):
    return 1 / (1 + np.exp(1 - count))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "made", ["no", "yes"], threshold=0.6)


@pytest.fixture
def predict(run, capsys):
    """Gives the exit code and what was printed."""

    def call(*arguments):
        code = main([f"run={run}", "device=cpu", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def write_csv(path, rows=ROWS, separator=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_csv(text, separator=","):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


def check(rows, threshold=0.6):
    """Whether all columns of the input are there, and the predictions are right."""
    assert [{key: row[key] for key in ROWS[0]} for row in rows] == ROWS
    expected = [probability(count) for count in GOOD]
    np.testing.assert_allclose([float(row["prob_yes"]) for row in rows], expected, atol=1e-6)
    np.testing.assert_allclose([float(row["prob_no"]) for row in rows], 1 - np.array(expected), atol=1e-6)
    assert [row["predicted"] for row in rows] == ["yes" if one >= threshold else "no" for one in expected]


def test_csv_keeps_its_columns_and_says_how_fast(predict, tmp_path):
    code, out, err = predict(f"input={write_csv(tmp_path / 'new.csv')}", f"output={tmp_path / 'scored.csv'}")
    assert (code, out) == (0, "")
    assert "5 rows in" in err and "rows/s" in err
    check(read_csv((tmp_path / "scored.csv").read_text(encoding="utf-8")))


def test_other_tables(predict, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    output = tmp_path / "out" / "scored"
    write_csv(tmp_path / "new.tsv", separator="\t")
    assert predict(f"input={tmp_path / 'new.tsv'}", f"output={output}.tsv")[0] == 0
    check(read_csv(output.with_suffix(".tsv").read_text(encoding="utf-8"), "\t"))

    write_csv(tmp_path / "new.csv", separator=";")
    assert predict(f"input={tmp_path / 'new.csv'}", "dataset.separator=;", f"output={output}.csv")[0] == 0
    check(read_csv(output.with_suffix(".csv").read_text(encoding="utf-8"), ";"))

    (tmp_path / "new.jsonl.gz").write_bytes(
        gzip.compress("\n\n".join(json.dumps({**row, "kept": [1, None]}) for row in ROWS).encode())
    )
    assert predict(f"input={tmp_path / 'new.jsonl.gz'}", f"output={output}.jsonl")[0] == 0
    records = [json.loads(line) for line in output.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(record["kept"] == [1, None] for record in records)
    check(records)

    dates = pa.array(range(5), pa.date32())
    table = pa.Table.from_pylist(ROWS).append_column("date", dates)
    pq.write_table(table, tmp_path / "new.parquet")
    assert predict(f"input={tmp_path / 'new.parquet'}", f"output={output}.parquet")[0] == 0
    scored = pq.read_table(output.with_suffix(".parquet"))
    assert scored["date"].combine_chunks() == dates
    check(scored.to_pylist())


def test_standard_input_and_output(predict, monkeypatch):
    def typed(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    typed("good good\r\n\n größer\nlast \xff".encode() + b"\xff")
    code, out, err = predict()
    assert code == 0
    assert [row["text"] for row in read_csv(out)] == ["good good", " größer"]
    assert [row["predicted"] for row in read_csv(out)] == ["yes", "no"]
    assert "Row 2 " in err and "Row 4 " in err and "2 bad rows skipped" in err

    typed(b"a;words\n1;good good\n")
    code, out, _ = predict("input=-", "dataset.format=csv", "dataset.separator=;")
    assert (code, read_csv(out, ";")[0]["predicted"]) == (0, "yes")


def test_a_single_text(predict):
    code, out, _ = predict("text= good=good good ")
    assert code == 0
    (row,) = read_csv(out)
    assert (row["text"], row["predicted"]) == (" good=good good ", "yes")
    assert predict("text= ")[0] == 2


def test_threshold_from_the_command_line(predict, tmp_path):
    code, out, _ = predict(f"input={write_csv(tmp_path / 'new.csv')}", "threshold=0.5")
    assert code == 0
    check(read_csv(out), threshold=0.5)


def test_more_classes_take_the_most_probable(tmp_path, capsys):
    run = make_run(tmp_path / "three", ["a", "b", "c"], None)
    assert main([f"run={run}", "text=good good good", "device=cpu"]) == 0
    (row,) = read_csv(capsys.readouterr().out)
    assert row["predicted"] == "b" and set(row) == {"text", "predicted", "prob_a", "prob_b", "prob_c"}
    assert main([f"run={run}", "text=good", "threshold=0.5"]) == 2
    assert "threshold" in capsys.readouterr().err


def test_many_rows_come_in_order(predict, tmp_path):
    counts = np.random.default_rng(0).integers(0, 4, 5000)
    rows = [{"id": str(number), "words": "good " * count + "x"} for number, count in enumerate(counts)]
    code, out, _ = predict(f"input={write_csv(tmp_path / 'new.csv', rows)}")
    scored = read_csv(out)
    assert code == 0 and [row["id"] for row in scored] == [row["id"] for row in rows]
    np.testing.assert_allclose([float(row["prob_yes"]) for row in scored], probability(counts), atol=1e-6)


BAD_CSV = b"id,words\n1,good good\n2,\n3,x,y\n4\n5,gr\xfc\xdf\n\n6,bad\n"
BAD_JSON = b'{"words": "good good"}\n{"words": 3}\n[1]\n{"wor\n{"id": 5}\n{"words": "bad", "x": "\\ud800"}\n'


@pytest.mark.parametrize(
    ("name", "content", "bad"),
    [("new.csv", BAD_CSV, [2, 3, 4, 5]), ("new.jsonl", BAD_JSON, [2, 3, 4, 5])],
)
def test_bad_rows(predict, tmp_path, name, content, bad):
    (tmp_path / name).write_bytes(content)
    output = tmp_path / f"scored-{name}"
    code, _, err = predict(f"input={tmp_path / name}", f"output={output}")
    assert code == 0
    assert [f"Row {row} " in err for row in range(1, 8)] == [row in bad for row in range(1, 8)]
    assert "2 rows in" in err and f"{len(bad)} bad rows skipped" in err
    lines = output.read_text(encoding="utf-8").splitlines()
    assert ["yes" in line.replace("prob_yes", "") for line in lines[-2:]] == [True, False]

    output.write_text("as it was")
    code, _, err = predict(f"input={tmp_path / name}", f"output={output}", "bad_rows=error")
    assert code == 2 and "Row 2 " in err and err.count("\n") == 1
    assert output.read_text() == "as it was"
    assert not list(tmp_path.glob(".scored*"))


def test_bad_rows_of_parquet(predict, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ["good good", None, " ", "bad"]
    pq.write_table(pa.table({"words": pa.array(texts).dictionary_encode()}), tmp_path / "new.parquet")
    code, _, err = predict(f"input={tmp_path / 'new.parquet'}", f"output={tmp_path / 'scored.parquet'}")
    assert code == 0 and "Row 2 " in err and "Row 3 " in err
    assert pq.read_table(tmp_path / "scored.parquet")["predicted"].to_pylist() == ["yes", "no"]


def test_a_quote_that_is_never_closed_ends_it(predict, tmp_path):
    (tmp_path / "new.csv").write_text('words\ngood\n"good\nbad\n')
    code, _, err = predict(f"input={tmp_path / 'new.csv'}", f"output={tmp_path / 'scored.csv'}")
    assert code == 2 and "Row 2 " in err and "never closed" in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_kaggle(predict, tmp_path):
    new = write_csv(tmp_path / "new.csv")
    code, out, _ = predict(f"input={new}", "format=kaggle")
    assert code == 0
    assert read_csv(out) == [
        {"id": f"r{number}", "target": "yes" if count == 2 else "no"} for number, count in enumerate(GOOD)
    ]
    code, _, err = predict(f"input={write_csv(tmp_path / 'new.csv', [{'no': 1, 'words': 'good'}])}", "format=kaggle")
    assert code == 2 and "'id'" in err


def test_the_model_that_was_trained_on_test_too(run, predict, tmp_path):
    code, _, err = predict("model=all", "text=good")
    assert code == 2 and "final_refit=true" in err
    both = make_run(tmp_path / "run", ["no", "yes"], threshold=0.6)
    (both / "model").rename(both / "model_all")
    (both / "model_all" / "labels.json").write_text(json.dumps({"labels": ["no", "yes"], "threshold": 0.9}))
    shutil.copytree(run / "model", both / "model")
    predicted = [predict(f"run={both}", f"model={name}", "text=good good")[1] for name in ("best", "all")]
    assert [read_csv(out)[0]["predicted"] for out in predicted] == ["yes", "no"]


@pytest.mark.parametrize(
    ("labels", "threshold"),
    [
        (["a", "b"], None),
        (["a", "b", "c"], 0.5),
        (["a", "b", "b"], None),
        (["a", "b", "c"], "0.5"),
        ("abc", None),
        (["abc"], None),
        (None, None),
    ],
)
def test_labels_that_do_not_fit_the_model_are_one_line_and_code_2(tmp_path, capsys, labels, threshold):
    run = make_run(tmp_path / "three", ["a", "b", "c"], None)
    (run / "model" / "labels.json").write_text(json.dumps({"labels": labels, "threshold": threshold}))
    for command in (
        lambda: main([f"run={run}", "text=good", "device=cpu", f"output={tmp_path / 'scored.csv'}"]),
        lambda: export.main([f"run={run}", "format=tflite", f"output={tmp_path / 'model.tflite'}"]),
    ):
        assert command() == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert "labels.json" in err
    assert [path.name for path in tmp_path.iterdir()] == ["three"]


@pytest.mark.parametrize("name", ["labels.json", "saved_model.pb", "assets/words.txt"])
def test_a_model_whose_files_changed_is_one_line_and_code_2(run, predict, tmp_path, name):
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "model" / "assets" / "words.txt").write_text("good\nbad\n")
    seal_module(copy / "model")
    assert predict(f"run={copy}", "text=good")[0] == 0
    path = copy / "model" / name
    path.write_bytes(path.read_bytes()[:-1])
    code, out, err = predict(f"run={copy}", "text=good")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert name in err and "resume=" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["input={new}", "text_column=wrods"], "words"),
        (["input={new}", "threshold=2"], "threshold=2"),
        (["input={new}", "bad_rows=ignore"], "skip"),
        (["input={new}", "ouput=x"], "output"),
        (["input={new}", "model=al"], "all"),
        (["input={new}", "text=x"], "text="),
        (["input=/nowhere.csv"], "no such file"),
        (["input={new}", "output={new}"], "another file"),
        (["input={new}", "output={folder}"], "folder"),
        (["input={new}", "output=scored.parquet"], ".csv"),
        (["input={new}", "dataset.encoding=utf-88"], "utf-8"),
        (["input={new}", "dataset.header=nein"], "true or false"),
        (["input={new}", "dataset.max_row_mib=null"], "number"),
        (["input={new}", "dataset.max_unpacked_gib=nan"], "finite"),
        (["input={scored}"], "'predicted'"),
        (["run=/nowhere", "text=x"], "/nowhere"),
        (["text"], "key=value"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(predict, tmp_path, arguments, told):
    new = write_csv(tmp_path / "new.csv")
    scored = write_csv(tmp_path / "scored.csv", [{**row, "predicted": "no"} for row in ROWS])
    code, out, err = predict(*(one.format(new=new, scored=scored, folder=tmp_path) for one in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "run=" in capsys.readouterr().out


@pytest.mark.slow
def test_a_real_run_predicts_its_own_test_split_again(search_command, word_module, tmp_path, capfd):
    write_reviews(tmp_path / "reviews.csv", rows=200)
    assert (
        search_command(
            "dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars",
            f"space.modules=[{word_module}]", "tuner.max_epochs=1", "hydra.run.dir=run", "device=cpu",
        ).code
        == 0
    )  # fmt: skip
    expected = read_csv((tmp_path / "run" / "predictions.csv").read_text())
    write_csv(tmp_path / "new.csv", [{"row": row["row"], "review": row["text"]} for row in expected])
    assert main(["run=run", "input=new.csv", "output=scored.csv", "device=cpu"]) == 0
    scored = read_csv((tmp_path / "scored.csv").read_text())
    assert [row["predicted"] for row in scored] == [row["predicted"] for row in expected]
    np.testing.assert_allclose(*([float(row["prob_good"]) for row in rows] for rows in (scored, expected)), atol=1e-5)


def test_quotes_are_read_as_the_search_reads_them(predict, tmp_path):
    new = tmp_path / "new.tsv"
    new.write_text('words\tn\n"good good\t0\nb\t1\n"C\t1\nd\t0\n')
    code, _, err = predict(f"input={new}", f"output={tmp_path / 'scored.tsv'}")
    assert code == 2 and "Row 1 " in err and "dataset.quoting=none" in err and err.count("\n") == 1
    code, out, _ = predict(f"input={new}", "dataset.quoting=none")
    assert code == 0 and [row["words"] for row in read_csv(out, "\t")] == ['"good good', "b", '"C', "d"]

    new.write_text('words\tn\n"A\t0\nb\t1\nC"\t1\nd\t0\n')
    code, _, err = predict(f"input={new}", f"output={tmp_path / 'scored.tsv'}")
    assert code == 2 and "dataset.quoting=double" in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.tsv"]
    assert len(read_csv(predict(f"input={new}", "dataset.quoting=double")[1], "\t")) == 2


def test_a_quote_out_of_place_within_a_line_is_a_bad_row(predict, tmp_path):
    (tmp_path / "new.csv").write_text('words,n\ngood,0\n"good" good,1\nbad,2\n"good good",3\n')
    code, out, err = predict(f"input={tmp_path / 'new.csv'}")
    assert code == 0 and [row["n"] for row in read_csv(out)] == ["0", "2", "3"]
    assert "Row 2 " in err and "1 bad row skipped" in err
    assert predict(f"input={tmp_path / 'new.csv'}", "bad_rows=error")[0] == 2


def test_a_first_line_that_names_the_separator_and_a_table_without_a_header(predict, tmp_path):
    (tmp_path / "new.csv").write_text("sep=;\nwords;n\ngood good;0\n")
    code, out, _ = predict(f"input={tmp_path / 'new.csv'}")
    assert (code, [row["n"] for row in read_csv(out, ";")]) == (0, ["0"])
    (tmp_path / "new.csv").write_text("0,good good\n1,bad\n")
    code, out, _ = predict(f"input={tmp_path / 'new.csv'}", "dataset.header=false", "text_column=2")
    assert code == 0 and [(row["1"], row["predicted"]) for row in read_csv(out)] == [("0", "yes"), ("1", "no")]
    code, _, err = predict(f"input={tmp_path / 'new.csv'}", "text_column=2")
    assert code == 2 and "dataset.header=false" in err


def test_numbers_of_any_length_in_json_are_bad_rows(predict, tmp_path):
    lines = ['{"words": "good good"}', '{"words": "x", "n": ' + "7" * 5000 + "}", '{"words": "bad"}']
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    code, out, err = predict(f"input={tmp_path / 'new.jsonl'}")
    assert code == 0 and len(out.splitlines()) == 2 and "Row 2 " in err and "1 bad row skipped" in err


@pytest.mark.parametrize("name", ["new.csv", "new.jsonl", None])
def test_a_line_without_end_is_refused_in_little_memory(predict, tmp_path, monkeypatch, name):
    spaces = b" " * (64 * MIB)
    if name is None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(spaces)))
    else:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(spaces))
    with at_most(24):
        code, _, err = predict(*([f"input={tmp_path / name}.gz"] if name else []), "dataset.max_row_mib=2")
    assert code == 2 and "dataset.max_row_mib" in err and err.count("\n") == 1


def test_an_archive_is_no_larger_than_the_limit(predict, tmp_path):
    (tmp_path / "new.csv.gz").write_bytes(gzip.compress(b"words\n" + b"good\n" * MIB))
    code, _, err = predict(f"input={tmp_path / 'new.csv.gz'}", "dataset.max_unpacked_gib=0.001")
    assert code == 2 and "dataset.max_unpacked_gib" in err and err.count("\n") == 1


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_output_goes_into_a_pipe_and_through_a_link(predict, tmp_path, ending):
    import pyarrow as pa
    import pyarrow.parquet as pq

    new = write_csv(tmp_path / "new.csv")
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), new := tmp_path / "new.parquet")
    pipe, link = tmp_path / "pipe", tmp_path / f"link.{ending}"
    os.mkfifo(pipe)
    link.symlink_to(f"real.{ending}")
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert predict(f"input={new}", f"output={pipe}")[0] == 0
    reader.join(60)
    assert predict(f"input={new}", f"output={link}")[0] == 0
    assert pipe.is_fifo() and link.is_symlink()
    assert (tmp_path / f"real.{ending}").read_bytes() == read[0]


def test_a_full_device_is_one_line_and_stays_a_device(predict, tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    code, _, err = predict(f"input={write_csv(tmp_path / 'new.csv')}", f"output={tmp_path / 'full'}")
    assert code == 2 and "No space left" in err and (tmp_path / "full").is_char_device()


@pytest.mark.parametrize("path", ["/dev/zero", "{pipe}"])
def test_no_device_or_pipe_is_read_as_a_file(predict, tmp_path, path):
    os.mkfifo(tmp_path / "pipe.csv")
    code, _, err = predict(f"input={path.format(pipe=tmp_path / 'pipe.csv')}")
    assert code == 2 and "expected a file" in err and err.count("\n") == 1
