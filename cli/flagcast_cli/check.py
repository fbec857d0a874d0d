"""A configuration file, checked as it will be before it is deployed."""

from pathlib import Path

from flagcast.core.checking import problems, warnings
from flagcast.core.config.model import Configuration, Problem
from flagcast.edges.configuration_file import read_configuration, read_presets, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.samples import sample_files


def problems_of(path: Path) -> list[Problem]:
    """Return every problem of a configuration file and its templates, dry runs on every sample included."""
    if not path.is_file():
        return [
            Problem("", f"{path}: No such file; --config (CONFIG with make) is a folder with flagcast.yaml, or a file")
        ]
    try:
        return problems(*_read(path))
    except ConfigurationUnreadable as error:
        return [Problem("", str(error))]


def warnings_of(path: Path) -> list[Problem]:
    """Return what is odd about a configuration that has no problems."""
    return warnings(*_read(path))


def _read(path: Path) -> tuple[Configuration, dict[str, str], dict[str, bytes], dict[str, str]]:
    samples = {file.stem: file.read_bytes() for file in sample_files()}
    return read_configuration(path), read_templates(path), samples, read_presets()
