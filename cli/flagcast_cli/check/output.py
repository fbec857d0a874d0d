"""Problems as people, programs and GitHub read them."""

import json
from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from flagcast_cli.check.located_problem import Found
from flagcast_cli.console import counted, err, marked, out


def show_text(found: Sequence[Found], about: str) -> None:
    """Print problems for a person: each on stderr, and how many there are."""
    for each in found:
        for line in as_text(each):
            err.print(line, soft_wrap=True)
    warnings = sum(each.is_warning for each in found)
    errors = len(found) - warnings
    counts = [
        counted(errors, "problem") if errors else "no problems",
        *([counted(warnings, "warning")] * bool(warnings)),
    ]
    told = ", ".join(counts)
    if errors:
        err.print(marked("[red]✗[/] {}: {}", about, told), soft_wrap=True)
    else:
        out.print(marked("[green]✓[/] {}: {}", about, told), soft_wrap=True)


def show_json(found: Sequence[Found], _: str) -> None:
    """Write problems for a program, to stdout."""
    out.write(as_json(found) + "\n")


def show_annotations(found: Sequence[Found], _: str) -> None:
    """Write problems for GitHub, to stdout, where it reads workflow commands."""
    out.write("".join(as_annotation(each) + "\n" for each in found))


def as_text(found: Found) -> Iterator[str]:
    """Yield the lines of a problem: its place, the line of the file with a caret, and the next step."""
    place = ":".join(str(each) for each in (found.file, found.line, found.column) if each)
    yield ": ".join(each for each in (place, "warning" * found.is_warning, found.path, found.message) if each)
    hint = found.hint
    if found.source is not None and found.source.strip():
        yield f"{found.line:>5} | {found.source}"
        # Tabs are kept, so that the caret is where the terminal puts the column.
        before = "".join(each if each == "\t" else " " for each in found.source[: found.column - 1])
        end = found.end or len(found.source.rstrip()) + 1
        carets = "^" * max(end - found.column, 1)
        yield f"{'':>5} | {before}{carets} {hint}".rstrip()
        hint = ""
    if hint:
        yield f"    {hint}"
    if found.fix:
        yield f"    {found.fix}"


def as_json(listed: Iterable[Found]) -> str:
    """Return a list of objects, in the same order."""
    return json.dumps(
        [
            {
                "severity": "warning" if each.is_warning else "error",
                **{
                    name: value
                    for name, value in structs.asdict(each).items()
                    if name not in ("is_warning", "source", "end")
                },
                "end_column": each.end or None,
            }
            for each in listed
        ],
        indent=2,
        ensure_ascii=False,
    )


def as_annotation(found: Found) -> str:
    """Return a workflow command, which GitHub shows at the line of the change.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
    How values are escaped: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    where = {"file": found.file, "line": found.line, "col": found.column, "endColumn": found.end}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items() if value)
    said = "; ".join(each for each in (found.message, found.hint, found.fix) if each)
    message = f"{found.path}: {said}" if found.path else said
    return f"::{'warning' if found.is_warning else 'error'} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
