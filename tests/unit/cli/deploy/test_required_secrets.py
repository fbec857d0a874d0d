from flagcast.config.model import Configuration, Destination
from flagcast.config.read import Beside, read
from flagcast.config.secret_references import Reference, Text
from flagcast.events.event import Event, Origin, parse
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.tasks.outcomes import Faulty
from flagcast_cli.deploy.required_secrets import Needed, needed, uses
from flagcast_cli.deploy.secret_values import fault_of
from flagcast_cli.stack.secret_prefixes import prefixes_of

TEXT = """
sources:
  flipt: {signing_secrets: ["${secret:flipt}", "${secret:shared#flipt}"], bearer_tokens: ["${ssm:token}"]}
  broken: {signing_secrets: ["${secret:never}"], unknown: true}
destinations:
  chat: {url: "${secret:shared#url}", headers: {A: "${env:FLAGCAST_VAR_A}"}, vars: {b: "${secret:shared}"}}
  signed: {url: "https://x.example.com/", sign: {scheme: flipt, secret: "${secret:flipt}"}}
  broken: {url: "${secret:never}", method: post}
"""


def configuration(text: str = TEXT) -> Configuration:
    return read(text, Beside([], {}, []))


def reference(written: str) -> Reference:
    return Text(f"${{{written}}}").references[0]


def test_whatever_is_right_says_what_it_needs() -> None:
    assert uses(configuration()) == {
        "sources.flipt": (reference("secret:flipt"), reference("secret:shared#flipt"), reference("ssm:token")),
        "destinations.chat": (
            reference("secret:shared#url"),
            reference("env:FLAGCAST_VAR_A"),
            reference("secret:shared"),
        ),
        "destinations.signed": (reference("secret:flipt"),),
    }


def test_each_is_needed_once_under_its_prefix_with_its_keys_and_all_who_need_it() -> None:
    chat, signed, flipt = "destinations.chat", "destinations.signed", "sources.flipt"
    assert needed(configuration(), prefixes_of("s", {"ParameterPrefix": "/p/"})) == [
        Needed(reference("secret:flipt"), "flagcast/s/flipt", (), (flipt, signed)),
        Needed(reference("secret:shared"), "flagcast/s/shared", ("flipt", "url"), (flipt, chat)),
        Needed(reference("ssm:token"), "/p/token", (), (flipt,)),
        Needed(reference("env:FLAGCAST_VAR_A"), "FLAGCAST_VAR_A", (), (chat,)),
    ]


def event(payload: str) -> Event:
    raw = f'{{"version": "0.2", "type": "flag", "action": "updated", "payload": {payload}}}'
    made = parse(raw.encode(), Origin("evt_1", "flipt"))
    assert isinstance(made, Event)
    return made


def compiled(body: str) -> Compiled:
    destination = configuration(
        "sources: {f: {auth: none}}\ndestinations:\n"
        f"  d: {{url: 'https://x.example.com/', body: '{body}',"
        " sign: {scheme: standard-webhooks, secret: '${secret:s}'}}\n"
    ).destinations["d"]
    assert isinstance(destination, Destination)
    made = compile_destination(destination, {}, "destinations.d")
    assert isinstance(made, Compiled)
    return made


def test_an_event_that_a_template_is_not_made_for_says_nothing_of_the_values() -> None:
    destination = compiled('{"text": "{{ event.payload.name }}"}')
    strange, usual = event("{}"), event('{"name": "a"}')
    good, bad = {reference("secret:s"): "whsec_Zmxh"}, {reference("secret:s"): "canary"}
    assert fault_of(destination, [strange, usual], good, 0) is None
    assert fault_of(destination, [strange, usual], bad, 0) == Faulty("sign: expected whsec_ and Base64")
    assert fault_of(destination, [strange], bad, 0) is None
