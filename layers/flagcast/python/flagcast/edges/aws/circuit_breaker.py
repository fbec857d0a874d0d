"""A circuit for each destination, in DynamoDB, by Powertools' circuit breaker.

https://docs.aws.amazon.com/powertools/python/latest/utilities/circuit_breaker/
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, circuit_breaker
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence
from aws_lambda_powertools.utilities.circuit_breaker.persistence.record import CircuitStateRecord
from aws_lambda_powertools.utilities.circuit_breaker.states import CircuitInfo, CircuitState, CircuitTransition
from botocore.exceptions import BotoCoreError, ClientError

from flagcast.delivery.decision import is_outage
from flagcast.edges.aws.client import error_name
from flagcast.errors import StateUnavailable
from flagcast.tasks.outcomes import Attempted, CircuitOpen, Outcome

RECOVERY = 35
"""Seconds from the opening of a circuit to a probe, and for which the probe is one's own: longer than any attempt."""

KNOWN_FOR = 5
"""Seconds for which the state of a circuit is taken as known."""

_NAME = "circuit#"


class Journal(Protocol):
    """What the log says of circuits."""

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        """Tell that a circuit opened, is probed, or closed."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""


class _Outage(Exception):
    """Carries an outcome that counts against the destination through the breaker."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class _NotAsked(Exception):
    """Carries an outcome that says nothing about the destination: no request was made."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class _Store(CircuitBreakerDynamoDBPersistence):
    """The circuits' rows; where the table fails, an attempt is made: a breaker is no outage.

    Powertools lets what fails here escape, or logs it with its traceback; here it is logged like every other failure.
    """

    def __init__(self, client: Any, table: str, journal: Journal) -> None:
        super().__init__(table_name=table, key_attr="key", expiry_attr="expires", boto3_client=client)
        self._journal = journal

    def _get_record(self, name: str) -> CircuitStateRecord | None:
        return self._tried("read circuit", partial(super()._get_record, name), None)

    def try_acquire_half_open(self, name: str, owner: str, opened_at: int) -> bool:
        return self._tried("probe circuit", partial(super().try_acquire_half_open, name, owner, opened_at), True)

    def save_open(self, name: str, failure_count: int, opened_at: int) -> None:
        self._tried("open circuit", partial(super().save_open, name, failure_count, opened_at), None)

    def save_closed(self, name: str) -> None:
        self._tried("close circuit", partial(super().save_closed, name), None)

    def save_reopen(self, name: str, opened_at: int) -> None:
        self._tried("open circuit", partial(super().save_reopen, name, opened_at), None)

    def _tried[T](self, action: str, call: Callable[[], T], otherwise: T) -> T:
        try:
            return call()
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:  # the last two: a row that is none of ours
            self._journal.state_failed(action, StateUnavailable(error_name(error)))
            return otherwise


class Circuits:
    """The circuits of every destination."""

    def __init__(self, client: Any, table: str, journal: Journal, recovery: int = RECOVERY) -> None:
        """Keep where the circuits' rows are; `recovery` is the whole seconds from an outage to a probe."""
        self._store = _Store(client, table, journal)
        self._journal = journal
        self._config = CircuitBreakerConfig(
            failure_threshold=3,
            success_threshold=1,
            recovery_timeout=recovery,
            handled_exceptions=_Outage,
            local_cache_max_age=min(KNOWN_FOR, recovery),
        )
        self._opened: dict[str, int] = {}

    def guard(self, destination: str, attempt: Callable[[], Outcome]) -> Outcome:
        """Make an attempt unless the destination's circuit is open.

        Outages alone count: no answer, or a 5xx. Any other answer shows that the destination works.
        """
        guarded = circuit_breaker(
            name=_NAME + destination,
            persistence_store=self._store,
            on_circuit_open=_left_alone,
            on_transition=partial(self._changed, destination),
            config=self._config,
        )(_told)
        try:
            outcome: Outcome = guarded(attempt)
        except (_Outage, _NotAsked) as told:
            return told.outcome
        return outcome

    def _changed(self, destination: str, transition: CircuitTransition) -> None:
        """Log a change, once: attempts that were under way when the circuit opened fail too, and open it again."""
        if transition.from_state == CircuitState.CLOSED:
            opened_at = transition.opened_at or 0
            if opened_at < self._opened.get(destination, 0) + self._config.recovery_timeout:
                return
            self._opened[destination] = opened_at
        self._journal.circuit_changed(destination, str(transition.from_state), str(transition.to_state))


class ClosedCircuits:
    """Replaces circuits where they are turned off."""

    def guard(self, destination: str, attempt: Callable[[], Outcome]) -> Outcome:
        """Make an attempt."""
        return attempt()


def _told(attempt: Callable[[], Outcome]) -> Outcome:
    outcome = attempt()
    if is_outage(outcome):
        raise _Outage(outcome)
    if not isinstance(outcome, Attempted):
        raise _NotAsked(outcome)
    return outcome


def _left_alone(attempt: Callable[[], Outcome], *, circuit: CircuitInfo) -> Outcome:
    return CircuitOpen()
