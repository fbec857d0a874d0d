"""docs/reference.md: every command and option, from what `--help` says.

`python -m scripts.command_reference` writes it.
"""

from flagcast_cli.checkout import ROOT
from flagcast_cli.main import app

PAGE = ROOT / "docs" / "reference.md"
_HEAD = """\
# Commands

Every command and option of `flagcast`, as `--help` shows them. This page is generated:
`python -m scripts.command_reference`.

"""


def reference() -> str:
    """Return the page; paths are given from the root of the checkout."""
    made = app.generate_docs(output_format="markdown", heading_level=2, usage_name="flagcast")
    # Cyclopts names the module that runs, where one does, in each command.
    made = made.replace(" -m scripts.command_reference", "")
    # The heading of an option that is a command has its dashes, and the link to it has not.
    made = made.replace("(#flagcast-install-completion)", "(#flagcast---install-completion)")
    lines = made.replace(f"{ROOT}/", "").replace("```console", "```text").splitlines()
    return _HEAD + "\n".join(line.rstrip() for line in lines).strip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
