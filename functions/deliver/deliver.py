"""Deliver: attempt each task of a batch, decide what follows, act on it, and say which tasks stay."""

import time
from typing import Any, Protocol

from flagcast.edges.wiring.deliver_batch import attempting, batch
from flagcast.edges.wiring.log_silencing import quiet

# Few names: for seconds of a deploy this file can meet the layer of the release before (docs/decisions.md).
from flagcast.tasks.received_message import read_record


class Context(Protocol):
    """What of Lambda's context is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may go on."""


@quiet
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Work through one batch of the event source mapping.

    The answer is a partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    messages = [read_record(record) for record in event["Records"]]
    watched = attempting()
    staying = batch(watched).run(messages, deadline)
    watched.tell(deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}
