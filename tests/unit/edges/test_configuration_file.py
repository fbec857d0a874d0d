from pathlib import Path

import pytest

from flagcast.config.model import Destination
from flagcast.edges.runtime.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable, TemplateUnreadable
from flagcast.events.event import Event, Origin, parse
from flagcast.preflight.dry_run import rehearsed
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination

FILE = """
sources: {flipt: {auth: none}}
destinations:
  named: {url: https://a.example.com, template: bad.j2}
  including: {url: https://b.example.com, template: including.j2}
  well: {url: https://c.example.com, template: good.j2}
"""
BAD = b"line one\nab\xff"
BODY = b'{"type": "flag", "action": "created"}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1\xff\xfe")
    (folder / "bad.j2").write_bytes(BAD)
    (folder / "including.j2").write_text('{"a": 1} {% include "bad.j2" %}')
    (folder / "good.j2").write_text('{"a": 1}')
    path = tmp_path / "flagcast.yaml"
    path.write_text(FILE)
    return path


def compiled(file: Path, name: str) -> Compiled | str:
    destination = read_configuration(file).destinations[name]
    assert isinstance(destination, Destination)
    made = compile_destination(destination, read_templates(file), f"destinations.{name}")
    return made if isinstance(made, Compiled) else str(made[0])


# One stray file in templates/ that was not UTF-8 stopped every destination.
def test_a_file_that_no_destination_names_harms_none(file: Path) -> None:
    assert isinstance(compiled(file, "well"), Compiled)


def test_a_file_that_is_not_utf8_is_named_and_harms_only_whose_template_it_is(file: Path) -> None:
    assert compiled(file, "named") == (
        "destinations.named.template: templates/bad.j2, line 2, column 3: not UTF-8; save it as UTF-8"
    )


def test_a_file_that_is_not_utf8_is_named_where_another_includes_it(file: Path) -> None:
    made = compiled(file, "including")
    assert isinstance(made, Compiled)
    event = parse(BODY, Origin("evt_1", "flipt"))
    assert isinstance(event, Event)
    failed = rehearsed(made, event)
    assert isinstance(failed, RenderFailed)
    assert failed.detail == "including.j2, line 1: templates/bad.j2, line 2, column 3: not UTF-8; save it as UTF-8"


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    templates = read_templates(file)
    (file.parent / "templates" / "bad.j2").unlink()
    with pytest.raises(TemplateUnreadable, match=r"^templates/bad.j2 cannot be read: No such file or directory$"):
        templates["bad.j2"]


def test_the_files_are_known_by_their_names_before_any_is_read(file: Path) -> None:
    templates = read_templates(file)
    assert sorted(templates) == [".DS_Store", "bad.j2", "good.j2", "including.j2"]
    assert len(templates) == 4
    assert "bad.j2" in templates
    assert "none.j2" not in templates


def test_a_mark_of_utf8_at_the_beginning_is_no_part_of_a_file(file: Path) -> None:
    # Notepad writes one: it was sent before the body, which then was no JSON.
    (file.parent / "templates" / "good.j2").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    file.write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    assert read_templates(file)["good.j2"] == '{"a": 1}'
    assert read_configuration(file).problems == ()


def test_a_configuration_that_is_not_utf8_is_told_with_line_and_column(file: Path) -> None:
    file.write_bytes(b"sources: {}\ndest\xffinations: {}\n")
    with pytest.raises(ConfigurationUnreadable) as told:
        read_configuration(file)
    assert str(told.value) == "line 2, column 5: not UTF-8; save it as UTF-8"


def test_a_configuration_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationUnreadable, match=r"flagcast.yaml: No such file or directory$"):
        read_configuration(tmp_path / "flagcast.yaml")
