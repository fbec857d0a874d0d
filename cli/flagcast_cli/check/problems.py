"""A configuration file, checked as it will be before it is deployed."""

from pathlib import Path

from flagcast.config.document import load
from flagcast.config.model import Problem
from flagcast.config.value_origin import at_their_origins
from flagcast.edges.runtime.configuration_file import read_configuration, read_presets, read_templates, read_text
from flagcast.errors import ConfigurationUnreadable
from flagcast.preflight.configuration_problems import problems
from flagcast_cli.check.advice import advice
from flagcast_cli.check.value_positions import ValuePositions
from flagcast_cli.samples import sample_files


def problems_of(path: Path) -> list[Problem]:
    """Return every problem of a configuration file and its templates, dry runs on every sample included."""
    return [each for each in everything_about(path) if not each.is_warning]


def warnings_of(path: Path) -> list[Problem]:
    """Return what is odd about a configuration and stops nothing."""
    return [each for each in everything_about(path) if each.is_warning]


def everything_about(path: Path) -> list[Problem]:
    """Return every problem, and what is only warned of."""
    if not path.is_file():
        what = "no such file; give --config (CONFIG with make) a folder with flagcast.yaml, or a file"
        return [Problem("", what)]
    try:
        configuration, templates, text = read_configuration(path), read_templates(path), read_text(path)
    except ConfigurationUnreadable as error:
        return list(error.args)
    samples = {file.stem: file.read_bytes() for file in sample_files()}
    presets = read_presets()
    found = [
        *problems(configuration, templates, samples, presets),
        *advice(configuration, ValuePositions.of(text), templates),
    ]
    return list(at_their_origins(found, load(text)[0], presets))
