"""Everything that can be known to be wrong with a configuration before an event comes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from flagcast.config.model import Configuration, Destination, Problem, Source
from flagcast.config.presets import Answers, read_preset
from flagcast.config.value_path import below
from flagcast.events.event import NOTICES, Event, InvalidEvent, Origin, parse
from flagcast.notices.notice import Kind, notice_body, notice_id
from flagcast.notices.trouble import Trouble
from flagcast.preflight.dry_run import SOME_TIME, lookalikes_in, rehearsed
from flagcast.preflight.expression_checks import doubts
from flagcast.preflight.sample_changes import with_changes
from flagcast.preflight.unknown_fields import misspelt
from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.tasks.outcomes import Filtered, FilterFailed

OLD_EVENTS, NEW_EVENTS = "0.1", "0.2"
"""The versions of Flipt's events: before 1.44, and since."""

_RECEIVED_AT = "2026-01-02T03:04:05.678Z"


def problems(
    configuration: Configuration,
    templates: Mapping[str, str],
    samples: Mapping[str, bytes],
    presets: Mapping[str, str],
) -> list[Problem]:
    """Return every problem, dry runs of every template on every sample (raw bodies by name) included.

    What is odd and may be meant is a warning. `presets` is the text of each, whose vendor's answers `accept` and
    `retry.when` are tried on.
    """
    found = list(configuration.problems)
    for path, compiled, tried in _tried(configuration, templates, samples):
        if isinstance(compiled, Compiled):
            found += dry_run(compiled, path, tried)
            found += doubts(compiled, path, _answers(compiled, presets), tried)
            found += _lookalikes(compiled, path, tried)
        else:
            found += compiled
    return found


def taken_in(raw: bytes, name: str, configuration: Configuration) -> Iterator[Event | InvalidEvent]:
    """Yield an event as each source would have taken it in; as one without settings where none is right."""
    usable = {name: source for name, source in configuration.sources.items() if isinstance(source, Source)}
    for source_name, source in (usable or {"source": Source()}).items():
        yield parse(raw, Origin(f"evt_{name}", source_name, source.environment, source.flipt_url, _RECEIVED_AT))


def sample_notices() -> Iterator[tuple[str, Event]]:
    """Yield a notice of a trouble, and one of its end."""
    trouble = Trouble("rejected", SOME_TIME, 403, "no such channel")
    kinds: tuple[Kind, ...] = get_args(Kind)
    for kind in kinds:
        body = notice_body(kind, "another", trouble, 12, "flagcast", SOME_TIME)
        event = parse(body.encode(), Origin(notice_id(kind, "another", trouble), NOTICES))
        assert isinstance(event, Event)
        yield f"notice-{kind}", event


def dry_run(compiled: Compiled, path: str, events: Iterable[tuple[str, Event]]) -> Iterator[Problem]:
    """Render every event that the destination wants; yields one problem for each place that fails.

    One mistake fails in many ways: what is wrong with a result depends on the event. That a Go body fails which
    is right for one version of Flipt is a warning.
    """
    met: dict[TextPosition | None, tuple[str, dict[str, Event]]] = {}
    tried, failed = Counter[str](), Counter[str]()
    for sample, event in events:
        made = rehearsed(compiled, event)
        tried[event.version] += not isinstance(made, Filtered)
        if isinstance(made, FilterFailed):
            made = RenderFailed(made.detail, TextPosition("when"))
        if isinstance(made, RenderFailed):
            met.setdefault(made.spot, (made.what, {}))[1][sample] = event
            failed[event.version] += 1
    only = _only_version(tried, failed) if compiled.destination.engine == "go" else None
    for spot, (what, failing) in met.items():
        where = below(path, _key(compiled.destination, spot))
        hint = f"it is {only}" if only else _hint(failing.values())
        yield Problem(where, what, hint, spot=spot, is_warning=only is not None, samples=_on([*failing]))


def _hint(failing: Iterable[Event]) -> str:
    """Say what can be done where only those events fail that have no payload."""
    is_of_denied = all(each.is_denied for each in failing)
    return "a denied event has no payload; `when: not event.is_denied` leaves it out" if is_of_denied else ""


def _key(destination: Destination, spot: TextPosition | None) -> str:
    """Return the key that leads to the text in which a spot is; an included file is the body's."""
    if spot is not None and (spot.name == "when" or spot.name.startswith("headers.")):
        return spot.name
    return "body" if destination.template is None else "template"


def _only_version(tried: Counter[str], failed: Counter[str]) -> str | None:
    """Say which Flipt a Go body is for, if it fails because it is for that one alone."""
    if failed[OLD_EVENTS] and not failed[NEW_EVENTS] and tried[NEW_EVENTS]:
        return f"for Flipt 1.44 and later: only events of version {OLD_EVENTS} fail"
    if failed[NEW_EVENTS] == tried[NEW_EVENTS] > 0 and tried[OLD_EVENTS] and not failed[OLD_EVENTS]:
        return f"for Flipt before 1.44: every event of version {NEW_EVENTS} fails"
    return None


def _on(samples: list[str]) -> str:
    return f"on sample {samples[0]}{f' and {len(samples) - 1} more' if len(samples) > 1 else ''}"


def _lookalikes(compiled: Compiled, path: str, events: Iterable[tuple[str, Event]]) -> Iterator[Problem]:
    met: dict[str, dict[str, None]] = {}
    for sample, event in events:
        for sentence in lookalikes_in(compiled, event):
            met.setdefault(sentence, {})[sample] = None
    where = f"{path}.{'body' if compiled.destination.template is None else 'template'}"
    for sentence, samples in met.items():
        yield Problem(where, sentence, is_warning=True, samples=_on([*samples]))


def _answers(compiled: Compiled, presets: Mapping[str, str]) -> Answers:
    preset = compiled.destination.preset
    return read_preset(presets[preset]).answers if preset is not None and preset in presets else Answers()


def _tried(
    configuration: Configuration, templates: Mapping[str, str], samples: Mapping[str, bytes]
) -> Iterator[tuple[str, Compiled | tuple[Problem, ...], list[tuple[str, Event]]]]:
    """Yield each destination that can be compiled, by its path, and the events that it is tried on."""
    events = [
        (name, event)
        for name, raw in samples.items()
        for event in taken_in(raw, name, configuration)
        if isinstance(event, Event)
    ]
    events += with_changes(events)
    for name, configured in configuration.destinations.items():
        tried = [*events, *sample_notices()] if name == configuration.notify else events
        destination = configured if isinstance(configured, Destination) else configured.draft
        if destination is None or destination.template not in (None, *templates):
            continue
        path = f"destinations.{name}"
        compiled = compile_destination(destination, templates, path)
        wrong = tuple(misspelt(destination, templates, path)) if isinstance(compiled, Compiled) else ()
        yield path, wrong or compiled, tried
