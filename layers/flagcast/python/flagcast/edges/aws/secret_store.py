"""Secrets Manager and Parameter Store: values of references, under the stack's own prefixes, cached."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flagcast.config.secret_references import Reference, Values, stripped
from flagcast.edges.aws.client import error_name
from flagcast.edges.runtime.bounded_calls import within
from flagcast.errors import SecretUnavailable

KEPT_FOR = 300.0
REFRESHED_AFTER = 15.0
"""Seconds between two fetches that a mismatch asks for: a flood of forged requests must not become one of calls."""

REFRESHED_FOR_DESTINATIONS = 1.0
"""Seconds between two fetches that a destination's rejection asks for: no destination can cause a flood."""

FAILED_FOR = 1.0
"""Seconds for which a first fetch that failed answers for the threads that wait behind it."""

_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException", "ParameterNotFound"})
"""What the stores answer where there is no such secret or parameter, or the secret is marked for deletion.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
"""

_Name = tuple[str, str]
"""Store and bare name."""


class _Fetched(Struct, frozen=True):
    """The last fetch: its value, or the last good one beside what went wrong."""

    value: str | None
    problem: str | None
    tried: float
    expires: float


class _Missing(Struct, frozen=True):
    why: str
    absent: bool = False


class SecretStore:
    """Values of references, fetched when first used and kept for five minutes.

    When a fetch fails, the last good value goes on serving: a store's outage costs no event.
    """

    def __init__(
        self,
        clients: Callable[[str], Any],
        secret_prefix: str,
        parameter_prefix: str,
        environ: Mapping[str, str],
        monotonic: Callable[[], float],
    ) -> None:
        """Keep the prefixes; `clients` gives the client of a service when it is first needed."""
        self._clients = clients
        self._secret_prefix = secret_prefix
        self._parameter_prefix = parameter_prefix
        self._environ = environ
        self._monotonic = monotonic
        self._fetched: dict[_Name, _Fetched] = {}
        self._one_at_a_time = threading.Lock()

    def values(self, references: Sequence[Reference], deadline: float, *, fresh: bool = False) -> Values:
        """Return a value for each reference by the deadline (monotonic seconds).

        `fresh` asks for values no older than a second, as a destination that refuses them may have just changed them.
        Raises SecretUnavailable where no value is known, and where a fresh one was asked for and the store failed.
        """
        found = self._found(references, deadline, REFRESHED_FOR_DESTINATIONS if fresh else None)
        if missing := [f"{each}: {what.why}" for each, what in found.items() if isinstance(what, _Missing)]:
            raise SecretUnavailable("; ".join(missing))
        return {each: value for each, value in found.items() if isinstance(value, str)}

    def lookup(
        self, references: Sequence[Reference], deadline: float, *, fresh: bool = False
    ) -> tuple[dict[Reference, str], list[str]]:
        """Return the values there are, and a sentence for each reference that might have one and has not.

        `fresh` asks for values no older than 15 s. A secret that does not exist proves nothing, so it is not missed
        while another has a value: an old one that was deleted after a rotation stops nothing.
        """
        found = self._found(references, deadline, REFRESHED_AFTER if fresh else None)
        values = {each: value for each, value in found.items() if isinstance(value, str)}
        missing = [
            f"{each}: {what.why}"
            for each, what in found.items()
            if isinstance(what, _Missing) and not (what.absent and values)
        ]
        return values, missing

    def _found(
        self, references: Sequence[Reference], deadline: float, younger_than: float | None
    ) -> dict[Reference, str | _Missing]:
        names = sorted({(each.store, each.name) for each in references if each.store != "env"})
        if any(self._is_due(name, younger_than) for name in names):
            self._refresh(names, deadline, younger_than)
        return {each: self._value(each, fresh=younger_than is not None) for each in references}

    def _is_due(self, name: _Name, younger_than: float | None) -> bool:
        known = self._fetched.get(name)
        if known is None:
            return True
        return self._monotonic() >= (known.expires if younger_than is None else known.tried + younger_than)

    def _refresh(self, names: Sequence[_Name], deadline: float, younger_than: float | None) -> None:
        if not self._one_at_a_time.acquire(timeout=max(deadline - self._monotonic(), 0)):
            return
        try:
            due = [name for name in names if self._is_due(name, younger_than)]
            futures = within(deadline, [partial(self._fetch, name) for name in due])
            for name, future in zip(due, futures, strict=True):
                self._fetched[name] = self._kept(name, future)
        finally:
            self._one_at_a_time.release()

    def _kept(self, name: _Name, future: Future[str]) -> _Fetched:
        now = self._monotonic()
        error = future.exception() if future.done() else TimeoutError()
        if error is None:
            return _Fetched(future.result(), None, now, now + KEPT_FOR)
        if not isinstance(error, TimeoutError | BotoCoreError | ClientError):
            raise error
        problem, before = error_name(error), self._fetched.get(name)
        if problem in _ABSENT:
            # Deleted is revoked: the last good value is for a store that fails, not for one that says no.
            return _Fetched(None, problem, now, now + REFRESHED_AFTER)
        value = before.value if before else None
        return _Fetched(value, problem, now, now + (FAILED_FOR if value is None else REFRESHED_AFTER))

    def _fetch(self, name: tuple[str, str]) -> str:
        store, bare = name
        if store == "secret":
            answer = self._clients("secretsmanager").get_secret_value(SecretId=self._secret_prefix + bare)
            return str(answer.get("SecretString", ""))
        answer = self._clients("ssm").get_parameter(Name=self._parameter_prefix + bare, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    def is_padded(self, reference: Reference) -> bool:
        """Return whether white space or line breaks are stripped from the value that was last fetched."""
        return (raw := self._raw(reference)) is not None and raw != stripped(raw)

    def _value(self, reference: Reference, *, fresh: bool) -> str | _Missing:
        if reference.store == "env":
            return stripped(self._environ.get(reference.name, "")) or _Missing("the variable is not set")
        known = self._fetched.get((reference.store, reference.name))
        if known is None:
            return _Missing("no answer in time")
        if known.value is None or (fresh and known.problem):
            return _Missing(known.problem or "no answer in time", absent=known.problem in _ABSENT)
        # An empty secret would sign and open anything for anyone.
        return stripped(self._raw(reference) or "") or _Missing(
            "the value is empty, binary, or not a JSON object with this key as a string"
        )

    def _raw(self, reference: Reference) -> str | None:
        if reference.store == "env":
            return self._environ.get(reference.name)
        known = self._fetched.get((reference.store, reference.name))
        if known is None or known.value is None or reference.key is None:
            return known.value if known else None
        return _member(known.value, reference.key)


def _member(secret: str, key: str) -> str | None:
    try:
        members = msgspec.json.decode(stripped(secret))
    except msgspec.DecodeError:
        return None
    value = members.get(key) if isinstance(members, dict) else None
    return value if isinstance(value, str) else None
