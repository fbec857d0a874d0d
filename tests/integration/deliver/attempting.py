"""One attempt from the configuration to the socket, without queues."""

import json
import time
from typing import Any

from flagcast.config.model import Destination
from flagcast.config.read import read
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import Answered, BlockedAddress, Faulty, Unreachable
from tests.integration.deliver import sending
from tests.unit.builders import RAW, event_of

LOOPBACK: dict[str, Any] = {"allow_private": ["127.0.0.0/8"]}


def attempt(
    secret: str = "", raw: bytes = RAW, **keys: Any
) -> Answered | Unreachable | BlockedAddress | RenderFailed | Faulty:
    """Attempt one event for a destination whose every reference is this secret, its address too if none is said."""
    keys = {"url": "${secret:one}", "allow_http": True, **keys}
    configuration = read(json.dumps({"sources": {}, "destinations": {"d": keys}}))
    assert configuration.problems == ()
    destination = configuration.destinations["d"]
    assert isinstance(destination, Destination)
    compiled = compile_destination(destination, {})
    assert isinstance(compiled, Compiled)
    made = render(compiled, event_of(raw), dict.fromkeys(compiled.references, secret), time.time())
    assert not isinstance(made, AwsRequest)
    return sending.send(made, time.monotonic() + destination.timeout) if isinstance(made, Request) else made
