"""The edges of this process, each made once, on first use: nothing is read or connected while importing."""

import os
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flagcast.config.model import Configuration
from flagcast.edges.aws.body_store import BodyStore
from flagcast.edges.aws.client import client
from flagcast.edges.aws.delivery_table import DeliveryTable
from flagcast.edges.aws.fail_fast import FailFastClient
from flagcast.edges.aws.flipt_state_table import FliptStateTable, bounded
from flagcast.edges.aws.queue import Queue
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.edges.runtime.configuration_file import TemplateFiles, read_configuration, read_templates
from flagcast.edges.runtime.settings import Settings, logs_names, stack_name
from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.flipt_state.change_tracker import ChangeTracker

if TYPE_CHECKING:
    from flagcast.edges.aws.circuit_breaker import Circuits, ClosedCircuits
    from flagcast.edges.aws.circuit_breaker import Journal as CircuitJournal
    from flagcast.edges.aws.trouble_table import TroubleTable


@cache
def settings() -> Settings:
    """Return what the environment says."""
    return Settings.read(os.environ)


@cache
def configuration() -> Configuration:
    """Return the configuration; raises ConfigurationUnreadable until it can be read."""
    return read_configuration(Path(settings().configuration_path))


@cache
def templates() -> TemplateFiles:
    """Return the template files, each to be read when it is first asked for."""
    return read_templates(Path(settings().configuration_path))


@cache
def telemetry() -> Telemetry:
    """Return what writes the lines."""
    return Telemetry(time.time, stack_name(os.environ), names=logs_names(os.environ))


@cache
def secrets() -> SecretStore:
    """Return the secret store, which keeps what it fetched between invocations."""
    return SecretStore(client, settings().secret_prefix, settings().parameter_prefix, os.environ, time.monotonic)


@cache
def queue() -> Queue:
    """Return the task queue."""
    return Queue(client("sqs"), settings().queue_url)


@cache
def dead_letter_queue() -> Queue:
    """Return the dead-letter queue."""
    return Queue(client("sqs"), settings().dead_letter_queue_url)


@cache
def bodies() -> BodyStore:
    """Return where the bodies lie that are too large for a message."""
    return BodyStore(lambda: client("s3"), settings().bodies_bucket)


@cache
def state() -> DeliveryTable:
    """Return the state table."""
    insistent = FailFastClient(client("dynamodb"), time.monotonic, left_alone_for=0)
    return DeliveryTable(table(), settings().state_table, time.time, insistent)


@cache
def table() -> FailFastClient:
    """Return the client of the state table."""
    return FailFastClient(client("dynamodb"), time.monotonic)


@cache
def knowing() -> ChangeTracker | None:
    """Return what settles events by the rows of what Flipt has; None where the stack does not keep them."""
    if not settings().tracks_changes:
        return None
    rows = FliptStateTable(client("dynamodb"), settings().state_table, time.time)
    return ChangeTracker(rows, telemetry(), bounded)


@cache
def troubles() -> "TroubleTable":
    """Return what the state table knows of destinations in trouble."""
    # Loaded where it is used, as circuits are: ingest knows of no troubles.
    from flagcast.edges.aws.trouble_table import TroubleTable

    return TroubleTable(table(), settings().state_table, time.time)


@cache
def circuits(journal: "CircuitJournal") -> "Circuits | ClosedCircuits":
    """Return the destinations' circuits, whose changes the journal gets."""
    # Loaded where it is used: ingest has no circuits, and Powertools brings boto3.
    from flagcast.edges.aws.circuit_breaker import Circuits, ClosedCircuits

    if not settings().circuit_breaker:
        return ClosedCircuits()
    return Circuits(table(), settings().state_table, journal)


def forget() -> None:
    """Forget everything that was made, for a process that is to begin again."""
    queues = (queue, dead_letter_queue)
    tables = (table, state, knowing, troubles, circuits)
    for made in (settings, configuration, templates, telemetry, secrets, *queues, bodies, *tables):
        made.cache_clear()
