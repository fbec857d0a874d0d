"""The presets there are, and what each needs."""

from rich.table import Table

from flagcast.core.config.presets import read_preset
from flagcast.edges.configuration_file import read_presets
from flagcast_cli.console import out


def show_presets() -> None:
    """Print every preset with what it needs of the operator."""
    table = Table("preset", "for", "needs", box=None, header_style="bold", pad_edge=False)
    for name, text in read_presets().items():
        preset = read_preset(text)
        needs = "\n".join(f"{path}: {sentence}" for path, sentence in preset.needs.items()) or "nothing"
        table.add_row(f"[cyan]{name}[/]", preset.description, needs)
    out.print(table, markup=False)
