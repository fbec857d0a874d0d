"""The presets there are, and what each needs."""

from flagcast.config.presets import read_preset
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast_cli.console import marked, out


def show_presets() -> int:
    """List the ready-made destinations, and what each needs."""
    for name, text in read_presets().items():
        preset = read_preset(text)
        out.print(marked("[bold cyan]{}[/]  {}", name, preset.description), soft_wrap=True)
        for path, sentence in preset.needs.items():
            out.print(marked("  {}  [dim]{}[/]", path, sentence), soft_wrap=True)
    return 0
