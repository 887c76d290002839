"""An append-only file of lines, each with a checksum."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.utils.checked import damaged


class Journal:
    """Lines of JSON, each after its checksum; a last line that a kill cut short counts as never written.

    Args:
        path: The file; the first line creates it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entry: Mapping[str, Any]) -> None:
        """Adds a line, in one call of the operating system."""
        text = json.dumps(entry).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            file.write(b"%08x %s\n" % (zlib.crc32(text), text))

    def entries(self) -> list[dict[str, Any]]:
        """All lines in order; a last line that a kill cut short is removed from the file.

        Raises:
            InputError: A line is damaged.
        """
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self.path.open("r+b") as file:
                file.truncate(len(whole))
        return [self._entry(number, line) for number, line in enumerate(whole.splitlines(), start=1)]

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        checksum, _, text = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            raise damaged(self.path, f"line {number} has the checksum of another content")
        entry: dict[str, Any] = json.loads(text)
        return entry
