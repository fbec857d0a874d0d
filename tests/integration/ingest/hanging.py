"""Services of AWS that hang, and answers that are held to their time all the same."""

import time
from contextlib import ExitStack
from typing import get_args

from tests.integration.ingest.harness import EVENT, Answer, Ingest
from tests.support.faulty_aws import Manner, NeverDone

LONGEST = 4.5
"""The contract says 4 s; the rest is for a busy machine. Flipt's old client gives up at five."""

MANNERS: tuple[Manner, ...] = get_args(Manner)


def hang(ingest: Ingest, bad_day: ExitStack, manner: Manner, *services: str) -> list[NeverDone]:
    servers = [bad_day.enter_context(NeverDone(manner)) for _ in services]
    ingest.start(**{service: server.url for service, server in zip(services, servers, strict=True)})
    return servers


def timed(ingest: Ingest, body: bytes = EVENT, *, encoded: bool = False) -> Answer:
    began = time.monotonic()
    answer = ingest.signed(body, encoded=encoded)
    assert time.monotonic() - began < LONGEST
    return answer
