"""What `when`, `accept` and `retry.when` come to on samples, before an event or an answer comes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from flagcast.config.model import Problem
from flagcast.config.presets import Answers
from flagcast.events.event import Event
from flagcast.exchange.response import Response
from flagcast.preflight.match_anything import any_answers, any_events, as_replay
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled
from flagcast.rendering.conditions import may_be_accepted
from flagcast.rendering.template_context import names_for
from flagcast.tasks.routing import wants
from flagcast.templates.jinja.template import Expression

_STATUSES = (200, 201, 202, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 408, 409, 410, 413, 422, 423, 425, 429)
_TEXTS = ("", "ok", "1", '{"ok": true}', '{"ok": false, "error": "ratelimited"}', "<html>Sign in</html>")
_HEADERS = {"Content-Type": "application/json", "Location": "https://login.example.com/", "Retry-After": "30"}


def doubts(compiled: Compiled, path: str, answers: Answers, events: Iterable[tuple[str, Event]]) -> Iterator[Problem]:
    """Yield what is odd about a destination's expressions: a warning, but for what can only fail.

    `answers` are its vendor's, where they are known.
    """
    vendors = [Response(each.status, each.text) for each in (*answers.accepted, *answers.not_now, *answers.rejected)]
    if (accept := compiled.accept) is not None:
        asked = [each for each in vendors or _any_answers() if may_be_accepted(accept, each.status)]
        yield from _doubt(accept, f"{path}.accept", asked, "every delivery would become a dead letter")
    if (retry_when := compiled.retry_when) is not None:
        asked = vendors if answers.not_now else _any_answers()
        yield from _doubt(retry_when, f"{path}.retry.when", asked, "it would never retry anything")
    if (when := compiled.when) is not None:
        seen = [each for _, each in events if not each.is_notice and wants(compiled.destination, each)]
        if _never_holds(when, chain(seen, chain.from_iterable(map(any_events, seen)))):
            sentence = "is true for none of the sample events that match events: nothing would be sent"
            yield Problem(f"{path}.when", sentence, is_warning=True)


def _never_holds(when: Expression, events: Iterable[Event]) -> bool:
    """Return whether it is true for none of some events, replayed or not; one that only fails is the dry run's."""
    is_false = False
    for one in events:
        names = names_for(one, {})
        for each in (one, as_replay(one)):
            answer = when.ask(names | {"event": each})
            if answer is True:
                return False
            is_false = is_false or answer is False
    return is_false


def _any_answers() -> list[Response]:
    told = [Response(status, text, _HEADERS) for status in _STATUSES for text in _TEXTS]
    return [*told, *any_answers(_STATUSES)]


def _doubt(expression: Expression, path: str, asked: Sequence[Response], what_follows: str) -> Iterator[Problem]:
    made = [expression.ask({"response": each}) for each in asked]
    failures = [each.detail.partition(": ")[2] for each in made if isinstance(each, RenderFailed)]
    if len(failures) == len(made):
        yield Problem(path, f"fails on every sample answer: {failures[-1]}")
    elif True not in made:
        yield Problem(path, f"is true for none of the sample answers: {what_follows}", is_warning=True)
