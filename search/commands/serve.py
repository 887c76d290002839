"""Serves a finished run over HTTP: `python -m search.serve run=outputs/…`."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from contextlib import suppress

from search.commands.cli import command, key_values, whole_number
from search.commands.run_model import MODEL_CHOICES, check_choices, parsed_threshold
from search.errors import InputError
from search.utils.paths import read_path, shown

_OWN = (
    *("run", "model", "name", "host", "port", "threshold", "device"),
    *("max_mib", "max_instances", "timeout"),
)
_USAGE = "python -m search.serve run=outputs/…"
_HELP = f"""Serves the model of a finished run over HTTP, in the words of TensorFlow Serving's REST API.

  {_USAGE}
  curl -d '{{"instances": ["what a lovely day"]}}' localhost:8501/v1/models/NAME:predict

  run=FOLDER           a finished run
  model=best           the best trial, as tested; ensemble: the run's ensemble; all: the best configuration, trained
                       on the test split too and never tested
  name=NAME            the model's name in paths; by default that of the run's data set
  host=127.0.0.1       this machine alone; 0.0.0.0 serves other machines too
  port=8501            0 takes any free port
  threshold=NUMBER     predict the positive class from this probability on; by default the run's
  device=auto          auto, cpu or gpu
  max_mib=16           the largest body of a request, in MiB
  max_instances=10000  the most texts of a request
  timeout=30           seconds in which a request must have come, and in which it is answered

Where the model takes columns beside the text, an instance is {{"texts": "…", "price": 3.5}}: see NAME/metadata.
GET /v1/models/NAME, /v1/models/NAME/metadata and /health say how it is. Ctrl-C or SIGTERM ends it, when it has answered
what it was asked. There is no password and no encryption: let a proxy do both before it serves other machines.
Needs pip install 'search[serve]'."""
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, also after Ctrl-C or SIGTERM, which end it; 2 for bad input.
    """
    return command(arguments, _HELP, lambda: _serve(key_values(arguments, _OWN, _USAGE)))


def _serve(values: dict[str, str]) -> None:
    check_choices(values, MODEL_CHOICES, _USAGE)
    body = whole_number(values.get("max_mib", "16"), "max_mib", 1, 1024) << 20
    instances = whole_number(values.get("max_instances", "10000"), "max_instances", 1)
    seconds = whole_number(values.get("timeout", "30"), "timeout", 1, 3600)
    port = whole_number(values.get("port", "8501"), "port", 0, 65535)
    threshold = parsed_threshold(values.get("threshold"))
    run, model = read_path(values["run"], "run"), values["model"]

    # Imported only now: --help and mistakes are answered at once.
    from search.datasets.dataset_settings import run_settings
    from search.inference.labels import MODELS, Labels
    from search.inference.predictor import Predictor

    Labels.of(run, threshold, model)  # a run that is none is told before a port is taken
    settings = run_settings(run)
    name = values.get("name") or settings.name
    if not _NAME.fullmatch(name):
        raise InputError(f"name={shown(name)} is impossible: expected letters, digits, '_', '.' and '-'.")
    try:
        from search.inference.serving.app import Limits, Served, application
        from search.inference.serving.server import serve
    except ModuleNotFoundError as error:
        raise InputError(f"Serving needs the package {error.name}: pip install 'search[serve]'") from error
    # Before TensorFlow is imported: a port that is taken is told at once.
    with _bound(values.get("host") or "127.0.0.1", port) as listening:
        from search.utils.device import configure

        configure(values["device"], mixed_precision=False)
        from search.inference.serving.elements import reader
        from search.inference.serving.rest import read_signatures

        predictor = Predictor.load(run, threshold, model)
        served = Served(name, predictor.labels, read_signatures(run / MODELS[model]), predictor, reader(settings))
        print(f"Serving {_address(listening)}/v1/models/{name}:predict (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):  # which is how it ends
            serve(application(served, Limits(body, instances, float(seconds))), listening, seconds)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=kind)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise InputError(f"host={shown(host)} port={port} cannot be served on: {reason}.") from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
