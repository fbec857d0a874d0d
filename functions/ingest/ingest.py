"""Ingest: prove that an audit event is genuine, store it for every destination that wants it, answer."""

import gc
import time
from typing import Any

# Few names: for seconds of a deploy this file can meet the layer of the release before (docs/decisions.md).
from flagcast.core import http
from flagcast.edges.quiet import quiet
from flagcast.edges.receiving import answer_to
from flagcast.edges.wiring import telemetry

# What is imported stays until the process ends. Without this every collection of a cold start looks at all of it again.
gc.freeze()


@quiet
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of API Gateway."""
    began = time.monotonic()
    try:
        answer = answer_to(http.read_request(event), began)
    except Exception as error:  # noqa: BLE001 - the runtime would log its message, which may quote the request
        telemetry().broke(error)
        answer = http.UNAVAILABLE
    return answer.as_response()
