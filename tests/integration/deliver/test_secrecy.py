import html
import json
from urllib.parse import quote

import pytest

from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import Stack

KEY = 'canary-"key"&<one>/é'
PATH = "canary-path-T0B0XXXX"
QUERY = "canary/query+two"
CANARIES = (KEY, PATH, QUERY)


def with_secrets(stack: Stack) -> str:
    """Deploy a destination with secrets in its address and headers; returns its path."""
    stack.secrets.values = {"key": KEY, "path": PATH, "query": QUERY}
    stack.configure(
        {
            "hook": {
                "path": "/hooks/${secret:path}?token=${secret:query}",
                "headers": {"Authorization": "Bearer ${secret:key}", "X-Key": "${secret:key}"},
            }
        }
    )
    return f"/hooks/{PATH}?token={QUERY}"


def in_any_form(text: str) -> list[str]:
    """Return which secrets stand in a text, however written."""
    forms = {form for each in CANARIES for form in (each, quote(each), quote(each, safe=""), html.escape(each))}
    forms |= {json.dumps(each)[1:-1] for each in CANARIES}
    return sorted(form for form in forms if form in text)


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param(f"Cannot POST /hooks/{PATH}?token={QUERY}", id="address"),
        pytest.param(f"/hooks/{PATH}?token={quote(QUERY, safe='')}", id="encoded-address"),
        pytest.param(json.dumps({"headers": {"authorization": f"Bearer {KEY}", "x-key": KEY}}), id="json"),
        pytest.param(f"<p>Bearer {html.escape(KEY)}</p>", id="html"),
        pytest.param(f"no such hook: {PATH}", id="part"),
        pytest.param("x" * 490 + KEY, id="at-the-cut"),
        pytest.param("x" * 65_530 + KEY, id="at-the-end-of-what-is-read"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 503, 200])
def test_a_server_that_echoes_the_request_leaves_no_secret_behind(
    stack: Stack, capfd: pytest.CaptureFixture[str], echo: str, status: int
) -> None:
    path = with_secrets(stack)
    stack.receiver.script(path, [Answer(status, body=echo.encode())])
    stack.put("hook")
    stack.clock.advance(12 * 86_400)
    stack.deliver()
    while stack.waiting():
        stack.clock.advance(43_200)
        stack.deliver()
    assert path in {each.path for each in stack.receiver.requests()}
    logged = capfd.readouterr()
    assert '"event":"delivery.attempted"' in logged.out
    assert in_any_form(logged.out + logged.err) == []
    assert len(stack.dead_letters()) == (0 if status == 200 else 1)
    for letter in stack.dead_letters():
        assert in_any_form(letter.body + json.dumps(letter.attributes, ensure_ascii=False)) == []


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("http://{}@nowhere.invalid/", "put_off"),
        ("http://127.0.0.1:1/{}", "retrying"),
        ("http://nowhere.invalid:99999/{}", "retrying"),
        ("http://no address/{}", "put_off"),
        ("ftp://{}/", "put_off"),
        ("{}", "put_off"),
    ],
)
def test_an_address_that_leads_nowhere_is_not_told(
    stack: Stack, capfd: pytest.CaptureFixture[str], address: str, outcome: str
) -> None:
    stack.secrets.values = {"address": address.format(PATH)}
    stack.configure({"hook": {"url": "${secret:address}", "allow_http": True}})
    task = stack.put("hook")
    assert stack.deliver() == [task.id]
    logged = capfd.readouterr()
    assert f'"outcome":"{outcome}"' in logged.out
    assert in_any_form(logged.out + logged.err) == []


def test_a_secret_that_cannot_be_a_header_is_not_told(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.secrets.values = {"key": f"{PATH}\nX-More: {PATH}"}
    stack.configure({"hook": {"headers": {"X-Key": "${secret:key}"}}})
    # A secret stored with a line break at its end made a dead letter of every event; fixed, it delivers them.
    task = stack.put("hook")
    assert stack.deliver() == [task.id]
    assert stack.receiver.requests() == []
    logged = capfd.readouterr()
    assert in_any_form(logged.out + logged.err) == []
    assert "its secret contains a line break or NUL" in logged.out
