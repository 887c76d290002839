"""A mailbox keeps messages in their order, and holds up those who fill it faster than it is emptied."""

import asyncio

from search.execution.ray_mailbox import Mailbox


def test_a_sender_waits_while_the_mailbox_is_too_full_and_its_message_is_there_all_the_same():
    async def told():
        mailbox = Mailbox(room=10)
        await mailbox.put(b"a" * 6)
        slow = asyncio.create_task(mailbox.put(b"b" * 6))
        await asyncio.sleep(0)
        held_up = not slow.done()
        messages = await mailbox.take()
        await asyncio.wait_for(slow, timeout=5)
        return held_up, messages, await mailbox.take()

    assert asyncio.run(told()) == (True, [b"aaaaaa", b"bbbbbb"], [])
