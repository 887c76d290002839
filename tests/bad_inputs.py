"""Inputs that cannot be used, for every command; `python tests/bad_inputs.py` prints what each is answered.

Each is answered in one line that begins with `search: `, with exit code 2, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import sys
import tarfile
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path

import yaml

LONG = "n" * 300
CSV = "dataset=csv dataset.path=reviews.csv dataset.text=review dataset.label=stars"
RUN = "run=run"


def _search(words: str, told: str) -> tuple[str, list[str], str]:
    """A row for `python -m search`; words with spaces are given as a list."""
    return ("search", words.split(), told)


def _data(words: str, told: str) -> tuple[str, list[str], str]:
    return ("search", [*CSV.split(), *words.split()], told)


# The command, its arguments, and what the answer must name.
SETTINGS = [
    _search("dataset=quorra", "'quora'"),
    _search("tuner=hyperbnd", "'hyperband'"),
    _search("tuner.name=hyperbnd", "'hyperband'"),
    _search("space=defualt", "'default'"),
    _search("tuner.max_epoch=3", "'tuner.max_epochs'"),
    _search("tunr.max_epochs=3", "'tuner'"),
    _search("dataset.pth=x.csv", "'dataset.path'"),
    _search("space.unit=[3]", "'space.units'"),
    _search("+tuner.max_trails=3", "'tuner.max_trials'"),
    _search("+dataset.pth=3", "'dataset.path'"),
    _search("++objective.nam=3", "'objective.name'"),
    _search("+paths.output=3", "'paths.outputs'"),
    _search("+foo=1", "foo"),
    _search("~tuner.max_epoch", "'tuner.max_epochs'"),
    _search("nonsense", "key=value"),
    ("search", [" =3"], "key=value"),
    ("search", ["search =3"], "key=value"),
    ("search", [""], "key=value"),
    ("search", ["=3"], "key=value"),
    ("search", ["dataset=a b"], "a b"),
    _search("dataset=3", "settings"),
    _search("dataset=null", "settings"),
    _search("experiment=3", "settings"),
    _search("dataset={a:1}", "dataset.a"),
    _search("module=glove-50", "space.modules"),
    _search("paths=here", "paths"),
    _search("objective=val_mcc", "objective.name=val_mcc"),
    _search("space.units=[1", "[a,b]"),
    _search("dataset.path=${nope}", "nope"),
    _search("seed=${oc.env:NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE"),
    _search("tuner.max_epochs=many", "tuner.max_epochs"),
    _search("tuner.max_epochs=0", "at least 1"),
    _search("tuner.max_epochs=1.5", "tuner.max_epochs"),
    _search("tuner.factor=1", "at least 2"),
    _search("tuner=random tuner.sampler=tpe", "tuner=hyperband"),
    _search("tuner.sampler=tep", "'tpe'"),
    _search("tuner.min_epochs=99", "tuner.min_epochs"),
    _search("tuner.patience=0", "tuner.patience=0"),
    _search("tuner.max_seconds=nan", "finite"),
    _search("tuner.max_seconds=inf", "finite"),
    _search("features.max_gib=nan", "finite"),
    _search("features.max_gib=-inf", "finite"),
    _search("features.max_gib=1e300", "features.max_gib"),
    _search("threshold=nan", "finite"),
    _search("threshold=1.5", "threshold"),
    _search("objective.max_ms_per_text=inf", "finite"),
    _search("objective.max_ms_per_text=0", "above 0"),
    _search("space.learning_rate.max=inf", "finite"),
    _search("space.dropout=[nan]", "finite"),
    _search("dataset.train_fraction=nan", "finite"),
    _search("tuner=bayesian tuner.max_trials=null", "tuner.max_trials"),
    _search("module.vocabulary=0", "module.vocabulary=0"),
    _search("seed=-1", "seed=-1"),
    _search("seed=abc", "seed"),
    _search("seed=99999999999", "seed"),
    _search("device=tpu", "gpu"),
    _search("features.dtype=float8", "float16"),
    _search("objective.name=val_f2", "'val_f1'"),
    _search("objective.name=f1", "'val_f1'"),
    _search("objective.direction=up", "max"),
    _search("objective.name=val_loss objective.direction=max", "contradicts"),
    _search("space.modules=[glove50]", "'glove-50'"),
    _search("space.modules=[/no/such/folder]", "/no/such/folder"),
    _search("space.modules=[~nobody-called-so/module]", "home"),
    _search("space.modules=[file:///etc]", "saved_model.pb"),
    _search("space.modules=[ftp://host/module]", "https://"),
    _search("space.modules=[reviews.csv]", "neither"),
    _search(f"space.modules=[{LONG}]", "too long"),
    _search("space.modules=[loop]", "links"),
    _search("space.modules=[]", "space.modules"),
    _search("space.modules=[lstm] space.embedding=[glove50]", "'glove-50'"),
    _search("module.preprocessor=nowhere", "module.preprocessor"),
    _search("space.units=[]", "empty"),
    _search("space.units=[0]", "space.units"),
    _search("space.dropout=1.0", "space.dropout"),
    _search("space.dropout.min=0.9", "space.dropout"),
    _search("space.optimizer=[adam,adm]", "adm"),
    _search("space.trainable=[maybe]", "maybe"),
    _search("+space._target_=no.such.Space", "no.such"),
]
FLAGS = [
    _search("--foo", "--foo"),
    _search("-x", "-x"),
    _search("--cfg", "--cfg"),
    _search("--cfg everything", "everything"),
    _search("--info everything", "everything"),
    _search("--config-dir nowhere", "nowhere"),
    _search("--config-name nothing", "nothing"),
    _search("--multirun --run", "--multirun"),
    _search("--resolve", "--cfg"),
]
PLACES = [
    _search("dataset.name=../evil", "dataset.name"),
    _search(f"dataset.name={LONG}", "up to 100"),
    _search(f"paths.outputs={LONG}", "too long"),
    _search("paths.outputs=reviews.csv/below", "Not a directory"),
    _search("paths.outputs=reviews.csv", "reviews.csv"),
    _search("paths.outputs=loop", "links"),
    _search(f"paths.outputs=new/{LONG}", "too long"),
    _search("paths.outputs=~nobody-called-so/runs", "home"),
    _search("paths.features=/dev/null", "/dev/null"),
    _search(f"paths.features={LONG}", "too long"),
    _search(f"paths.modules={LONG}", "too long"),
    _search("paths.modules=loop", "links"),
    _search(f"paths.data={LONG}", "too long"),
    _search("hydra.run.dir=reviews.csv", "reviews.csv"),
    _search(f"hydra.run.dir={LONG}", "too long"),
    _search("hydra.run.dir=loop/run", "links"),
    _search("-m hydra.sweep.dir=reviews.csv seed=1,2", "reviews.csv"),
    _search(f"-m hydra.sweep.dir={LONG} seed=1,2", "too long"),
    _search("resume=nowhere", "resume=nowhere"),
    _search(f"resume={LONG}", "too long"),
    _search("resume=loop", "links"),
    _search("resume=reviews.csv", "resume=reviews.csv"),
    _search("resume=reviews.csv/below", "Not a directory"),
    _search("resume=damaged", "damaged"),
]
DATA = [
    _search("dataset=csv", "dataset.path"),
    _search("dataset=csv dataset.path=", "dataset.path"),
    _search("dataset=csv dataset.path=review.csv", "'reviews.csv'"),
    _search("dataset=csv dataset.path=nowhere/reviews.csv", "nowhere"),
    _search(f"dataset=csv dataset.path={LONG}", "too long"),
    _search("dataset=csv dataset.path=loop", "links"),
    _search("dataset=csv dataset.path=reviews.csv/below", "Not a directory"),
    _search("dataset=csv dataset.path=~nobody-called-so/x.csv", "home"),
    _search("dataset=csv dataset.path=/dev/null", "/dev/null"),
    _search("dataset=csv dataset.path=pipe", "pipe"),
    _search("dataset=csv dataset.path=/dev/zero", "/dev/zero"),
    _search("dataset=csv dataset.path=zipped.csv", "zip"),
    _search("dataset=csv dataset.path=gzipped.csv", "gz"),
    _search("dataset=csv dataset.path=parquet.csv", "parquet"),
    _search("dataset=csv dataset.path=digits.jsonl dataset.label=stars", "Row 1"),
    _search("dataset=csv dataset.path=surrogate.jsonl dataset.label=stars", "Row 1"),
    _search("dataset=csv dataset.path=quotes.tsv dataset.text=review dataset.label=stars", "quoting"),
    _search("dataset=csv dataset.path=empty.zip", "empty"),
    _search("dataset=csv dataset.path=torn.zip", "torn.zip"),
    _search("dataset=csv dataset.path=empty.csv dataset.text=a dataset.label=b", "empty"),
    _search("dataset=csv dataset.path=folder dataset.format=csv", "folder"),
    _search("dataset=csv dataset.path=run/.hydra/config.yaml", "config.yaml"),
    _search("dataset=csv dataset.path=reviews.csv dataset.text=reviw dataset.label=stars", "'review'"),
    _data("dataset.text=[review,reviw]", "'review'"),
    _data("dataset.text=[review,review]", "each once"),
    _data("dataset.text=null", "dataset.text"),
    _data("space.texts=[apart]", "one column of texts"),
    _data("dataset.columns=[starz]", "'stars'"),
    _data("dataset.columns=[review]", "dataset.text"),
    _data("dataset.columns={stars:numbr}", "'number'"),
    _data("dataset.separator=;;", "dataset.separator"),
    _data("dataset.encoding=utf-9", "utf-9"),
    _data("dataset.encoding=idna", "idna"),
    _data("dataset.format=xml", "xml"),
    _data("dataset.format=parquet", "reviews.csv"),
    _data("dataset.format=jsonl", "reviews.csv"),
    _data("dataset.test_size=1.5", "dataset.test_size"),
    _data("dataset.test_size=0", "dataset.test_size"),
    _data("dataset.valid_size=-1", "dataset.valid_size"),
    _data("dataset.folds=1", "dataset.folds"),
    _data("dataset.folds=five", "dataset.folds"),
    _data("dataset.limit=0", "dataset.limit"),
    _data("dataset.duplicates=last", "first"),
    _data("dataset.conflicts=first", "majority"),
    _data("dataset.missing=keep", "drop"),
    _data("dataset.rare=keep", "merge"),
    _data("dataset.format=xlsx", "Excel workbook"),
    _search("dataset=csv dataset.path=hf://datasets/me dataset.label=a", "hf://datasets/owner/name"),
    _data("dataset.classes=[good]", "dataset.classes"),
    _data("dataset.positive=nobody", "nobody"),
    _data("dataset.ordered=true", "dataset.ordered"),
    _data("objective.name=val_mae", "dataset.ordered=true"),
    _data("dataset.split_column=part", "part"),
    _data("dataset.test_path=nowhere.csv", "nowhere.csv"),
    _data(f"dataset.valid_path={LONG}", "too long"),
    _data("dataset.unlabelled_path=nowhere.csv", "final_refit"),
    _data("dataset.label_ranges={a:{min:3,max:1},b:{min:5}}", "label_ranges"),
]
PREDICT = [
    ("predict", words.split(), told)
    for words, told in [
        ("", "run= must be given"),
        ("run=", "run= must be given"),
        ("run=nowhere text=a", "run=nowhere"),
        (f"run={LONG} text=a", "too long"),
        ("run=loop text=a", "links"),
        ("run=reviews.csv text=a", "reviews.csv"),
        ("run=~nobody-called-so/x text=a", "home"),
        (f"{RUN} foo=1", "foo"),
        (f"{RUN} reviews.csv", "key=value"),
        (f"{RUN} text=a input=reviews.csv", "text="),
        (f"{RUN} input=nowhere.csv", "nowhere.csv"),
        (f"{RUN} input={LONG}", "too long"),
        (f"{RUN} input=folder", "folder"),
        (f"{RUN} input=loop", "links"),
        (f"{RUN} input=reviews.csv output=folder", "folder"),
        (f"{RUN} input=reviews.csv output=reviews.csv", "is the input"),
        (f"{RUN} input=reviews.csv output={LONG}", "too long"),
        (f"{RUN} input=reviews.csv output=loop", "links"),
        (f"{RUN} input=reviews.csv output=reviews.csv/below.csv", "Not a directory"),
        (f"{RUN} input=reviews.csv output=x.zip", "archive"),
        (f"{RUN} input=reviews.csv output=x.jsonl", "x.jsonl"),
        (f"{RUN} input=reviews.csv text_column=nothing", "nothing"),
        (f"{RUN} input=reviews.csv text_column=[review,reviw]", "'review'"),
        (f"{RUN} text=a threshold=nan", "threshold"),
        (f"{RUN} text=a threshold=2", "threshold"),
        (f"{RUN} text=a device=tpu", "device"),
        (f"{RUN} text=a model=worst", "worst"),
        (f"{RUN} text=a model=ensemble", "ensemble"),
        (f"{RUN} text=a bad_rows=keep", "bad_rows"),
        (f"{RUN} text=a format=xml", "xml"),
        (f"{RUN} input=reviews.csv format=kaggle", "dataset.submission"),
        (f"{RUN} text=a dataset.encoding=utf-9", "utf-9"),
        ("run=damaged text=a", "damaged"),
        ("run=unfinished text=a", "unfinished"),
    ]
]
EVALUATE = [
    ("evaluate", words.split(), told)
    for words, told in [
        ("", "run= must be given"),
        ("run=nowhere", "run=nowhere"),
        (f"run={LONG}", "too long"),
        (f"{RUN} foo=1", "foo"),
        (f"{RUN} word", "key=value"),
        (f"{RUN} dataset=quorra", "'quora'"),
        (f"{RUN} dataset.pth=1", "'dataset.path'"),
        (f"{RUN} dataset.folds=3", "splits"),
        (f"{RUN} dataset.path=nowhere.csv", "nowhere.csv"),
        (f"{RUN} dataset.path={LONG}", "too long"),
        (f"{RUN} dataset.limit=nan", "dataset.limit"),
        (f"{RUN} output=reviews.csv", "reviews.csv"),
        (f"{RUN} output=folder", "folder"),
        (f"{RUN} output={LONG}", "too long"),
        (f"{RUN} output=loop", "links"),
        (f"{RUN} device=tpu", "device"),
        (f"{RUN} threshold=inf", "threshold"),
        ("run=damaged", "damaged"),
    ]
]
OTHERS = [
    (command, words.split(), told)
    for command, words, told in [
        ("serve", "", "run= must be given"),
        ("serve", "run=nowhere", "run=nowhere"),
        ("serve", f"{RUN} port=99999", "65535"),
        ("serve", f"{RUN} host=no.such.host", "no.such.host"),
        ("serve", f"{RUN} name=a/b", "name=a/b"),
        ("serve", f"{RUN} max_mib=0", "max_mib"),
        ("serve", f"{RUN} timeout=nan", "timeout"),
        ("serve", f"{RUN} model=worst", "ensemble"),
        ("serve", f"{RUN} prot=1", "'port'"),
        ("explain", "", "run= must be given"),
        ("explain", f"{RUN}", "text= or input="),
        ("explain", f"{RUN} text=hello input=reviews.csv", "one of them"),
        ("explain", f"{RUN} text=hello class=none", "class=none"),
        ("explain", f"{RUN} text=hello top=0", "whole number"),
        ("explain", f"{RUN} input=nowhere.csv", "no such file"),
        ("explain", "run=nowhere text=hello", "run=nowhere"),
        ("explain", "run=latest text=hello", "no run below outputs"),
        ("export", "", "run= must be given"),
        ("export", f"{RUN} format=onnx", "output="),
        ("export", f"{RUN} format=pdf output=x", "onnx"),
        ("export", f"{RUN} format=onnx output=folder", "folder"),
        ("export", f"{RUN} format=onnx output={LONG}", "too long"),
        ("export", f"{RUN} format=onnx output=loop", "links"),
        ("export", f"{RUN} format=onnx output=reviews.csv/x", "Not a directory"),
        ("export", "run=nowhere format=onnx output=x", "run=nowhere"),
        ("export", f"run={LONG} format=onnx output=x", "too long"),
        ("report", "", "run= must be given"),
        ("report", "run=", "run=FOLDER"),
        ("report", "nowhere", "run=FOLDER"),
        ("report", "run=nowhere", "run=nowhere"),
        ("report", f"run={LONG}", "too long"),
        ("report", "run=loop", "links"),
        ("report", "run=unfinished", "resume=unfinished"),
        ("report", "run=damaged", "damaged"),
        ("board", "", "run= must be given"),
        ("board", "run=nowhere", "run=nowhere"),
        ("board", f"run={LONG}", "too long"),
        ("board", "run=loop", "links"),
        ("board", "run=folder", "tensorboard"),
        ("board", f"{RUN} foo=1", "foo"),
        ("board", f"{RUN} port=70000", "port"),
        ("board", f"{RUN} port=-1", "port"),
        ("board", f"{RUN} port={'9' * 5000}", "port"),
        ("board", f"{RUN} open=maybe", "open"),
        ("board", f"{RUN} host=999.1.1.1", "host=999.1.1.1"),
        ("board", f"{RUN} host=192.0.2.1", "host=192.0.2.1"),
        ("board", f"{RUN} host={LONG}", "host="),
        ("leaderboard", "", "runs= must be given"),
        ("leaderboard", "runs=nowhere", "nowhere"),
        ("leaderboard", f"runs={LONG}", "too long"),
        ("leaderboard", "runs=loop", "links"),
        ("leaderboard", "runs=reviews.csv", "it is a file"),
        ("leaderboard", "runs=folder", "config.yaml"),
        ("leaderboard", "runs=no*", "no*"),
        ("leaderboard", f"runs=run output={LONG}", "too long"),
        ("leaderboard", "runs=run output=x.exe", ".csv"),
        ("leaderboard", "runs=run output=x", ".csv"),
        ("leaderboard", "runs=run format=xml", "xml"),
        ("leaderboard", "runs=run trials=0", "trials"),
        ("leaderboard", f"runs=run trials={'9' * 5000}", "trials"),
        ("leaderboard", "runs=run foo=1", "foo"),
        ("leaderboard", "runs=damaged", "damaged"),
        ("cache", "clean", "clean"),
        ("cache", "--folder nowhere", "nowhere"),
        ("cache", f"--folder {LONG}", "too long"),
        ("cache", "--folder loop", "links"),
        ("cache", "--folder reviews.csv", "reviews.csv"),
        ("cache", "clear --older-than nan", "nan"),
        ("cache", "clear --older-than inf", "inf"),
        ("cache", "clear abc --folder folder", "abc"),
        ("cache", "--foo", "--foo"),
        ("modules", "", "list"),
        ("modules", "lst", "lst"),
        ("modules", "list foo=1", "foo"),
        ("modules", "list word", "key=value"),
        ("modules", "list format=xml", "xml"),
        ("modules", f"list paths.modules={LONG}", "too long"),
        ("modules", "list paths.modules=loop", "links"),
        ("modules", "check", "HANDLE"),
        ("modules", "check glove50", "'glove-50'"),
        ("modules", "check /no/such", "/no/such"),
        ("modules", f"check {LONG}", "too long"),
        ("modules", "check file:///etc", "saved_model.pb"),
        ("modules", "check lstm", "lstm"),
        ("modules", "check folder", "saved_model.pb"),
        ("modules", "check torn.tar.gz", "torn.tar.gz"),
        ("modules", "check outside.tar.gz", "outside.tar.gz"),
        ("modules", "check long.tar.gz", "too long"),
        ("modules", "check twice.tar.gz", "exists"),
        ("modules", "export", "format"),
        ("modules", "export format=glove path=nowhere name=a", "nowhere"),
        ("modules", f"export format=glove path={LONG} name=a", "too long"),
        ("modules", "export format=xml path=reviews.csv name=a", "xml"),
        ("modules", "export format=glove path=reviews.csv name=1", "name=1"),
        ("modules", f"export format=glove path=reviews.csv name={LONG}", "name"),
        ("modules", "export format=glove path=reviews.csv name=glove-50", "taken"),
        ("modules", "export format=glove path=reviews.csv name=a vocabulary=0", "vocabulary"),
        ("modules", "export format=glove path=reviews.csv name=a overwrite=maybe", "overwrite"),
    ]
]
BAD_INPUTS = [*SETTINGS, *FLAGS, *PLACES, *DATA, *PREDICT, *EVALUATE, *OTHERS]


def make_folder(folder: Path) -> None:
    """Makes what the inputs speak of: data, modules, and folders of runs that are finished, unfinished and damaged."""
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    (folder / "folder" / "note").write_text("")
    _make_data(folder)
    _make_modules(folder)
    _make_runs(folder)


def _make_data(folder: Path) -> None:
    rows = "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(40))
    (folder / "reviews.csv").write_text(f"review,stars\n{rows}")
    (folder / "empty.csv").write_text("")
    (folder / "quotes.tsv").write_text('review\tstars\n"A\t0\nb\t1\n"C\t1\nd\t0\n')
    (folder / "digits.jsonl").write_text(f'{{"text": "a", "stars": {"9" * 5000}}}\n')
    (folder / "surrogate.jsonl").write_text('{"text": "a", "stars": "\\ud800"}\n')
    with zipfile.ZipFile(folder / "zipped.csv", "w") as archive:
        archive.writestr("reviews.csv", rows)
    zipfile.ZipFile(folder / "empty.zip", "w").close()
    (folder / "torn.zip").write_bytes((folder / "zipped.csv").read_bytes()[:40])
    (folder / "gzipped.csv").write_bytes(gzip.compress(rows.encode()))
    (folder / "parquet.csv").write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    os.mkfifo(folder / "pipe")


def _make_modules(folder: Path) -> None:
    for name, members in (("outside", ["../evil"]), ("long", [LONG]), ("twice", ["model", "model/saved_model.pb"])):
        with tarfile.open(folder / f"{name}.tar.gz", "w:gz") as archive:
            for member in members:
                archive.addfile(tarfile.TarInfo(member), io.BytesIO())
    (folder / "torn.tar.gz").write_bytes((folder / "outside.tar.gz").read_bytes()[:30])


def _make_runs(folder: Path) -> None:
    dataset = {"name": "csv", "path": "reviews.csv", "text": "review", "label": "stars"}
    for name in ("run", "unfinished", "damaged"):
        (folder / name / ".hydra").mkdir(parents=True)
        settings = {"dataset": dataset, "paths": {"data": "."}}
        (folder / name / ".hydra" / "config.yaml").write_text(yaml.safe_dump(settings))
    for name in ("run", "damaged"):
        (folder / name / "model").mkdir()
        (folder / name / "tensorboard").mkdir()
    run, damaged = folder / "run", folder / "damaged"
    for file in ("summary.json", "leaderboard.csv", "predictions.csv", "model/labels.json"):
        (damaged / file).write_text("{")
    (damaged / ".hydra" / "config.yaml").write_text("a: [")
    (run / "model" / "labels.json").write_text(json.dumps({"labels": ["bad", "good"], "threshold": 0.5}))
    summary = {"classes": ["bad", "good"], "dataset": "csv", "objective": "val_f1", "seed": 0, "threshold": 0.5}
    empty = {key: {} for key in ("sizes", "best", "test", "baselines")}
    (run / "summary.json").write_text(json.dumps({**summary, **empty, "best_trial": "0"}))
    (run / "leaderboard.csv").write_text("trial_id,status,score,rank,bracket,parent,error\n0,COMPLETED,1,1,0,,\n")
    (run / "predictions.csv").write_text("row,text,label,predicted,prob_bad,prob_good\n2,a,bad,bad,1,0\n")


def answer(command: str, arguments: list[str]) -> int:
    """Runs a command in this process; gives its exit code."""
    main = import_module(f"search.commands.{command}").main
    try:
        return int(main(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)


def _print_table() -> None:
    print("| input | answer | code |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_folder(Path(folder))
        for command, arguments, _ in BAD_INPUTS:
            with contextlib.redirect_stderr(io.StringIO()) as told, contextlib.redirect_stdout(io.StringIO()):
                code = answer(command, arguments)
            words = " ".join(arguments).replace(LONG, "nnn…").replace("9" * 5000, "999…")
            said = told.getvalue().strip().replace(LONG, "nnn…").replace(folder, "…").replace("\n", " / ")
            name = "search" if command == "search" else f"search.{command}"
            cells = [f"`{name} {words}`", said, str(code)]
            print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |", flush=True)
    print(f"\n{len(BAD_INPUTS)} inputs", file=sys.stderr)


if __name__ == "__main__":
    _print_table()
