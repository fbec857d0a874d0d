import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Configuration, Destination, FaultyDestination, Problem, Retry, Sign, Source
from flagcast.config.read import Beside, merge, read
from flagcast.config.secret_references import SecretText, Text
from flagcast.errors import ConfigurationUnreadable
from flagcast.events.event_filter import EVERY_EVENT, EventFilter
from flagcast.primitives.duration import DAY, Duration

WHOLE = """
sources:
  flipt:
    signing_secrets: ["${secret:flipt-signing-secret}"]
    environment: production
    flipt_url: https://flipt.example.com
defaults: {timeout: 5s, retry: {max_backoff_duration: 12h, retry_on: [404]}, headers: {X-A: a, X-B: b}}
destinations:
  team-slack:
    url: ${secret:slack#webhook_url}
    template: slack.j2
    events: ["flag:*", "rollout:updated"]
    headers: {X-B: c}
  mirror:
    url: https://audit.example.com/in
    timeout: 20s
    ordering: none
    retry: {initial_interval: 1s, multiplier: 2, max_interval: 1h, max_backoff_duration: 15s, retry_on: []}
"""


def test_a_whole_file_is_read_with_the_defaults_under_each_destination() -> None:
    assert read(WHOLE, Beside(["slack.j2"])) == Configuration(
        sources={
            "flipt": Source(
                signing_secrets=(SecretText("${secret:flipt-signing-secret}"),),
                environment="production",
                flipt_url="https://flipt.example.com",
            )
        },
        destinations={
            "team-slack": Destination(
                url=Text("${secret:slack#webhook_url}"),
                template="slack.j2",
                events=(EventFilter("flag:*"), EventFilter("rollout:updated")),
                headers={"X-A": Text("a"), "X-B": Text("c")},
                timeout=Duration(5),
                retry=Retry(max_backoff_duration=Duration(DAY / 2), retry_on=(404,)),
            ),
            "mirror": Destination(
                url=Text("https://audit.example.com/in"),
                headers={"X-A": Text("a"), "X-B": Text("b")},
                timeout=Duration(20),
                ordering="none",
                retry=Retry(max_backoff_duration=Duration(15)),
            ),
        },
    )


def test_what_is_not_said_is_this() -> None:
    plain = read("sources: {s: {auth: none}}\ndestinations: {d: {url: https://x}}\n").destinations["d"]
    assert isinstance(plain, Destination)
    assert (plain.method, plain.content_type, plain.body, plain.template, plain.headers) == (
        "POST", "application/json", None, None, {},
    )  # fmt: skip
    assert (plain.events, plain.ordering, plain.allow_http, plain.retry.retry_on) == (EVERY_EVENT, "subject", False, ())
    seconds: list[float] = [
        plain.timeout,
        plain.retry.initial_interval,
        plain.retry.max_interval,
        plain.retry.max_backoff_duration,
    ]
    assert seconds == [10, 1, 3600, 86_400]
    assert plain.retry.multiplier == 2


def test_a_file_may_have_no_source_and_no_destination_yet() -> None:
    assert read("sources: {}\ndestinations: {}\n") == Configuration({}, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty; expected a mapping with sources and destinations"),
        ("[]", "is a list; expected a mapping with sources and destinations"),
        ("hello", "is a string; expected a mapping with sources and destinations"),
        ("sources: {}", "destinations: is required; destinations: {} has none yet"),
        ("sources:\ndestinations: {}", "sources: has no value: give it one, or delete the key"),
        ("sources: {}\ndestinations: []", "destinations: expected a mapping, got a list"),
        ("sources: {}\ndestinations: {}\ndefaults:", "defaults: has no value: give it one, or delete the key"),
        (
            "source: {}\ndestinations: {}",
            "source: unknown key; did you mean sources?",
        ),
        (
            "sources: {}\ndestinations: {}\n7: {}",
            "7: unknown key; expected one of sources, defaults, destinations, notify",
        ),
        ("sources: {}\nsources: {}\ndestinations: {}", "sources: repeated on line 2, first on line 1"),
        ("sources: {}\ndefaults: {}\ndestinations: {}\ndefaults: {}", "defaults: repeated on line 4, first on line 2"),
        ("sources: {", "line 2, column 1: not YAML: did not find expected node content"),
    ],
)
def test_a_file_that_cannot_be_trusted_as_a_whole_is_unreadable(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationUnreadable) as told:
        read(f"{text}\n")
    assert str(told.value) == problem


DEFAULTS = [
    ("{url: https://x}", ["defaults.url: belongs to a destination"]),
    ("{url: http://x}", ["defaults.url: belongs to a destination"]),
    ("{tiemout: 1s}", ["defaults.tiemout: unknown key; did you mean timeout?"]),
    ("{timeout: 5}", ["defaults.timeout: expected a duration such as 15s, 1m30s or 24h, got 5; did you mean 5s?"]),
    ("{retry: {multiplier: two}}", ['defaults.retry.multiplier: "two" is not allowed; use a number']),
    ("{timeout: 1s, timeout: 2s}", ["defaults.timeout: repeated on line 2, first on line 2"]),
    (
        "{events: [flag]}",
        ["defaults.events[0]: expected noun:verb such as flag:updated or *:*, got 'flag'; did you mean flag:*?"],
    ),
]


@pytest.mark.parametrize(("written", "problems"), DEFAULTS)
def test_faulty_defaults_hold_every_destination_told_once_and_leave_their_own_routing(
    written: str, problems: list[str]
) -> None:
    configuration = read(
        f"sources: {{s: {{auth: none}}}}\ndefaults: {written}\n"
        'destinations: {a: {url: https://a, events: ["rule:*"]}, b: {url: https://b}}\n'
    )
    assert list(map(str, configuration.problems)) == problems
    a, b = configuration.destinations.values()
    assert isinstance(a, FaultyDestination)
    assert isinstance(b, FaultyDestination)
    assert (a.events, b.events) == ((EventFilter("rule:*"),), EVERY_EVENT)
    assert isinstance(configuration.sources["s"], Source)


def test_right_defaults_beside_faulty_ones_still_route() -> None:
    held = read('sources: {}\ndefaults: {timeout: 5, events: ["rule:*"]}\ndestinations: {a: {url: https://a}}\n')
    assert held.destinations["a"].events == (EventFilter("rule:*"),)


# The last of the repeated keys routed events, so that those which only the first lets pass were never stored.
def test_defaults_that_repeat_events_let_every_event_pass() -> None:
    held = read(
        'sources: {}\ndefaults: {events: ["flag:*"], events: ["rule:*"]}\ndestinations: {a: {url: https://a}}\n'
    )
    assert held.destinations["a"].events == EVERY_EVENT


def test_defaults_that_no_destination_can_have_are_told_where_they_are_used() -> None:
    text = (
        "sources: {}\ndefaults: {timeout: 31s}\ndestinations: {a: {url: https://a}, b: {url: https://b, timeout: 1s}}\n"
    )
    configuration = read(text)
    assert list(map(str, configuration.problems)) == [
        "defaults.timeout: 31s is not allowed; use more than 0s and at most 30s"
    ]
    assert isinstance(configuration.destinations["b"], Destination)


def test_what_is_right_of_a_faulty_destination_is_kept_as_a_draft_without_its_address() -> None:
    text = "sources: {}\ndestinations: {a: {url: ftp://canary, body: hello, timeout: soon, method: PUT}}\n"
    held = read(text).destinations["a"]
    assert isinstance(held, FaultyDestination)
    assert held.draft == Destination(url=Text("https://not.known"), body="hello", method="PUT")


@pytest.mark.parametrize("section", ["sources", "destinations"])
def test_a_part_that_stands_twice_is_held_and_takes_every_event(section: str) -> None:
    part = "{auth: none}" if section == "sources" else '{url: https://x, events: ["flag:*"]}'
    text = f"{section}:\n  a: {part}\n  b: {part}\n  a: {part}\n"
    configuration = read(text + ("destinations: {}\n" if section == "sources" else "sources: {}\n"))
    assert list(map(str, configuration.problems)) == [f"{section}.a: repeated on line 4, first on line 2"]
    assert all(each.events == EVERY_EVENT for name, each in configuration.destinations.items() if name == "a")


# A path is compared by its beginning, and what stood in `a.b` was taken for a part of `a`.
def test_a_problem_in_a_part_whose_name_begins_like_anothers_harms_only_its_own() -> None:
    configuration = read("sources: {}\ndestinations: {a: {url: https://x}, a.b: {url: https://y, url: https://z}}\n")
    assert isinstance(configuration.destinations["a"], Destination)
    assert isinstance(configuration.destinations["a.b"], FaultyDestination)


def test_a_problem_is_a_line_with_its_path_where_it_has_one() -> None:
    assert (str(Problem("a.b", "is odd")), str(Problem("", "is odd"))) == ("a.b: is odd", "is odd")


def test_mappings_are_merged_at_every_level_and_everything_else_is_replaced() -> None:
    base = {"a": {"b": 1, "c": {"d": 1}}, "e": [1], "f": {"g": 1}, "h": 1}
    over = {"a": {"c": {"x": 2}}, "e": [2], "f": None, "h": {"i": 2}, "j": 2}
    before = repr(base)
    assert merge(base, over) == {
        "a": {"b": 1, "c": {"d": 1, "x": 2}}, "e": [2], "f": None, "h": {"i": 2}, "j": 2,
    }  # fmt: skip
    assert repr(base) == before


TREES = st.recursive(
    st.none() | st.integers(), lambda below: st.dictionaries(st.sampled_from("abc"), below), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


@given(TREES, TREES)
def test_laying_a_mapping_over_twice_is_laying_it_over_once(base: dict[str, object], over: dict[str, object]) -> None:
    merged = merge(base, over)
    assert merge(merged, over) == merged
    assert merge(base, {}) == base
    assert merge({}, over) == over
    assert merged.keys() == base.keys() | over.keys()


def test_a_body_of_its_own_stands_in_for_the_template_of_the_defaults_and_the_other_way_round() -> None:
    # The inherited one stood beside it, which no destination can mend.
    text = (
        "sources: {}\ndefaults: {template: t.j2}\n"
        "destinations: {own: {url: https://x, body: b}, inherited: {url: https://x}}\n"
    )
    own, inherited = read(text, Beside(["t.j2"])).destinations.values()
    assert isinstance(own, Destination)
    assert isinstance(inherited, Destination)
    assert [(each.body, each.template) for each in (own, inherited)] == [("b", None), (None, "t.j2")]


def test_one_report_says_what_is_wrong_with_each_value_and_between_them() -> None:
    # A misspelt key hid everything that only the values together can show.
    text = "sources: {}\ndestinations: {d: {url: http://x, event: [], template: t.j2, retry: {retry_on: [200]}}}\n"
    assert [str(each).partition(": ")[0] for each in read(text).problems] == [
        "destinations.d.event",
        "destinations.d.retry.retry_on[0]",
        "destinations.d.template",
        "destinations.d.url",
    ]


# Who is told of trouble.

TOLD = "sources: {}\ndestinations: {chat: {url: https://a}, faulty: {url: ftp://a}}\n"


@pytest.mark.parametrize("name", ["chat", "faulty"])
def test_notify_names_a_destination_that_may_itself_wait_to_be_mended(name: str) -> None:
    assert read(f"{TOLD}notify: {name}").notify == name


def test_no_one_need_be_told() -> None:
    made = read(TOLD)
    assert made.notify is None
    assert made.notify_problems == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("notify: chatt", "expected the name of a destination, got 'chatt'; did you mean chat?"),
        ("notify: xyz", "expected the name of a destination, got 'xyz'; there are: chat, faulty"),
        ("notify: [chat]", "expected the name of a destination, got a list; there are: chat, faulty"),
        ("notify:", "has no value: give it one, or delete the key"),
        ("notify: null", "has no value: give it one, or delete the key"),
        ("notify: chat\nnotify: chat", "repeated on line 4, first on line 3"),
    ],
)
def test_who_is_told_in_error_is_one_problem_and_everything_else_goes_on(line: str, message: str) -> None:
    made = read(TOLD + line)
    assert made.notify is None
    assert list(map(str, made.notify_problems)) == [f"notify: {message}"]
    assert made.notify_problems[0] in made.problems
    assert isinstance(made.destinations["chat"], Destination)


def test_no_one_can_be_notified_where_there_is_no_destination() -> None:
    made = read("sources: {}\ndestinations: {}\nnotify: chat")
    assert list(map(str, made.problems)) == ["notify: expected the name of a destination, got 'chat'; there are: none"]


def _keys() -> list[tuple[str, str, str]]:
    """Return every key that can be written, by the part it is in, with the path of its problem."""
    of = {"source": Source, "destination": Destination, "destination.retry": Retry, "destination.sign": Sign}
    keys = [(part, each, each) for part, model in of.items() for each in model.__struct_fields__]
    return [*keys, ("destination.headers", "X-A", "X-A"), ("destination.vars", "a", "a")]


# A key whose value was commented away is null, and silently removed a safeguard: a preset's `when`, a `max_age`.
@pytest.mark.parametrize(("part", "key", "path"), _keys())
def test_every_key_without_a_value_is_refused(part: str, key: str, path: str) -> None:
    kind, _, inner = part.partition(".")
    base = {"auth": "none"} if kind == "source" else {"url": "https://x"}
    beside = {"scheme": "flipt", "secret": "${secret:a}"} if inner == "sign" else {}
    tree = {**base, inner: {**beside, key: None}} if inner else {**base, key: None}
    whole = {"sources": {"source": {"auth": "none"}}, "destinations": {"destination": {"url": "https://x"}}}
    configuration = read(yaml.safe_dump({**whole, f"{kind}s": {kind: tree}}))
    at = f"{kind}s.{kind}.{inner + '.' if inner else ''}{path}"
    assert f"{at}: has no value: give it one, or delete the key" in list(map(str, configuration.problems))


@pytest.mark.parametrize("key", Destination.__struct_fields__)
def test_every_default_without_a_value_is_refused(key: str) -> None:
    configuration = read(f"sources: {{}}\ndefaults: {{{key}: }}\ndestinations: {{d: {{url: https://x}}}}\n")
    assert isinstance(configuration.destinations["d"], FaultyDestination)
    assert f"defaults.{key}: has no value: give it one, or delete the key" in list(map(str, configuration.problems))


@pytest.mark.parametrize("items", ["events: [~]", "retry: {retry_on: [~]}", "allow_private: [~]"])
def test_an_item_of_a_list_without_a_value_is_refused(items: str) -> None:
    configuration = read(f"sources: {{}}\ndestinations: {{d: {{url: https://x, {items}}}}}\n")
    [problem] = configuration.problems
    assert problem.path.endswith("[0]")
    assert problem.message == "has no value: give it one, or delete the key"


# What stood wrongly in the defaults was told of each destination, at a place where no one had written it.
def test_what_is_wrong_in_the_defaults_is_told_there_and_once() -> None:
    text = """
sources: {}
defaults: {timeout: 31s, retry: {max_interval: 1ms}, headers: {Host: a, X-A: b}, template: none.j2}
destinations:
  a: {url: https://a}
  b: {url: https://b, headers: {Host: b}}
  c: {url: https://c, timeout: 1s, retry: {initial_interval: 1s, max_interval: 2s}, body: '{}'}
"""
    assert [each.path for each in read(text).problems] == [
        "defaults.headers.Host",
        "defaults.retry.max_interval",
        "defaults.template",
        "defaults.timeout",
        "destinations.b.headers.Host",
    ]
