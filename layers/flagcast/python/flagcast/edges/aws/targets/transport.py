"""Calls of AWS services that are destinations: one call an attempt, ended by its deadline."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from flagcast.edges.aws.targets import events, s3, sns, sqs
from flagcast.edges.aws.targets.answers import answer_of, outcome_of
from flagcast.edges.runtime.bounded_calls import within
from flagcast.exchange.aws_request import AwsRequest
from flagcast.primitives.aws_target import Service
from flagcast.tasks.outcomes import Answered, DependencyFailed, Unreachable

Clients = Callable[[str, str], Any]
"""Makes the client of a service in a region; the caller's own region where that is empty."""

SENDERS: Mapping[Service, Callable[[Any, AwsRequest], dict[str, Any]]] = {
    "sqs": sqs.send,
    "sns": sns.send,
    "events": events.send,
    "s3": s3.send,
}


def send(request: AwsRequest, deadline: float, clients: Clients) -> Answered | Unreachable | DependencyFailed:
    """Make a call and read its answer by the deadline (monotonic seconds).

    A call that takes longer is left behind and may still take effect: the next attempt is then a repeat.
    """
    [future] = within(deadline, [partial(_call, request, clients)])
    if not future.done():
        return Unreachable("timeout")
    try:
        return answer_of(future.result())
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        return outcome_of(error, request)


def _call(request: AwsRequest, clients: Clients) -> dict[str, Any]:
    target = request.target
    return SENDERS[target.service](clients(target.service, target.region), request)
