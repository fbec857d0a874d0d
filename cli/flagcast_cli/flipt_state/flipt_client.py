"""A running Flipt, asked over its REST API: pages, patience, and errors that say what to do."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
import requests
from msgspec import Struct
from requests import PreparedRequest, RequestException, Response

from flagcast.primitives.network_address import is_url
from flagcast_cli.console import CommandError

PATIENCE: Final = 30
"""Seconds to connect, and for each read: a page of a hundred flags may take a database a while."""
TRIES: Final = 5
LONGEST_WAIT: Final = 120
"""Seconds that Flipt, or what is in front of it, may ask for by Retry-After."""
PAGE: Final = 100
"""Flipt's most for one page: its internal/storage/storage.go, MaxListLimit."""
FURTHEST_AHEAD: Final = 300
"""Seconds by which Flipt's clock may be ahead of this one; AWS accepts no request of a clock that is further off."""

NAMESPACES: Final = "/api/v1/namespaces"
"""What every Flipt 1 has, and the first thing that it is asked for."""

_ADDRESS = "Give the address of Flipt's UI, without a path: https://flipt.example.com"
_BUSY = frozenset({429, 502, 503, 504})


class Answer[T](Struct, frozen=True):
    """What Flipt answered, and its own times around that (epoch seconds): no later than asked, and when answered."""

    value: T
    asked: int
    answered: int


class Flipt:
    """One Flipt. Every call raises CommandError where it cannot be read."""

    def __init__(
        self, url: str, token: str | None, token_env: str, now: Callable[[], float], wait: Callable[[float], None]
    ) -> None:
        """Keep the address, and the token with the name of the variable that it came from."""
        if not is_url(url):
            # It is not repeated: it may hold a password.
            raise CommandError(
                "--flipt-url is not an http:// or https:// address, or contains a user or password", _ADDRESS
            )
        self._base = url.partition("?")[0].rstrip("/")
        self._token_env = token_env
        self._now = now
        self._wait = wait
        self._last = 0
        self._session = requests.Session()
        # With a function of our own requests does not look into .netrc.
        self._session.auth = _bearer(token)

    def version(self) -> str:
        """Return where it may not be asked, as by a token of one namespace."""
        response = self._send("/meta/info", {})
        try:
            told = msgspec.json.decode(response.content, type=dict[str, Any]) if response.status_code == 200 else {}
        except msgspec.DecodeError:
            told = {}
        version = told.get("version")
        return version if isinstance(version, str) else ""

    def get[T](self, path: str, kind: type[T], **query: str) -> Answer[T]:
        """Ask for one thing."""
        asked = self._last
        response = self._send(path, query)
        self._refuse(path, response)
        try:
            value = msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._not_flipts(path, response, error) from error
        return Answer(value, asked, self._last)

    def pages[T](self, path: str, kind: type[T], next_page: Callable[[T], str]) -> Iterator[Answer[T]]:
        """Ask for a list, page by page."""
        token = ""
        while True:
            answer = self.get(path, kind, limit=str(PAGE), **({"pageToken": token} if token else {}))
            yield answer
            if not (token := next_page(answer.value)):
                return

    def _send(self, path: str, query: dict[str, str]) -> Response:
        """Send a request, again while Flipt is busy or does not answer, and note when it answered."""
        for number in range(TRIES - 1):
            try:
                response = self._once(path, query)
            except (requests.ConnectionError, requests.Timeout):
                self._wait(2**number)
                continue
            if response.status_code not in _BUSY:
                break
            self._wait(_rest(response, 2**number))
        else:
            try:
                response = self._once(path, query)
            except RequestException as error:
                raise self._unreachable(error) from error
        self._note_time(path, response)
        return response

    def _once(self, path: str, query: dict[str, str]) -> Response:
        try:
            return self._session.get(f"{self._base}{path}", params=query, timeout=PATIENCE, allow_redirects=False)
        except (requests.ConnectionError, requests.Timeout):
            raise
        except (RequestException, ValueError) as error:
            # A host with an empty or overlong label is a ValueError: https://github.com/psf/requests/issues/3687
            raise self._unreachable(error) from error

    def _note_time(self, path: str, response: Response) -> None:
        try:
            self._last = int(parsedate_to_datetime(response.headers["Date"]).timestamp())
        except (KeyError, ValueError) as error:
            raise CommandError(
                f"{self._base}{path} answers without a Date header, which says when it was read",
                "If there is a proxy in front of Flipt, it must keep this header.",
            ) from error
        if self._last > self._now() + FURTHEST_AHEAD:
            raise CommandError(
                f"Flipt's clock is {self._last - self._now():.0f} s ahead of this machine's",
                "Correct the clock that is wrong, then run this command again.",
            )

    def _refuse(self, path: str, response: Response) -> None:
        status = response.status_code
        if status == 200:
            return
        said = f"{self._base}{path} answers {status}"
        if status in (401, 403):
            raise CommandError(
                said,
                f"Set {self._token_env} to a Flipt token that may read every namespace; --token-env names another"
                " variable.",
            )
        if status in _BUSY:
            raise CommandError(f"{said}, {TRIES} times", "Run this command again when Flipt is less busy.")
        if 300 <= status < 400:
            raise CommandError(f"{said}: it redirects, and a token must not be sent to another address", _ADDRESS)
        if status == 404 and path == NAMESPACES:
            raise CommandError(said, _ADDRESS, "Only Flipt 1 has this API.")
        if status == 404:
            raise CommandError(said, "It was deleted while Flipt was read: run this command again.")
        raise CommandError(said, "Flipt's log says why.")

    def _not_flipts(self, path: str, response: Response, error: Exception) -> CommandError:
        if "html" in response.headers.get("Content-Type", "") or response.content.lstrip()[:1] == b"<":
            return CommandError(f"{self._base}{path} answers with HTML, not with JSON", _ADDRESS)
        return CommandError(f"{self._base}{path} does not answer like Flipt 1: {error}", _ADDRESS)

    def _unreachable(self, error: Exception) -> CommandError:
        return CommandError(
            f"{self._base} cannot be reached: {type(error).__name__}", f"curl -i {self._base}/meta/info"
        )


def _bearer(token: str | None) -> Callable[[PreparedRequest], PreparedRequest]:
    def signed(request: PreparedRequest) -> PreparedRequest:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return signed


def _rest(response: Response, otherwise: float) -> float:
    """Return the seconds that an answer asks to wait; one that is longer than we would is an error."""
    asked = response.headers.get("Retry-After", "")
    if not asked.isdecimal():
        return otherwise
    if int(asked) > LONGEST_WAIT:
        raise CommandError(
            f"Flipt asks to wait {asked} s before the next request", "Run this command again after that time."
        )
    return int(asked)
