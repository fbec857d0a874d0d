"""flagcast.yaml is written as a person would, and read back as it was meant."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flagcast.config.document import load
from flagcast.config.read import read
from flagcast_cli.flipt_import.convert import Imported, ImportedDestination
from flagcast_cli.flipt_import.yaml_writer import flagcast_yaml

EVERYTHING = """\
# Made from flipt.yml by `flagcast import-flipt`. Check it with `flagcast check`.
# This file has names of secrets, never secrets: ${secret:NAME} is looked up in Secrets Manager under
# flagcast/<stack>/. Every key is in docs/configuration.md.

sources:
  # POST https://.../webhooks/flipt, signed by Flipt with the secret that the stack generates.
  flipt:
    signing_secrets: ["${secret:flipt-signing-secret}"]
    # environment: production                  # which Flipt this is, for messages and templates
    # flipt_url: https://flipt.example.com     # for links to what was changed

destinations:
  # From templates[0]
  slack:
    url: ${secret:slack#url}
    events: ["flag:*", "*:deleted"]
    content_type: application/json; charset=utf-8
    headers:
      X-Team: '12'
      X-Other: ${secret:slack#x_other}
    retry: {max_backoff_duration: 15s}
    engine: go
    body: |
      {
        "text": "{{ .Type }}"

      }

  # From url: the original bytes, unchanged
  mirror:
    url: http://mirror/in
    allow_http: true
    sign: {scheme: flipt, secret: "${secret:mirror}"}
"""


def imported(*destinations: ImportedDestination) -> Imported:
    return Imported(destinations, (), ())


def test_a_file_with_everything_is_what_a_person_would_write() -> None:
    text = flagcast_yaml(
        imported(
            ImportedDestination(
                "slack", "templates[0]", "${secret:slack#url}", content_type="application/json; charset=utf-8",
                headers={"X-Team": "12", "X-Other": "${secret:slack#x_other}"},
                body='{\n  "text": "{{ .Type }}"\n\n}\n', events=("flag:*", "*:deleted"), max_backoff_duration="15s",
            ),
            ImportedDestination("mirror", "url", "http://mirror/in", allow_http=True, sign_secret="${secret:mirror}"),
        ),
        "flipt.yml",
    )  # fmt: skip
    assert text == EVERYTHING
    assert read(text).problems == ()


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text("a \n\t", min_size=1),
        min_size=1,
        max_size=3,
    )
)
@example(["\n", " a", "a \n \nb", "\ta", "a\n\n\n", "a\x85b", "a\u2028b", "a\rb", "\ufeffa", "# a", "a\n \n"])
def test_any_body_is_read_back_as_it_is(bodies: list[str]) -> None:
    destinations = [ImportedDestination(f"d{n}", "x", "https://a.b", body=body) for n, body in enumerate(bodies)]
    tree, _ = load(flagcast_yaml(imported(*destinations), "flipt.yml"))
    assert [each["body"] for each in (tree["destinations"] or {}).values()] == bodies


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_header_is_read_back_as_it_is(name: str, value: str) -> None:
    destination = ImportedDestination("d", "x", "https://a.b", headers={name: value})
    tree, _ = load(flagcast_yaml(imported(destination), "flipt.yml"))
    assert tree["destinations"]["d"]["headers"] == {name: value}


@pytest.mark.parametrize("name", ["on", "12", "null"])
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(name: str) -> None:
    text = flagcast_yaml(imported(ImportedDestination(name, "x", "https://a.b")), "flipt.yml")
    assert list(read(text).destinations) == [name]
    assert read(text).problems == ()


def test_a_file_name_cannot_end_the_comment_it_stands_in() -> None:
    text = flagcast_yaml(imported(ImportedDestination("d", "x", "https://a.b")), "a\nsources: {}\nb.yml")
    assert text.startswith("# Made from a sources: {} b.yml by")
