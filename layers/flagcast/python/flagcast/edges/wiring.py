"""The edges of this process, each made once, on first use: nothing is read or connected while importing."""

import os
import time
from functools import cache
from pathlib import Path

from flagcast.core.config.model import Configuration
from flagcast.edges.aws.client import client
from flagcast.edges.aws.queue import Queue
from flagcast.edges.aws.secrets import SecretStore
from flagcast.edges.configuration_file import read_configuration, read_templates
from flagcast.edges.settings import Settings
from flagcast.edges.telemetry import Telemetry


@cache
def settings() -> Settings:
    """Return what the environment says."""
    return Settings.read(os.environ)


@cache
def configuration() -> Configuration:
    """Return the configuration; raises ConfigurationUnreadable until it can be read."""
    return read_configuration(Path(settings().configuration_path))


@cache
def templates() -> dict[str, str]:
    """Return the text of every template file; raises ConfigurationUnreadable until they can be read."""
    return read_templates(Path(settings().configuration_path))


@cache
def telemetry() -> Telemetry:
    """Return what writes the lines."""
    return Telemetry(time.time)


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


def forget() -> None:
    """Forget everything that was made, for a process that is to begin again."""
    for made in (settings, configuration, templates, telemetry, secrets, queue, dead_letter_queue):
        made.cache_clear()
