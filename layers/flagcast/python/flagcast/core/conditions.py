"""What a destination asks before an event is sent to it, and of the answer."""

from typing import Any

import msgspec
from msgspec import Struct

from flagcast.core.compiling import Compiled
from flagcast.core.event import Event
from flagcast.core.names import names_for
from flagcast.core.outcomes import Answered, FilterFailed, NotAccepted, RenderFailed


class Response(Struct, frozen=True):
    """What `accept` sees of an answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """Return the text as JSON; None where it is not."""
        try:
            return msgspec.json.decode(self.text)
        except (msgspec.DecodeError, RecursionError):
            return None


def wanted(compiled: Compiled, event: Event) -> bool | FilterFailed:
    """Ask `when` of an event; what Flagcast itself has to say is wanted wherever it is sent."""
    if compiled.when is None or event.is_notice:
        return True
    answer = compiled.when.ask(names_for(event, {}))
    return FilterFailed(answer.detail) if isinstance(answer, RenderFailed) else answer


def accepted(compiled: Compiled, answer: Answered) -> Answered | NotAccepted:
    """Ask `accept` of an answer that says 2xx; what it cannot be asked of, it does not hold for."""
    if compiled.accept is None or not 200 <= answer.status <= 299:
        return answer
    held = compiled.accept.ask({"response": Response(answer.status, answer.excerpt)})
    if isinstance(held, RenderFailed):
        return NotAccepted(answer.status, f"{held.detail}; {answer.excerpt}")
    return answer if held else NotAccepted(answer.status, answer.excerpt)
