"""What makes a cold start quick, done to what `sam build` made: bytecode, and JSON in place of YAML."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from flagcast.config.document import from_json, load
from flagcast.edges.runtime.configuration_file import read_text


def make_quick(folder: Path, presets: Iterable[Path]) -> None:
    """Compile every module in a folder, and write the presets as JSON."""
    for each in presets:
        write_as_json(each)
    # Paths in the bytecode are relative, so that the same sources give the same bytes.
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "."]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - our own arguments


def presets_in(layer: Path) -> list[Path]:
    """Return the files of the presets in a layer, or wherever the package is."""
    return sorted(layer.glob("flagcast/presets/*.yaml"))


def write_as_json(document: Path) -> None:
    """Write a document as JSON, which is YAML too, so that a function reads it without importing PyYAML.

    One whose values JSON does not have, such as a date, stays as it is. Raises ConfigurationUnreadable.
    """
    value, repeated = load(read_text(document))
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:
        return
    # A number as a key becomes a text, for one; and a repeated key must stay a problem.
    if not repeated and isinstance(value, dict) and from_json(text) == value:
        document.write_text(text, encoding="utf-8")
