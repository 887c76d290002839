"""The way from the workers of a Ray cluster to the driver: a mailbox that all of them fill, and it alone empties."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

from search.execution.worker import Message

# Bytes of messages in a mailbox beyond which its senders wait: many epochs of heads, one of a fine-tuned module.
_ROOM = 64 * 2**20


class Mailbox:
    """Keeps messages until the driver takes them; an actor of Ray.

    Args:
        room: Bytes of messages beyond which senders wait. Each sender can have one message more in it, so that the
            memory of a slow driver's machine is not filled.
    """

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room
        self._messages: list[bytes] = []
        self._held = 0
        self._emptied = asyncio.Condition()

    async def put(self, message: bytes) -> None:
        """Keeps a message, and returns once there is room for another."""
        self._messages.append(message)
        self._held += len(message)
        async with self._emptied:
            await self._emptied.wait_for(lambda: self._held <= self._room)

    async def take(self) -> list[bytes]:
        """Gives the messages in the order in which they came, and keeps them no longer."""
        messages, self._messages, self._held = self._messages, [], 0
        async with self._emptied:
            self._emptied.notify_all()
        return messages


class MailboxChannel:
    """Sends messages through a mailbox.

    Args:
        number: The number of the worker, by which the driver tells them apart.
        mailbox: The actor's handle.
    """

    def __init__(self, number: int, mailbox: Any) -> None:
        self._number = number
        self._mailbox = mailbox

    def send(self, name: str, *arguments: Any) -> None:
        """Sends an event; returns once the mailbox holds it, and has room for another."""
        import ray

        ray.get(self._mailbox.put.remote(pickle.dumps((self._number, name, arguments))))

    def report(self, name: str, *arguments: Any) -> None:
        """Sends an event as any other: the state that is written next comes to the driver after it."""
        self.send(name, *arguments)


def opened(message: bytes) -> tuple[int, Message]:
    """The number of the worker that sent a message, and the event."""
    number, name, arguments = pickle.loads(message)  # of a worker of this search
    return number, (name, arguments)
