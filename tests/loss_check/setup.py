"""What is deployed: the destinations of a run, the secrets they use, and who wants what."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagcast.config.model import Ordering
from tests.loss_check.events import Made

SIGNING = "canary-signing-secret"
HEADER = "canary-header-secret"
IN_URL = "canary-url-secret"
IN_VAR = "canary-var-secret"
KEY = base64.b64encode(b"canary-signing-key-of-destinations").decode()
SECRETS = {"signing": SIGNING, "header": HEADER, "in-url": IN_URL, "in-var": IN_VAR, "key": KEY}
CANARIES = (*SECRETS.values(), "canary-in-an-error-message")
PREFIX = "flagcast/test/"

PROCESS = "${env:FLAGCAST_VAR_PROCESS}"
"""The function that asks, so that the receiver can end the one that sent a request."""
SHORT = "1s"
"""The timeout where answers never come; elsewhere none is waited for."""
MOST_BACKOFF = 120.0
"""Seconds for which the guarded destination is tried."""

BODY = """{"id": {{ event.id }},
"text": "{{ event.flag_key }} {{ event.verb_phrase }}: {{ event.payload.description }}",
"by": "{{ vars.who }}"{% if event.payload.description.endswith("unrenderable") %}, {{ 1 // 0 }}{% endif %}}"""

FIRST: Mapping[str, tuple[str, ...]] = {
    "mirror": ("*:*",),
    "flags": ("flag:*", "variant:*", "rollout:*"),
    "line": ("segment:*", "constraint:*"),
    "loose": ("*:*",),
    "guarded": ("rule:*",),
    "queue": ("segment:*", "constraint:*"),
    "bus": ("variant:*",),
    "bucket": ("rollout:*",),
}
SECOND = {**FIRST, "loose": ("*:created", "*:updated")}
"""The filters after the deployment in the middle of a run."""
ADDED = "later"
"""The destination that is added when the client is done, and gets earlier events by a replay."""
THIRD = {**SECOND, ADDED: ("*:*",)}
ORDERING: Mapping[str, Ordering] = {
    "mirror": "subject",
    "flags": "subject",
    "line": "destination",
    "loose": "none",
    "guarded": "subject",
    "queue": "subject",
    "bus": "subject",
    "bucket": "none",
    ADDED: "subject",
}
TARGETS = {
    "queue": "arn:aws:sqs:eu-central-1:123456789012:audit.fifo",
    "bus": "arn:aws:events:eu-central-1:123456789012:event-bus/audit",
    "bucket": "arn:aws:s3:::audit-trail/flags",
}


def task_of(body: str) -> str:
    """Return the task that a message carries, as the receiver knows it: event id, colon, destination."""
    read = json.loads(body)
    return f"{read['event_id']}:{read['destination']}"


def wants(filters: Mapping[str, tuple[str, ...]], destination: str, event: Made) -> bool:
    """Tell, independently of the product, whether a destination wants an event."""
    if destination == "loose" and event.subject.split(" ")[1] == "space-2":
        return False
    return any(
        noun in ("*", event.noun) and verb in ("*", event.verb)
        for noun, verb in (each.split(":") for each in filters[destination])
    )


def write(file: Path, filters: Mapping[str, tuple[str, ...]], http: str, https: str) -> None:
    """Write flagcast.yaml; `http` and `https` are where the receiver listens, without a path."""
    retry = {"initial_interval": "1s", "max_interval": "30s", "max_backoff_duration": "72h"}
    local = {
        "allow_private": ["127.0.0.0/8"],
        "allow_http": True,
        "headers": {"X-Process": PROCESS},
    }
    made: dict[str, Any] = {
        "mirror": {
            "url": f"{http}/mirror",
            "headers": {"X-Process": PROCESS, "Authorization": "Bearer ${secret:header}"},
            "sign": {"scheme": "standard-webhooks", "secret": "${secret:key}"},
        },
        "flags": {"url": f"{http}/flags/${{secret:in-url}}", "body": BODY, "vars": {"who": "${secret:in-var}"}},
        "line": {"url": f"{http}/line", "preset": "json"},
        "loose": {
            "url": f"{http}/loose",
            "timeout": SHORT,
            "when": 'event.namespace != "space-2" and (not "unfilterable" in event.payload.description or 1 // 0)',
        },
        "guarded": {
            "url": f"{https}/guarded",
            "ca_file": "ca.pem",
            "retry": {**retry, "max_backoff_duration": f"{MOST_BACKOFF:g}s"},
        },
        ADDED: {"url": f"{http}/{ADDED}"},
    }
    destinations = {
        name: {"retry": retry, "ordering": ORDERING[name], "events": list(filters[name]), **local, **each}
        for name, each in made.items()
        if name in filters
    }
    destinations |= {
        name: {"retry": retry, "ordering": ORDERING[name], "events": list(filters[name]), "url": arn}
        for name, arn in TARGETS.items()
    }
    sources = {"flipt": {"signing_secrets": ["${secret:signing}"], "environment": "test"}}
    file.write_text(json.dumps({"sources": sources, "destinations": destinations}), encoding="utf-8")
