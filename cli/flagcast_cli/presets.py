"""The presets there are, and what each needs."""

from rich.markup import escape

from flagcast.core.config.presets import read_preset
from flagcast.edges.configuration_file import read_presets
from flagcast_cli.console import out


def show_presets() -> None:
    """Print every preset with what it needs of the operator."""
    for name, text in read_presets().items():
        preset = read_preset(text)
        out.print(f"[bold cyan]{name}[/]  {escape(preset.description)}", soft_wrap=True)
        for path, sentence in preset.needs.items():
            out.print(f"  {path}  [dim]{escape(sentence)}[/]", soft_wrap=True)
