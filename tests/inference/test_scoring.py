import pytest
from made_pictures import write_pictures

from search.config.dataset import DatasetConfig
from search.datasets.beside import Column
from search.errors import InputError
from search.inference.scoring import Job


@pytest.mark.parametrize("place", ["", "b/c.jpg"])
def test_files_have_no_columns_for_a_model_that_takes_some(tmp_path, place):
    write_pictures(tmp_path, ["a.png", "b/c.jpg"])
    columns = [Column("width", "number", "width")]
    settings = DatasetConfig(name="made", content="image")
    with pytest.raises(InputError, match="takes columns as well: give a table that has them"):
        Job(tmp_path / place, None, None, ["text"], None, settings, kaggle=False, columns=columns)
