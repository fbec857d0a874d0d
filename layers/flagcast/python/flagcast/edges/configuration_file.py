"""flagcast.yaml and templates/ beside it, as they lie on disk: in the layer under /opt, or in a checkout."""

import ssl
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from flagcast.core.config.model import Configuration, Destination
from flagcast.core.config.read import Beside, read
from flagcast.errors import ConfigurationUnreadable

TEMPLATES = "templates"
PRESETS = Path(__file__).parents[1] / "presets"


def read_configuration(path: Path) -> Configuration:
    """Read the configuration; raises ConfigurationUnreadable."""
    try:
        authorities = _authority_files(path)
        beside = Beside(list(_template_files(path)), read_presets(), list(authorities))
        return _with_paths(read(path.read_text(encoding="utf-8"), beside), authorities)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationUnreadable(f"{path}: {_why(error)}") from error


def read_templates(path: Path) -> dict[str, str]:
    """Read every template file beside the configuration; raises ConfigurationUnreadable."""
    try:
        return {name: file.read_text(encoding="utf-8") for name, file in _template_files(path).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationUnreadable(f"{path.parent / TEMPLATES}: {_why(error)}") from error


def read_presets() -> dict[str, str]:
    """Read the text of every preset, by its name."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(PRESETS.glob("*.yaml"))}


def _template_files(path: Path) -> dict[str, Path]:
    folder = path.parent / TEMPLATES
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def _authority_files(path: Path) -> dict[str, Path]:
    """Find the files whose certificates can be used; a file of anything else is none of them."""
    found: dict[str, Path] = {}
    for file in sorted(path.parent.glob("*.pem")):
        with suppress(OSError):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
            found[file.name] = file
    return found


def _with_paths(configuration: Configuration, authorities: dict[str, Path]) -> Configuration:
    """Turn the names of files of certificates to paths: where they lie is known here alone."""
    destinations = {
        name: structs.replace(each, ca_file=str(authorities[each.ca_file]))
        if isinstance(each, Destination) and each.ca_file is not None
        else each
        for name, each in configuration.destinations.items()
    }
    return structs.replace(configuration, destinations=destinations)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else f"not UTF-8 at byte {error.start}"
