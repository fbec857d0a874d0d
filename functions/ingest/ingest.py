"""Ingest: prove that an audit event is genuine, store it for every destination that wants it, answer."""

import gc
import time
from typing import Any

from flagcast.edges.wiring.ingest_request import answer_to
from flagcast.edges.wiring.log_silencing import quiet
from flagcast.edges.wiring.resources import telemetry

# Few names: for seconds of a deploy this file can meet the layer of the release before (docs/decisions.md).
from flagcast.ingest import http_api

# What is imported stays until the process ends. Without this every collection of a cold start looks at all of it again.
gc.freeze()


@quiet
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of API Gateway."""
    began = time.monotonic()
    try:
        answer = answer_to(http_api.read_request(event), began)
    except Exception as error:  # noqa: BLE001 - the runtime would log its message, which may quote the request
        telemetry().broke(error)
        answer = http_api.UNAVAILABLE
    return answer.as_response()
