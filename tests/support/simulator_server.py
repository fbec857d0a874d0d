"""The simulator behind AWS's JSON protocol for SQS, as a process of its own, for botocore clients in any process.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-api-responses.html

Beside AmazonSQS.* it takes Simulator.*: what AWS does by itself (time, the event source mapping).
Run as ``python -m tests.support.simulator_server``, with ``still`` for a clock that only moves when told;
tests/support/processes.py starts it and speaks to it.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from tests.support.event_source import EventSource
from tests.support.fifo import ShiftedClock, SimulatedClock
from tests.support.http_server import Answer, Request, run
from tests.support.simulator import Simulator

LOOKS_EVERY = 0.01
"""Seconds between two looks of who waits for a message: time brings some back without a word."""

_OPERATIONS = frozenset(
    {
        "CreateQueue",
        "GetQueueAttributes",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibilityBatch",
    }
)
_SHAPES = {"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist"}
"""Names in the JSON protocol that are not the query protocol's last part."""


class Served:
    """Takes requests, one at a time: everything happens on the event loop."""

    def __init__(self, clock: SimulatedClock | ShiftedClock) -> None:
        self._clock = clock
        self._simulator = Simulator(self._clock)
        self._enabled = True
        self._events: dict[str, Any] = {}
        self._processors: dict[str, float] = {}

    async def serve(self, request: Request) -> Answer:
        service, _, operation = request.headers.get("x-amz-target", "").partition(".")
        arguments: dict[str, Any] = msgspec.json.decode(request.body or b"{}")
        if service == "Simulator":
            return _answer(await getattr(self, f"_{operation}")(**arguments))
        if service != "AmazonSQS" or operation not in _OPERATIONS:
            return _error("InvalidAction", f"{service}.{operation} is not simulated.")
        call = getattr(self._simulator, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
        try:
            answer = call(**arguments)
            wait = arguments.get("WaitTimeSeconds", 0)
            if operation == "ReceiveMessage" and wait and not answer:
                answer = await _first(lambda: call(**arguments), wait) or {}
        except ClientError as error:
            return _error(error.response["Error"]["Code"], error.response["Error"]["Message"])
        return _answer(answer)

    async def _advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def _enable(self, enabled: bool) -> None:
        """Let the event source mapping hand out batches, or not."""
        self._enabled = enabled

    async def _poll(self, url: str, batch_size: int, wait: float, process: str, processor: float) -> Any:
        """Hand out a batch of the event source mapping's; `processor` is what the process has used so far, in s."""
        self._processors[process] = processor
        source = EventSource(self._simulator, url, batch_size)
        event = await _first(lambda: source.poll() if self._enabled else None, wait)
        if event is not None:
            self._events[process] = event
        return event

    async def _settle(self, url: str, process: str, answer: Any) -> None:
        """Take the function's answer to the batch that was handed to the process last."""
        EventSource(self._simulator, url).settle(self._events.pop(process), answer)

    async def _wait_for_processes(self, count: int, wait: float) -> bool:
        """Wait until so many processes have polled."""
        return bool(await _first(lambda: len(self._processors) >= count, wait))

    async def _wait_until_idle(self, wait: float) -> bool:
        """Wait until every batch that was handed out is answered."""
        return bool(await _first(lambda: not self._events, wait))

    async def _wait_until_empty(self, url: str, wait: float) -> bool:
        """Wait until nothing is on the queue, in flight or not."""
        return bool(await _first(lambda: not self._simulator.queue(url).messages, wait))

    async def _processors_used(self) -> dict[str, float]:
        """Return seconds of processor time that each process had used when it last polled, this one's under ``""``."""
        return {**self._processors, "": time.process_time()}


async def _first(look: Callable[[], Any], wait: float) -> Any:
    """Look until there is something, or the wait is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while not (found := look()) and loop.time() < until:
        await asyncio.sleep(LOOKS_EVERY)
    return found


def _answer(value: Any, status: int = 200) -> Answer:
    # Every answer of AWS has a request ID.
    headers = {"x-amzn-RequestId": "simulated"}
    return Answer(msgspec.json.encode(value), status, "application/x-amz-json-1.0", headers)


def _error(code: str, message: str) -> Answer:
    shape = _SHAPES.get(code, code.rpartition(".")[2])
    answer = _answer({"__type": f"com.amazonaws.sqs#{shape}", "message": message}, 400)
    answer.headers = {**answer.headers, "x-amzn-query-error": f"{code};Sender"}
    return answer


if __name__ == "__main__":
    run(Served(SimulatedClock() if sys.argv[1:] == ["still"] else ShiftedClock()).serve)
