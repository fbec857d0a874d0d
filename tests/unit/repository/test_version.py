"""One version, wherever it is said."""

import re
import tomllib

from flagcast import __version__
from flagcast_cli.checkout import ROOT


def test_the_package_the_project_and_the_changelog_name_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert (project["version"], newest[1]) == (__version__, __version__)
