"""How a flagcast.yaml that a command writes begins, and how one value of it is written."""

import yaml

from flagcast_cli.deploy.required_secrets import OWN_SECRET


def opening(made: str) -> list[str]:
    """Return the first lines, up to the source's signing secret; `made` says where the file comes from."""
    return [
        f"# {made} Check it with `flagcast check`.",
        "# This file has names of secrets, never secrets: ${secret:NAME} is looked up in Secrets Manager under",
        "# flagcast/<stack>/. Every key is in docs/configuration.md.",
        "",
        "sources:",
        "  # POST https://.../webhooks/flipt, signed by Flipt with the secret that the stack generates.",
        "  flipt:",
        f'    signing_secrets: ["{OWN_SECRET}"]',
    ]


def scalar(text: str) -> str:
    """Write one text, quoted where YAML would take it for something else."""
    style = None if text.isprintable() else '"'
    written: str = yaml.safe_dump(text, default_style=style, width=float("inf"), allow_unicode=True)
    return written.removesuffix("...\n").rstrip("\n")


def comment(text: str) -> str:
    """Keep a text to the one line that a comment is."""
    return " ".join(text.split())
