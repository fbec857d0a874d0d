"""flagcast.yaml and templates/ beside it, as they lie on disk: in the layer under /opt, or in a checkout."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from flagcast.config.model import Configuration, Destination, Problem
from flagcast.config.read import Beside, read
from flagcast.errors import ConfigurationUnreadable, TemplateUnreadable
from flagcast.primitives.text_position import TextPosition

TEMPLATES = "templates"
_NOT_UTF8 = "not UTF-8; save it as UTF-8"
PRESETS = Path(__file__).parents[2] / "presets"


def read_configuration(path: Path) -> Configuration:
    """Read the configuration; raises ConfigurationUnreadable."""
    try:
        authorities = _authority_files(path)
        beside = Beside(list(_template_files(path)), read_presets(), list(authorities))
        return _with_paths(read(read_text(path), beside), authorities)
    except OSError as error:
        raise ConfigurationUnreadable(Problem("", f"{path}: {error.strerror or type(error).__name__}")) from error


def read_text(path: Path) -> str:
    """Read the text of the configuration; raises OSError, and ConfigurationUnreadable where it is not UTF-8."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = _spot_of(error)
        raise ConfigurationUnreadable(Problem("", _NOT_UTF8, spot=spot)) from error


class TemplateFiles(Mapping[str, str]):
    """The files of templates/ by their names; one is read when it is first asked for, and then kept.

    So that a stray file there, such as the .DS_Store of macOS, harms no destination: only what is named is read.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Take where each file is."""
        self._files = files
        self._read: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """Return the text of a file; raises KeyError where there is none, and TemplateUnreadable."""
        if name not in self._read:
            file = self._files[name]
            try:
                self._read[name] = file.read_bytes().decode("utf-8-sig")
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise TemplateUnreadable(f"{TEMPLATES}/{name} cannot be read: {why}") from error
            except UnicodeDecodeError as error:
                raise TemplateUnreadable(f"{TEMPLATES}/{name}, {_spot_of(error)}: {_NOT_UTF8}") from error
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._files)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a file of this name; Mapping's own would read it."""
        return name in self._files


def read_templates(path: Path) -> TemplateFiles:
    """Return the template files beside the configuration, each to be read when it is first asked for."""
    return TemplateFiles(_template_files(path))


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


def _spot_of(error: UnicodeDecodeError) -> TextPosition:
    """Return the line and column from which a text is not UTF-8."""
    before = error.object[: error.start]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return TextPosition("", before.count(b"\n") + 1, column)
