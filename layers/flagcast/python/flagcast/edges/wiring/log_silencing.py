"""No message of an error reaches the log: it quotes what failed.

Lambda's runtime writes the message of what a handler raises, which goes to X-Ray too. Python writes what a thread or a
finalizer raises.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
"""

import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from flagcast.edges.runtime.silence import silence_libraries
from flagcast.edges.wiring.resources import telemetry
from flagcast.errors import Broken


def quiet[**P, T](handler: Callable[P, T]) -> Callable[P, T]:
    """Let a handler log its own lines alone; what it raises becomes Broken, which quotes nothing."""
    silence_libraries()
    # A hook that someone else has set, such as a test runner, keeps its work.
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _broke
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _broke

    @wraps(handler)
    def quietly(*args: P.args, **named: P.kwargs) -> T:
        try:
            return handler(*args, **named)
        except Exception as error:  # noqa: BLE001 - the runtime would write its message, which may quote anything
            telemetry().broke(error)
            raise Broken(type(error).__name__) from None

    return quietly


def _broke(left: Any) -> None:
    """Log what a thread or a finalizer raised like any error: by its type and place."""
    telemetry().broke(left.exc_value or left.exc_type())
