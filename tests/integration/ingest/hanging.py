"""Services of AWS that hang, and answers that are held to their time all the same."""

from contextlib import ExitStack
from typing import get_args

from tests.integration.ingest.harness import EVENT, Answer, Ingest
from tests.support.faulty_aws import Manner, NeverDone
from tests.support.time_limits import ends_within

LONGEST = 4.0
"""Seconds in which the contract has every request answered: Flipt's old client gives up at five."""

MANNERS: tuple[Manner, ...] = get_args(Manner)


def hang(ingest: Ingest, bad_day: ExitStack, manner: Manner, *services: str) -> list[NeverDone]:
    servers = [bad_day.enter_context(NeverDone(manner)) for _ in services]
    ingest.start(**{service: server.url for service, server in zip(services, servers, strict=True)})
    return servers


def timed(ingest: Ingest, body: bytes = EVENT, *, encoded: bool = False) -> Answer:
    with ends_within(LONGEST):
        return ingest.signed(body, encoded=encoded)
