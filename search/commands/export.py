"""Converts a finished run for other tools: `python -m search.export run=outputs/… format=onnx output=model.onnx`."""

from __future__ import annotations

from collections.abc import Sequence

from search.commands.cli import command, key_values
from search.errors import InputError, nearest
from search.inference import FORMATS
from search.utils.paths import read_path

_KEYS = ("run", "format", "output")
_USAGE = "python -m search.export run=outputs/… format=onnx output=model.onnx"
_HELP = f"""Converts the whole model of a finished run, from texts or decoded images to probabilities, or its trials.

  {_USAGE}

  run=FOLDER          a finished run
  format=onnx         for ONNX Runtime, of texts with onnxruntime-extensions; needs pip install 'search[onnx]'
  format=tflite       for LiteRT, if the module has no operations but LiteRT's own
  format=optuna       the trials as a study of Optuna, an SQLite file: optuna-dashboard sqlite:///FILE;
                      needs pip install 'search[optuna]'
  output=FILE         what to write

Ends with code 2, and says which operations stand in the way, where a model cannot be converted."""


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, or 2 for bad input.
    """
    return command(arguments, _HELP, lambda: _export(_values(arguments)))


def _values(arguments: Sequence[str]) -> dict[str, str]:
    """Reads the arguments and checks what needs no file."""
    values = key_values(arguments, _KEYS, _USAGE)
    if missing := [key for key in _KEYS if not values.get(key)]:
        raise InputError(f"{missing[0]}= must be given: {_USAGE}")
    if values["format"] not in FORMATS:
        raise InputError(f"format={values['format']} is unknown. {nearest(values['format'], FORMATS)}")
    return values


def _export(values: dict[str, str]) -> None:
    run, output = read_path(values["run"], "run"), read_path(values["output"], "output")
    if output.is_dir():
        raise InputError(f"output={output} is a folder: expected a file.")
    # Imported only now: --help and mistakes are answered at once.
    from search.inference.exporting import export
    from search.inference.labels import Labels

    if values["format"] != "optuna":
        Labels.of(run)
        from search.utils.device import configure

        # The conversion itself needs no GPU.
        configure("cpu", mixed_precision=False)
    print(f"Written: {output}, {export(run, values['format'], output)}")
