"""Destinations as a process of their own: quick, hanging, failing or deadly, by path; every request is kept.

Run as ``python -m tests.support.destinations``; tests/support/deployment.py starts it and speaks to it. A request that
carries ``X-Process`` (the sender's process id) can be answered by killing the sender, as a task that exhausts a
function's memory would: nothing of the product is asked, and nothing of it runs after that.
"""

import asyncio
import os
import signal
import time

import msgspec
from msgspec import Struct

from tests.support.http_server import Answer, Request, as_json, run

FOREVER = 86_400


class Behaviour(Struct):
    """What a path does with a request: after `delay` seconds it answers, unless it hangs or kills who sent it."""

    status: int = 200
    delay: float = 0.0
    hangs: str = ""
    """Requests with this in their body are never answered."""
    kills: str = ""
    """Requests with this in their body end the process that sent them."""


class Arrived(Struct):
    """One request: when it was read (epoch seconds), and what it was answered, 0 if never."""

    path: str
    event_id: str
    at: float
    status: int = 0


class Waited(Struct):
    """How many events are wanted, each with a 2xx on each path, and how long to wait for them."""

    paths: list[str]
    count: int
    timeout: float


class Destinations:
    def __init__(self) -> None:
        self._behaviours: dict[str, Behaviour] = {}
        self._arrived: list[Arrived] = []
        self._delivered: dict[str, set[str]] = {}
        self._changed = asyncio.Condition()

    async def serve(self, request: Request) -> Answer:
        match request.path:
            case "/-/behave":
                self._behaviours |= msgspec.json.decode(request.body, type=dict[str, Behaviour])
                return as_json(None)
            case "/-/arrived":
                return as_json(self._arrived)
            case "/-/processor":
                return as_json(time.process_time())
            case "/-/wait":
                return as_json(await self._wait(msgspec.json.decode(request.body, type=Waited)))
        return await self._take(request)

    async def _take(self, request: Request) -> Answer:
        behaviour = self._behaviours.get(request.path, Behaviour())
        arrived = Arrived(request.path, request.headers.get("webhook-id", ""), time.time())
        self._arrived.append(arrived)
        if behaviour.kills and behaviour.kills.encode() in request.body:
            os.kill(int(request.headers["x-process"]), signal.SIGKILL)
            await asyncio.sleep(FOREVER)
        if behaviour.hangs and behaviour.hangs.encode() in request.body:
            await asyncio.sleep(FOREVER)
        await asyncio.sleep(behaviour.delay)
        arrived.status = behaviour.status
        if behaviour.status < 300:
            self._delivered.setdefault(request.path, set()).add(arrived.event_id)
            async with self._changed:
                self._changed.notify_all()
        return as_json({"ok": True}, behaviour.status)

    async def _wait(self, wanted: Waited) -> bool:
        """Return whether the events arrived in time."""

        def is_there() -> bool:
            return all(len(self._delivered.get(path, ())) >= wanted.count for path in wanted.paths)

        try:
            async with asyncio.timeout(wanted.timeout), self._changed:
                await self._changed.wait_for(is_there)
        except TimeoutError:
            return False
        return True


if __name__ == "__main__":
    run(Destinations().serve)
