"""A finished run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path

from search.inference.labels import Labels
from search.inference.predictor import load_model
from search.reporting.report.run_files import read_run
from search.utils.files import whole_file


def export(run: Path, file_format: str, output: Path) -> str:
    """Converts the model of a run, or writes its trials as a study of Optuna.

    Args:
        run: Its folder.
        file_format: One of `search.inference.FORMATS`; all but optuna need TensorFlow, which the caller sets up.
        output: The file to write.

    Returns:
        The size of what was written, in words.

    Raises:
        InputError: There is no such run, a package is missing, or operations of the model stand in the way.
    """
    if file_format == "optuna":
        from search.reporting.optuna_study import write_study

        return f"{write_study(read_run(run), output):,} trials"
    labels = Labels.of(run)
    from search.inference.conversion import to_onnx, to_tflite

    # It brings the operations of tensorflow-text, and says in a line what is wrong with the model.
    load_model(run, labels)
    content = to_onnx(run / "model", labels) if file_format == "onnx" else to_tflite(run / "model", labels)
    with whole_file(output) as path:
        path.write_bytes(content)
    return f"{len(content) / 1e6:,.1f} MB"
