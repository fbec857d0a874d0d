"""Everything that can be known to be wrong with a configuration before it is deployed."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import get_args

from flagcast.core.compiling import Compiled, compile_destination
from flagcast.core.config.model import Configuration, Destination, Problem
from flagcast.core.event import NOTICES, Event, Origin, parse
from flagcast.core.notice import Kind, notice_body, notice_id
from flagcast.core.outcomes import FilterFailed, RenderFailed
from flagcast.core.trouble import Trouble
from flagcast.edges.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.rehearsal import rehearsed
from flagcast_cli.samples import sample_files, taken_in


def problems_of(path: Path) -> list[Problem]:
    """Return every problem of a configuration file and its templates, dry runs on every sample included."""
    try:
        configuration, templates = read_configuration(path), read_templates(path)
    except ConfigurationUnreadable as error:
        return [Problem("", str(error))]
    return [*configuration.problems, *_template_problems(configuration, templates)]


def _template_problems(configuration: Configuration, templates: Mapping[str, str]) -> Iterator[Problem]:
    events = [
        (path.stem, event)
        for path in sample_files()
        for event in taken_in(path.read_bytes(), path.stem, configuration)
        if isinstance(event, Event)
    ]
    for name, configured in configuration.destinations.items():
        tried = [*events, *sample_notices()] if name == configuration.notify else events
        destination = configured if isinstance(configured, Destination) else configured.draft
        if destination is None or destination.template not in (None, *templates):
            continue
        path = f"destinations.{name}"
        compiled = compile_destination(destination, templates, path)
        if isinstance(compiled, Compiled):
            yield from dry_run(compiled, path, tried)
        else:
            yield from compiled


def sample_notices() -> Iterator[tuple[str, Event]]:
    """Yield a notice of a trouble, and one of its end."""
    trouble = Trouble("rejected", 1767323045, 403, "no such channel")
    kinds: tuple[Kind, ...] = get_args(Kind)
    for kind in kinds:
        body = notice_body(kind, "another", trouble, 12, "flagcast", 1767323045)
        event = parse(body.encode(), Origin(notice_id(kind, "another", trouble), NOTICES))
        if isinstance(event, Event):
            yield f"notice-{kind}", event


def dry_run(compiled: Compiled, path: str, events: Iterable[tuple[str, Event]]) -> Iterator[Problem]:
    """Render every event that the destination wants; yields each way to fail once, with where it was met."""
    met: dict[str, list[str]] = {}
    for sample, event in events:
        made = rehearsed(compiled, event)
        if isinstance(made, RenderFailed | FilterFailed):
            met.setdefault(made.detail, []).append(sample)
    for detail, samples in met.items():
        others = f" and {len(samples) - 1} more" if len(samples) > 1 else ""
        yield Problem(path, f"{detail} (on sample {samples[0]}{others})")
