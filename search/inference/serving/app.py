"""The web application: paths, limits on size and time, errors as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from search.errors import InputError
from search.inference.labels import Labels
from search.inference.serving.batches import Batches, Predict
from search.inference.serving.elements import Refused, text
from search.inference.serving.rest import (
    VERSION,
    metadata,
    model_status,
    read_request,
    write_response,
)
from search.inference.serving.rest import Request as Asked
from search.utils.faults import is_out_of_memory

_T = TypeVar("_T")
# Bytes of a body: reading it and writing the answer take the server less than handing them to another thread.
_SMALL = 1 << 14
_SHOWN = 200  # characters of a path
_GONE = 499  # for the log alone: nobody reads it


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        body: Bytes of a request's body.
        instances: Texts of a request.
        seconds: Seconds in which a request must have come, and then be answered.
        held: Bytes of the bodies of all requests that are being answered.
    """

    body: int = 16 << 20
    instances: int = 10_000
    seconds: float = 30.0
    held: int = 256 << 20


@dataclass(frozen=True)
class Served:
    """A model that is served.

    Attributes:
        name: Its name in paths.
        labels: Its classes, and the columns that it takes beside the texts.
        signatures: See `rest.read_signatures`.
        predict: Maps texts, and the columns beside them, to predictions.
        read: Reads a text of a request: see `elements.reader`.
    """

    name: str
    labels: Labels
    signatures: Mapping[str, Any]
    predict: Predict
    read: Callable[[Any], Any] = text


def application(served: Served, limits: Limits) -> Starlette:
    """Makes the application.

    Args:
        served: The model.
        limits: The limits.
    """
    server = _Server(served, limits)
    handlers = {Refused: _refused, HTTPException: _no_such_path, ClientDisconnect: _gone, Exception: _failed}
    app = Starlette(routes=server.routes(), exception_handlers=handlers, lifespan=server.lifespan)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return app


class _Server:
    def __init__(self, served: Served, limits: Limits) -> None:
        self._served = served
        self._limits = limits
        self._batches = Batches(served.predict)
        self._held = 0

    def lifespan(self, app: Starlette) -> AbstractAsyncContextManager[None]:
        return self._batches.running()

    def routes(self) -> list[Route]:
        """The paths of TensorFlow Serving, and /health."""
        routes = [Route("/health", _health)]
        for model in (f"/v1/models/{self._served.name}", f"/v1/models/{self._served.name}/versions/{VERSION}"):
            routes += [
                Route(f"{model}:predict", self._predict, methods=["POST"]),
                Route(f"{model}/metadata", self._metadata),
                Route(model, _status),
            ]
        return routes

    async def _metadata(self, request: Request) -> Response:
        return JSONResponse(metadata(self._served.name, self._served.signatures))

    async def _predict(self, request: Request) -> Response:
        body = bytearray()
        try:
            await self._read(request, body)
            return await self._while_there(request, self._answer(body))
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> None:
        """Reads the body, within the limits on size and time."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "Content-Encoding: expected none.")
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for chunk in request.stream():
                    body += chunk
                    self._held += len(chunk)
                    if len(body) > self._limits.body:
                        raise Refused(413, f"The body is too large: expected {self._limits.body:,} bytes at most.")
                    if self._held > self._limits.held:
                        raise Refused(503, "The server is busy: too many requests wait.")
        except TimeoutError as error:
            raise Refused(408, f"The body did not come within {self._limits.seconds:g} seconds.") from error

    async def _answer(self, body: bytearray) -> Response:
        labels = self._served.labels
        asked = await _aside(len(body), self._request, body)
        try:
            found = await self._batches.predict(asked.texts, asked.beside)
        except InputError as error:
            raise Refused(400, str(error)) from error
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise Refused(503, "The memory of this machine is not enough for these texts together.") from error
        content = await _aside(len(body), write_response, found, labels.classes, asked.by_row)
        return Response(content, media_type="application/json")

    def _request(self, body: bytearray) -> Asked:
        served = self._served
        return read_request(body, served.signatures, served.labels.columns, self._limits.instances, served.read)

    async def _while_there(self, request: Request, work: Coroutine[Any, Any, _T]) -> _T:
        """Does some work, but for no longer than the client waits, or is allowed to."""
        gone, task = asyncio.ensure_future(_until_gone(request)), asyncio.ensure_future(work)
        try:
            await asyncio.wait({gone, task}, timeout=self._limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if gone.done():
                raise ClientDisconnect
            raise Refused(504, f"The answer took longer than {self._limits.seconds:g} seconds.")
        finally:
            gone.cancel()
            task.cancel()


async def _aside(size: int, function: Callable[..., _T], *args: Any) -> _T:
    """Calls a function on a body, or on its answer: beside the server's own thread where others would wait long."""
    return await run_in_threadpool(function, *args) if size > _SMALL else function(*args)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _status(request: Request) -> Response:
    return JSONResponse(model_status())


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


async def _refused(request: Request, error: Refused) -> Response:
    # What is left of a body that was not read to its end would be taken for the next request.
    headers = {"Connection": "close"} if error.status in (408, 413, 415, 503) else None
    return _error(error.status, error.message, headers)


async def _no_such_path(request: Request, error: HTTPException) -> Response:
    path = request.url.path[:_SHOWN]
    if error.status_code == 404 and path.startswith("/v1/models/"):
        return _error(404, f"Servable not found for request: {path}")
    return _error(error.status_code, f"Malformed request: {request.method} {path}", error.headers)


async def _gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=_GONE)


async def _failed(request: Request, error: Exception) -> Response:
    return _error(500, "The server failed on this request; its log says why.")
