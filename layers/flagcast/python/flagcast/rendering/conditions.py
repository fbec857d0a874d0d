"""What a destination asks before an event is sent to it, and of the answer."""

from msgspec import structs

from flagcast.events.event import Event
from flagcast.exchange.response import Response, points_to
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled
from flagcast.rendering.template_context import names_for
from flagcast.tasks.outcomes import Answered, FilterFailed, NotAccepted, NotNow
from flagcast.templates.jinja.template import Expression

_CHALLENGED = "x-amzn-waf-action"
"""What AWS WAF answers 202 with in place of the destination, to find out whether a browser asks.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html
"""


def wanted(compiled: Compiled, event: Event) -> bool | FilterFailed:
    """Ask `when` of an event; what Flagcast itself has to say is wanted wherever it is sent."""
    if compiled.when is None or event.is_notice:
        return True
    answer = compiled.when.ask(names_for(event, {}, with_summary=compiled.uses_summary))
    return FilterFailed(answer.detail) if isinstance(answer, RenderFailed) else answer


def judged(compiled: Compiled, answer: Answered) -> Answered | NotAccepted | NotNow:
    """Say what an answer comes to: ask `retry.when`, then `accept`; what people read of it is its excerpt.

    A 5xx is an outage, whatever else it says. What `retry.when` cannot be asked of, it does not hold for; nor does
    `accept`, and the detail says why.
    """
    response = Response(answer.status, answer.excerpt, answer.headers)
    said = _for_people(response)
    if compiled.retry_when is not None and answer.status < 500:
        held = compiled.retry_when.ask({"response": response})
        if held is True:
            return NotNow(answer.status, answer.retry_after, said)
        if isinstance(held, RenderFailed) and answer.status >= 400:
            said = f"{held.detail}; {said}"
    if _CHALLENGED in answer.headers and answer.status <= 299:
        return NotAccepted(answer.status, f"{_CHALLENGED}: {answer.headers[_CHALLENGED]}; {said}")
    shown = Answered(answer.status, answer.retry_after, said)
    if compiled.accept is None or not may_be_accepted(compiled.accept, answer.status):
        return shown
    held = compiled.accept.ask({"response": response})
    if isinstance(held, RenderFailed):
        return NotAccepted(answer.status, f"{held.detail}; {said}")
    return structs.replace(shown, is_accepted=not shown.is_delivery) if held else NotAccepted(answer.status, said)


def may_be_accepted(accept: Expression, status: int) -> bool:
    """Return whether `accept` is asked: of a 2xx, and of a redirect if it looks at what makes it one.

    One that looks at the text alone means an answer, and would take a page to sign in for one.
    """
    return 200 <= status <= 299 or (300 <= status <= 399 and not accept.looks_at.isdisjoint(("status", "headers")))


def _for_people(response: Response) -> str:
    """Return what people read: where a redirect points, and the text."""
    if 300 <= response.status <= 399 and "location" in response.headers:
        return f"Location: {points_to(response.headers['location'])} {response.text}".rstrip()
    return response.text
