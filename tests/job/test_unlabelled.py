"""Texts that are to be predicted after the search: what cannot be used is told before it."""

import zipfile

import pytest
from reviews import write_reviews

from search.config import Config
from search.config.dataset import DatasetConfig
from search.job.unlabelled import check_unlabelled, opened, unlabelled_job

GOOD = "id,review\n1,nice\n2,poor\n"


@pytest.fixture
def files(tmp_path):
    write_reviews(tmp_path / "reviews.csv", 100)
    for name, content in {
        "good.csv": GOOD,
        "no_id.csv": "row,review\n1,nice\n",
        "no_text.csv": "id,text\n1,nice\n",
        "empty_text.csv": "id,review\n1,nice\n2, \n",
        "broken.csv": "id,review\n1,nice,more\n",
        "open.csv": 'id,review\n1,nice\n2,"poor\n',
        "texts.jsonl": '{"id": 1, "review": "nice"}\n',
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "folder").mkdir()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["dataset.unlabelled_path=god.csv"], "good.csv"),
        (["dataset.unlabelled_path=folder"], "folder"),
        (["dataset.unlabelled_path=no_id.csv"], "'id'"),
        (["dataset.unlabelled_path=no_text.csv"], "'review'"),
        (["dataset.unlabelled_path=empty_text.csv"], "Row 2 "),
        (["dataset.unlabelled_path=broken.csv"], "Row 1 "),
        (["dataset.unlabelled_path=open.csv"], "never closed"),
        (["dataset.unlabelled_path=texts.jsonl"], "jsonl"),
        (["dataset.unlabelled_member=good.csv"], "dataset.unlabelled_path"),
        (["dataset.unlabelled_path=good.csv", "final_refit=false"], "final_refit=true"),
        (["dataset.unlabelled_path=good.csv", "dataset.submission=null"], "dataset.submission"),
        (["dataset.unlabelled_path=good.csv", "dataset.submission=[id]"], "dataset.submission"),
    ],
)
def test_what_cannot_be_predicted_is_one_line_before_anything_is_trained(search_command, files, tmp_path, given, told):
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *("final_refit=true", "dataset.submission=[id,stars]", *given),
    )
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert told in outcome.err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("given", ["a file", "a member of the data's archive", "a member of another"])
def test_where_they_are(files, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("both.zip", "w") as archive:
        archive.writestr("train.csv", "review,stars\nnice,1\n")
        archive.writestr("test.csv", GOOD)
    dataset = DatasetConfig(name="made", path="reviews.csv", text="review", submission=["id", "stars"])
    if given == "a file":
        dataset.unlabelled_path = "good.csv"
    else:
        dataset.unlabelled_member = "test.csv"
        if given == "a member of another":
            dataset.unlabelled_path = "both.zip"
        else:
            dataset.path, dataset.member = "both.zip", "train.csv"
    config = Config(dataset=dataset, final_refit=True)
    check_unlabelled(config)
    with opened(unlabelled_job(config, None)) as stream:
        assert [text for rows in stream.rows for text in rows.texts] == ["nice", "poor"]


def test_a_run_without_any_is_not_asked_for_them():
    check_unlabelled(Config(final_refit=True))
    check_unlabelled(Config())
