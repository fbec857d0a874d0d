"""Go's text/template, as Flipt fills its own: the same names, the same functions, the same failures."""

from flagcast.core.compiling import Template
from flagcast.core.outcomes import RenderFailed


def compile_go(source: str, name: str) -> Template | RenderFailed:
    """Compile a template of Flipt's, or say where and why it cannot be."""
    return RenderFailed(f"{name}: not yet {source:.0}")
