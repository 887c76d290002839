"""A wrapper around TensorBoard's web pages, for what TensorBoard itself has no setting for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.test import Client
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCRIPTS = Path(__file__).with_name("scripts")
# TensorBoard's rules for its page allow scripts from files alone.
_OURS = "/search-board.js"
_PLUGINS = "/data/plugins_listing"


class Page:
    """TensorBoard as a WSGI application that lists certain runs, all lines in HParams, and colours the projector.

    Args:
        board: TensorBoard.
        drawn: Chooses from the names of all runs. HParams shows a configuration whose run is not listed too.
    """

    def __init__(self, board: WSGIApplication, drawn: Callable[[list[str]], list[str]]) -> None:
        self._board = board
        tag = f'<script src=".{_OURS}"></script></body>'
        # Ending of a path to what is made of the answer.
        self._changes: dict[str, Callable[[str], str]] = {
            "/data/runs": lambda listed: json.dumps(drawn(json.loads(listed))),
            "/projector_binary.js": lambda script: f"{script}\n{_script('projector')}",
            "/": lambda page: page.replace("</body>", tag),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request."""
        path = str(environ.get("PATH_INFO", ""))
        if path == _OURS:
            return Response(_script("hparams"), mimetype="text/javascript")(environ, start_response)
        change = next((change for ending, change in self._changes.items() if path.endswith(ending)), None)
        if change is None:
            return self._board(environ, start_response)
        plain = {name: value for name, value in environ.items() if name != "HTTP_ACCEPT_ENCODING"}
        response = Response.from_app(self._board, plain)
        if response.status_code == 200:
            response.set_data(change(response.get_data(as_text=True)))
        return response(environ, start_response)

    def wait_for(self, plugin: str, seconds: float) -> None:
        """Waits until TensorBoard has found that it has something for a page; before that, the page is not offered.

        Args:
            plugin: The page's name.
            seconds: How long to wait at most.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if ((Client(self).get(_PLUGINS).json or {}).get(plugin) or {}).get("enabled"):
                return
            time.sleep(0.1)


def _script(name: str) -> str:
    return "".join((_SCRIPTS / f"{one}.js").read_text(encoding="utf-8") for one in ("found", name))
