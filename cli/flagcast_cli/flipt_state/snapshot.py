"""Everything that a Flipt has now, as things and the payloads that their events carry."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from flagcast.flipt_state.thing_keys import ORDERS, Thing
from flagcast_cli.console import CommandError
from flagcast_cli.doctor.flipt_facts import read_version
from flagcast_cli.flipt_state.flipt_client import NAMESPACES, Answer, Flipt
from flagcast_cli.flipt_state.rest_payloads import Flag, Message, Namespace, Ranked, Rollout, Rule, Segment, Version

TRIES: Final = 3
"""Times that a list is read which grows or shrinks meanwhile: its pages are cut by number."""


class Seen(Struct, frozen=True):
    """A thing that Flipt has: its payload, where it is, and Flipt's times around its answer (epoch seconds).

    `created` is when it was created, None where Flipt does not say.
    """

    thing: Thing
    state: dict[str, Any]
    asked: int
    answered: int
    namespace: str
    flag_key: str | None = None
    created: int | None = None


class Present(Struct, frozen=True):
    """All of them, and Flipt's times around the whole."""

    things: Mapping[Thing, Seen]
    asked: int
    answered: int


class _Namespaces(Message, frozen=True):
    namespaces: tuple[Namespace, ...] = ()
    next_page_token: str = ""


class _Page(Message, frozen=True):
    next_page_token: str = ""
    total_count: int = 0


class _Flags(_Page, frozen=True):
    flags: tuple[Flag, ...] = ()


class _Segments(_Page, frozen=True):
    segments: tuple[Segment, ...] = ()


class _Rules(_Page, frozen=True):
    rules: tuple[Rule, ...] = ()


class _Rollouts(_Page, frozen=True):
    # Flipt's own name for them: RolloutList in flipt.proto.
    rules: tuple[Rollout, ...] = ()


Tell = Callable[[str, int, int], None]
"""Hears how far the reading is: the namespace, how many of its flags are read, and of how many."""


def read_everything(flipt: Flipt, tell: Tell) -> Present:
    """Read all namespaces, flags, variants, rules, distributions, rollouts, segments, constraints, and orders."""
    version = read_version(flipt.version())
    things: dict[Thing, Seen] = {}
    first = last = 0
    for page in flipt.pages(NAMESPACES, _Namespaces, lambda page: page.next_page_token):
        first = first or page.asked
        for each in page.value.namespaces:
            for seen in (_namespace(page, each), *_in_namespace(flipt, each.key, version, tell)):
                things[seen.thing] = seen
                last = max(last, seen.answered)
    return Present(things, first, last)


def _namespace(page: Answer[_Namespaces], each: Namespace) -> Seen:
    thing = Thing("namespace", (each.key,))
    return Seen(thing, each.payload(), page.asked, page.answered, each.key, created=_seconds(each.created_at))


def _in_namespace(flipt: Flipt, namespace: str, version: Version, tell: Tell) -> Iterator[Seen]:
    path = f"{NAMESPACES}/{quote(namespace, safe='')}"
    for page in _whole(flipt, f"{path}/segments", _Segments, lambda page: page.segments):
        for segment in page.value.segments:
            yield from _segment(page, namespace, segment)
    pages = _whole(flipt, f"{path}/flags", _Flags, lambda page: page.flags)
    flags = [(answer, flag) for answer in pages for flag in answer.value.flags]
    for number, (answer, flag) in enumerate(flags):
        tell(namespace, number, len(flags))
        yield from _flag(answer, namespace, flag, version)
        of_flag = f"{path}/flags/{quote(flag.key, safe='')}"
        yield from _rules(
            _whole(flipt, f"{of_flag}/rules", _Rules, lambda page: page.rules), namespace, flag.key, version
        )
        yield from _rollouts(
            _whole(flipt, f"{of_flag}/rollouts", _Rollouts, lambda page: page.rules), namespace, flag.key
        )


def _segment(page: Answer[_Segments], namespace: str, segment: Segment) -> Iterator[Seen]:
    thing = Thing("segment", (namespace, segment.key))
    created = _seconds(segment.created_at)
    yield Seen(thing, segment.payload(namespace), page.asked, page.answered, namespace, created=created)
    for each in segment.constraints:
        state = each.payload(namespace, segment.key)
        yield Seen(Thing("constraint", (each.id,)), state, page.asked, page.answered, namespace)


def _flag(page: Answer[_Flags], namespace: str, flag: Flag, version: Version) -> Iterator[Seen]:
    thing = Thing("flag", (namespace, flag.key))
    state, created = flag.payload(namespace, version), _seconds(flag.created_at)
    yield Seen(thing, state, page.asked, page.answered, namespace, flag.key, created)
    for each in flag.variants:
        state = each.payload(namespace, flag.key)
        yield Seen(Thing("variant", (each.id,)), state, page.asked, page.answered, namespace, flag.key)


def _rules(pages: list[Answer[_Rules]], namespace: str, flag_key: str, version: Version) -> Iterator[Seen]:
    for page in pages:
        for rule in page.value.rules:
            thing, state = Thing("rule", (rule.id,)), rule.payload(namespace, flag_key, version)
            yield Seen(thing, state, page.asked, page.answered, namespace, flag_key, _seconds(rule.created_at))
            for each in rule.distributions:
                thing = Thing("distribution", (each.id,))
                yield Seen(thing, each.payload(), page.asked, page.answered, namespace, flag_key)
    yield from _order("rule", pages, [rule for page in pages for rule in page.value.rules], namespace, flag_key)


def _rollouts(pages: list[Answer[_Rollouts]], namespace: str, flag_key: str) -> Iterator[Seen]:
    for page in pages:
        for each in page.value.rules:
            thing, state = Thing("rollout", (each.id,)), each.payload(namespace, flag_key)
            yield Seen(thing, state, page.asked, page.answered, namespace, flag_key)
    yield from _order("rollout", pages, [each for page in pages for each in page.value.rules], namespace, flag_key)


def _order(
    kind: str, pages: list[Answer[Any]], listed: Iterable[Ranked], namespace: str, flag_key: str
) -> Iterator[Seen]:
    """Return the order of rules or rollouts; with two of one rank there is none."""
    ids = {each.rank: each.id for each in sorted(listed, key=lambda each: each.rank)}
    if not ids or len(ids) != sum(len(page.value.rules) for page in pages):
        return
    state = {"flag_key": flag_key, "namespace_key": namespace, ORDERS[kind]: list(ids.values())}
    thing = Thing(f"{kind}-order", (namespace, flag_key))
    yield Seen(thing, state, pages[0].asked, pages[-1].answered, namespace, flag_key)


def _whole[P: _Page](flipt: Flipt, path: str, kind: type[P], items: Callable[[P], tuple[Any, ...]]) -> list[Answer[P]]:
    """Read every page of a list, again where one was added or deleted between two pages, which moves the others."""
    for _ in range(TRIES):
        pages = list(flipt.pages(path, kind, lambda page: page.next_page_token))
        totals = {page.value.total_count for page in pages}
        if len(pages) == 1 or totals == {sum(len(items(page.value)) for page in pages)}:
            return pages
    raise CommandError(f"{path} changes while it is read", "Run this command again when no one is changing it.")


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
