"""Downloads a file that appears whole or not at all, resuming broken transfers."""

from __future__ import annotations

import errno
import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pooch
import requests
from tqdm import tqdm

from search.errors import InputError

_ATTEMPTS = 10
_PIECE = 1 << 13  # bytes; a transfer that breaks loses what it has of the last piece
_TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
_log = logging.getLogger(__name__)


def download(url: str, target: Path, checksum: str | None) -> None:
    """Downloads a file; a broken transfer leaves `<target>.part` beside it and is resumed from there.

    Args:
        url: An address of http or https.
        target: The file to make.
        checksum: Checksum of the whole file in pooch's notation, `sha256:…`; None: not known.

    Raises:
        InputError: The address cannot be reached, the file is not the expected one, or it cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    by_hand = f"fetch it by hand and put it at {target}, or set dataset.path to a file of yours"
    pooch.get_logger().setLevel(logging.WARNING)
    _log.info("Downloading %s to %s", url, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            url,
            known_hash=checksum,
            fname=target.name,
            path=target.parent,
            downloader=partial(_transfer, part=part),
        )
    except requests.RequestException as error:
        kept = f"; the {_size(part) / 1e6:,.1f} MB that came are kept for the next run" if _size(part) else ""
        raise InputError(
            f"{target} does not exist, and {url} cannot be downloaded ({_reason(error)}{kept}): {by_hand}"
        ) from error
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror or error}): free some space or set paths.data to another "
            "folder"
        ) from error
    except ValueError as error:
        raise InputError(
            f"The download from {url} is not the expected file (its checksum differs): {by_hand}"
        ) from error


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "no connection"
    return type(error).__name__


def _transfer(url: str, output: str, _pooch: Any, part: Path) -> None:
    """A pooch downloader that retries as long as each attempt receives something."""
    for attempt in range(_ATTEMPTS):
        before = _size(part)
        try:
            _receive(url, part)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if _size(part) <= before or attempt == _ATTEMPTS - 1:
                raise
        except OSError as error:
            if error.errno == errno.ENOSPC:
                _forget(part)
            raise
    part.replace(output)
    _forget(part)


def _receive(url: str, part: Path) -> None:
    """Receives a file, or the rest of it if the server says that it is still the same file."""
    version = _version_file(part).read_text() if _version_file(part).exists() else ""
    have = _size(part) if version else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        content_range = response.headers.get("Content-Range", "")
        if have and response.status_code == requests.codes.requested_range_not_satisfiable:
            if content_range == f"bytes */{have}":
                return
            _forget(part)
            raise requests.ConnectionError("the server no longer has the rest of the file")
        response.raise_for_status()
        goes_on = response.status_code == requests.codes.partial_content and content_range.startswith(f"bytes {have}-")
        begin = have if goes_on else 0
        length = response.headers.get("Content-Length")
        total = begin + int(length) if length else None
        if total is not None and shutil.disk_usage(part.parent).free < total - begin:
            raise OSError(errno.ENOSPC, f"{(total - begin) / 1e6:,.0f} MB are needed, the disk has less")
        if not goes_on:
            _version_file(part).write_text(_version(response))
        with (
            part.open("ab" if goes_on else "wb") as file,
            # disable=None: no bar where standard error is no terminal
            tqdm(total=total, initial=begin, unit="B", unit_scale=True, desc=part.stem, disable=None) as bar,
        ):
            for chunk in response.iter_content(_PIECE):
                file.write(chunk)
                bar.update(len(chunk))
        if total is not None and _size(part) != total:
            raise requests.ConnectionError("the transfer broke")


def _version(response: requests.Response) -> str:
    """An identifier of this version of the file; empty where the server gives none."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)
