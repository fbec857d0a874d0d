"""Everything that can be known to be wrong with a configuration before it is deployed."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flagcast.core.compiling import Compiled, compile_destination
from flagcast.core.config.model import Configuration, Destination, Problem, Source
from flagcast.core.event import Event, Origin, parse
from flagcast.core.outcomes import RenderFailed
from flagcast.core.rendering import render
from flagcast.core.routing import wants
from flagcast.edges.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.samples import sample_files

_RECEIVED_AT = "2026-01-02T03:04:05.678Z"


def problems_of(path: Path) -> list[Problem]:
    """Return every problem of a configuration file and its templates, dry runs on every sample included."""
    try:
        configuration, templates = read_configuration(path), read_templates(path)
    except ConfigurationUnreadable as error:
        return [Problem("", str(error))]
    return [*configuration.problems, *_template_problems(configuration, templates)]


def _template_problems(configuration: Configuration, templates: Mapping[str, str]) -> Iterator[Problem]:
    samples = {path.stem: path.read_bytes() for path in sample_files()}
    for name, configured in configuration.destinations.items():
        destination = configured if isinstance(configured, Destination) else configured.draft
        if destination is None or destination.template not in (None, *templates):
            continue
        path = f"destinations.{name}"
        compiled = compile_destination(destination, templates, path)
        if isinstance(compiled, Compiled):
            yield from _dry_run(compiled, path, _sampled(samples, configuration))
        else:
            yield from compiled


def _sampled(samples: Mapping[str, bytes], configuration: Configuration) -> Iterator[tuple[str, Event]]:
    """Yield each sample as each source would have taken it in; as one of no settings where none is right."""
    usable = {name: source for name, source in configuration.sources.items() if isinstance(source, Source)}
    for source_name, source in (usable or {"source": Source()}).items():
        for sample, raw in samples.items():
            event = parse(raw, _origin(sample, source_name, source))
            if isinstance(event, Event):
                yield sample, event


def _origin(sample: str, name: str, source: Source) -> Origin:
    return Origin(f"evt_{sample}", name, source.environment, source.flipt_url, _RECEIVED_AT)


def _dry_run(compiled: Compiled, path: str, events: Iterable[tuple[str, Event]]) -> Iterator[Problem]:
    """Render every event that the destination wants; yields each way to fail once, with where it was met."""
    values = dict.fromkeys(compiled.references, "https://secret.example.com")
    met: dict[str, list[str]] = {}
    for sample, event in events:
        if not wants(compiled.destination, event):
            continue
        if isinstance(made := render(compiled, event, values, now=0), RenderFailed):
            met.setdefault(made.detail, []).append(sample)
    for detail, samples in met.items():
        others = f" and {len(samples) - 1} more" if len(samples) > 1 else ""
        yield Problem(path, f"{detail} (on sample {samples[0]}{others})")
