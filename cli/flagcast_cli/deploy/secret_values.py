"""Whether each value can be used where it stands: read with the operator's own credentials, and never shown."""

import re
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from flagcast.config.model import Configuration, Destination, Problem
from flagcast.config.secret_references import Reference, Values
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.events.event import Event
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import Faulty
from flagcast_cli.deploy.required_secrets import uses

WITHIN = 30.0
_PLACEHOLDER = re.compile(r"(\.\.\.|…)$|^<.*>$|^(change|replace)[-_ ]?me$|^(todo|x+)$", re.IGNORECASE)


def unusable(
    configuration: Configuration,
    templates: Mapping[str, str],
    events: Sequence[Event],
    store: SecretStore,
    unread: Container[Reference],
) -> Iterator[Problem]:
    """Yield every value that cannot be had or used, by who needs it.

    `unread` holds what is not there to be read, without keys; nothing can be said of a destination that names it.
    """
    deadline = time.monotonic() + WITHIN
    for user, references in uses(configuration).items():
        values: dict[Reference, str] = {}
        for each in references:
            if each.stored not in unread:
                found, missing = store.lookup([each], deadline)
                values |= found
                yield from (Problem(user, sentence) for sentence in missing)
                yield from _odd(user, each, found.get(each, ""), store)
        kind, _, name = user.partition(".")
        destination = configuration.destinations.get(name)
        if kind == "destinations" and isinstance(destination, Destination) and len(values) == len(references):
            compiled = compile_destination(destination, templates, user)
            if isinstance(compiled, Compiled) and (fault := fault_of(compiled, events, values, time.time())):
                where, _, what = fault.detail.partition(": ")
                yield Problem(f"{user}.{where}", what)


def _odd(user: str, reference: Reference, value: str, store: SecretStore) -> Iterator[Problem]:
    """Yield what can be used and was hardly meant."""
    if _PLACEHOLDER.search(value):
        yield Problem(user, f"{reference}: its value is a placeholder, such as ...; store the real value")
    elif store.is_padded(reference):
        what = "white space around its value is removed; if the other side uses the value with it, change it there"
        yield Problem(user, f"{reference}: {what}", is_warning=True)


def fault_of(compiled: Compiled, events: Iterable[Event], values: Values, now: float) -> Faulty | None:
    """Return what is wrong with the values of a destination, by a request made with them; `now` in epoch seconds.

    A template may not be made for the event at hand, which says nothing of the values: then another one is tried.
    """
    for event in events:
        made = render(compiled, event, values, now)
        if not isinstance(made, RenderFailed):
            return made if isinstance(made, Faulty) else None
    return None
