"""Precheck: before a new version takes over, check its configuration where it will run; a no rolls it back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flagcast.core.checking import problems
from flagcast.core.config.model import Problem
from flagcast.edges.wiring import configuration, deployments, secrets, telemetry, templates
from flagcast.errors import ConfigurationUnreadable
from flagcast.story.secrets_needed import missing_secrets

SAMPLES = Path(__file__).parent / "samples"
PATIENCE = 30.0
"""Seconds in which every secret must be had."""


def handler(event: dict[str, Any], context: object) -> None:
    """Tell CodeDeploy whether the new version may have the traffic; it asks once for each function.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    found = list(faults())
    for each in found:
        telemetry().fault_found(each)
    deployments().report(event["DeploymentId"], event["LifecycleEventHookExecutionId"], is_good=not found)


def faults() -> Iterator[Problem]:
    """Yield whatever stands against the configuration; an error that nobody expected does, too."""
    try:
        used = configuration()
        yield from problems(used, templates(), {file.stem: file.read_bytes() for file in sorted(SAMPLES.glob("*"))})
        yield from missing_secrets(used, secrets(), time.monotonic() + PATIENCE)
    except ConfigurationUnreadable as error:
        yield Problem("", str(error))
    except Exception as error:  # noqa: BLE001 - without an answer CodeDeploy would wait for an hour
        telemetry().broke(error)
        yield Problem("", f"the check ended in {type(error).__name__}")
