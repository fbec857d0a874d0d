"""The fuzzers' targets, over their seeds and a fixed set of changes to them: what `make fuzz` does at random."""

import os
import random
from types import ModuleType

import pytest

from flagcast.edges.wiring import resources
from tests.fuzz import fuzz_ingest, fuzz_task

CHANGES = 1_500
TOKENS = [
    b"null",
    b'"',
    b"{",
    b"}",
    b"[" * 60,
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"1e400",
    b"9" * 400,
    b",",
    b":",
    b"type",
    b"\xef\xbb\xbf",
]


def changed(dice: random.Random, seed: bytes) -> bytes:
    """Change an input as a fuzzer would: bits, cuts, repeats and words of JSON's."""
    made = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made) + 1)
        match dice.randrange(4):
            case 0 if at < len(made):
                made[at] ^= 1 << dice.randrange(8)
            case 1:
                made[at:at] = dice.choice(TOKENS)
            case 2:
                del made[at : at + dice.randint(1, 40)]
            case _:
                made[at:at] = made[at : at + dice.randint(1, 40)]
    return bytes(made)


@pytest.mark.parametrize("target", [fuzz_ingest, fuzz_task], ids=lambda target: target.__name__.rpartition(".")[2])
def test_a_target_holds_for_its_seeds_and_for_what_is_near_them(target: ModuleType) -> None:
    seeds = list(target.seeds())
    assert len(seeds) > 200
    dice = random.Random(2_026)
    with target.target() as one_input:
        for data in [b"", *seeds, *(changed(dice, dice.choice(seeds)) for _ in range(CHANGES))]:
            one_input(data)


def test_a_target_leaves_the_process_as_it_was() -> None:
    # The target of ingest once kept its services for good: every integration test that ran after it failed.
    before = {**vars(resources)}, {**os.environ}
    with fuzz_ingest.target() as one_input:
        one_input(next(fuzz_ingest.seeds()))
        assert vars(resources) != before[0]
    assert (vars(resources), {**os.environ}) == before
