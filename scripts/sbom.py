"""Write the bill of materials of the dependencies layer, CycloneDX 1.6 as JSON: `python -m scripts.sbom [FILE]`.

It says what layers/dependencies/requirements.txt pins and what .venv knows of its licences, and nothing of the moment
or the machine: the same pins give the same bytes. Run it from the root; without FILE it goes to standard output.
The format: https://cyclonedx.org/docs/1.6/json/
"""

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "layers/dependencies/requirements.txt"

_ENTRY = re.compile(r"^[^\s#].*(?:\n .*)*", re.MULTILINE)
_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=(\w+):([0-9a-f]+)")
_VIA = re.compile(r"^ +# (?:via |  )([a-z0-9-]+)", re.MULTILINE)
_ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def document(requirements: str, project: str, version: str) -> dict[str, Any]:
    """Describe what `uv pip compile --generate-hashes` wrote for a project, named as in the `# via` comments.

    A requirement's hashes are those of all its files, as the lock does not say which one a machine takes.
    Raises ValueError where an entry is no pin, or a pin has no hash: such a bill would hide what is installed.
    """
    root = {"type": "application", "bom-ref": project, "name": project, "version": version}
    entries = _ENTRY.findall(requirements)
    components = [_component(entry) for entry in entries]
    needs: dict[str, list[str]] = {project: []} | {each["bom-ref"]: [] for each in components}
    reference = {project: project} | {each["name"]: each["bom-ref"] for each in components}
    for entry, component in zip(entries, components, strict=True):
        for by in set(_VIA.findall(entry)) - {"-c", "--override"}:
            needs[reference[by]].append(component["bom-ref"])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)} for ref, on in needs.items()],
    }


def licenses(name: str, version: str) -> list[dict[str, Any]]:
    """Name a distribution's licences as its metadata in this environment does; none where that is another version's.

    Only License-Expression is sure to be SPDX (https://packaging.python.org/en/latest/specifications/core-metadata/).
    """
    try:
        fields = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if fields["Version"] != version:
        return []
    if expression := fields.get("License-Expression"):
        return [{"expression": expression}]
    names = [each.rpartition(" :: ")[2] for each in fields.get_all("Classifier", []) if each.startswith("License ::")]
    text = fields.get("License", "")
    return [{"license": {"name": each}} for each in names or ([text] if text and "\n" not in text else [])]


def rendered() -> str:
    """Render the layer's bill of materials, a line feed at its end."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return json.dumps(document(REQUIREMENTS.read_text(), "flagcast", version), indent=2) + "\n"


def _component(entry: str) -> dict[str, Any]:
    pin, hashes = _PIN.match(entry), _HASH.findall(entry)
    if not pin or not hashes:
        raise ValueError(f"this is no pin with hashes: {entry.splitlines()[0]}")
    name, version = pin["name"], pin["version"]
    purl = f"pkg:pypi/{name}@{version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    component["hashes"] = [{"alg": _ALGORITHMS[algorithm], "content": content} for algorithm, content in hashes]
    if known := licenses(name, version):
        component["licenses"] = known
    return component


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(rendered())
    else:
        sys.stdout.write(rendered())
