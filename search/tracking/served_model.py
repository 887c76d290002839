"""The model of a finished run as MLflow's pyfunc; MLflow keeps this file with the model, and runs it by itself."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel


class SavedClassifier(PythonModel):
    """Predicts the classes of the texts in the first column, beside which the model may take others by their names."""

    def load_context(self, context: Any) -> None:
        """Loads the SavedModel."""
        import tensorflow as tf

        with suppress(ImportError):  # operations that some models need
            import tensorflow_text  # noqa: F401
        folder = Path(context.artifacts["model"])
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        self._classes, self._threshold = np.array(labels["labels"], dtype=object), labels["threshold"]
        self._columns = labels.get("columns", [])
        self._model = tf.saved_model.load(str(folder))

    # MLflow would take a hint of a type for the schema of the texts.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Predicts.

        Args:
            context: MLflow's.
            model_input: Texts, or encoded files as bytes: a DataFrame whose first column they are, or a list where the
                model takes no others.
            params: None are known.

        Returns:
            A row per text: predicted (of several labels predicted_<label>, 0 or 1), prob_<class>.
        """
        import tensorflow as tf

        texts = model_input.iloc[:, 0] if isinstance(model_input, pd.DataFrame) else model_input
        beside = [tf.constant(_values(model_input[one["name"]], one)) for one in self._columns]
        rows = [text.strip() if isinstance(text, str) else text for text in texts]  # bytes are files, whole as they are
        found = self._model(tf.constant(rows), *beside).numpy().astype(np.float64)
        columns = {f"prob_{name}": found[:, place] for place, name in enumerate(self._classes)}
        if isinstance(self._threshold, list):
            reached = (found >= np.array(self._threshold)).astype(np.int32)
            return pd.DataFrame({f"predicted_{name}": reached[:, k] for k, name in enumerate(self._classes)} | columns)
        best = found.argmax(axis=1) if self._threshold is None else (found[:, 1] >= self._threshold).astype(int)
        return pd.DataFrame({"predicted": self._classes[best], **columns})


def _values(given: Any, column: dict[str, Any]) -> Any:
    """The values of a column as the model takes them: categories as strings, dates as seconds since 1970 (UTC)."""
    if column["kind"] == "category":
        return [_word(value) for value in given]
    if column["kind"] == "number":
        return pd.to_numeric(given).to_numpy(np.float64)
    moments = pd.to_datetime(given, format=column["format"], utc=True)
    # In whole seconds they reach years that nanoseconds do not.
    since = moments - pd.Timestamp(0, tz="UTC").as_unit("s")
    return (since / pd.Timedelta(seconds=1).as_unit("s")).to_numpy(np.float64)


def _word(value: Any) -> str:
    """A category as a table of strings writes it."""
    if pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


mlflow.models.set_model(SavedClassifier())
