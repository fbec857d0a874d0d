"""Many sequences of events in one kind of world, and what the destinations got of them."""

from random import Random

from msgspec import Struct, to_builtins

from tests.flipt_model.simulation import World

STEPS = 60


class Kind(Struct, frozen=True):
    """A kind of world, and what must not happen in it; the rest is counted."""

    never: tuple[str, ...]
    replicas: int = 1
    faults: int = 0


WORLDS = {
    "one replica": Kind(("duplicates", "swallowed", "out_of_order", "apart", "wrong_ends", "false_changes")),
    "one replica, 25 % of the table's calls fail": Kind(("swallowed", "false_changes"), faults=25),
    "two replicas": Kind((), replicas=2),
}
"""Without the table a resend is an event of its own. Two replicas have no common order: one's change and the other's,
equal and within a second, look like a resend, and nothing that Flipt sends tells them apart (docs/guarantees.md).
"""


class Counted(Struct):
    """What went on in the sequences of one kind of world; `changes_told` and what follows count what arrived."""

    never: tuple[str, ...]
    sequences: int = 0
    events: int = 0
    events_again: int = 0
    late_twins: int = 0
    answered_503: int = 0
    given_up: int = 0
    table_faults: int = 0
    changes_told: int = 0
    duplicates: int = 0
    swallowed: int = 0
    out_of_order: int = 0
    apart: int = 0
    wrong_ends: int = 0
    false_changes: int = 0

    def add(self, world: World) -> None:
        """Count a sequence that has ended."""
        self.sequences += 1
        self.events += world.counts["events"]
        self.events_again += world.counts["sent again"]
        self.late_twins += world.counts["late twins"]
        self.answered_503 += world.counts["503s"]
        self.given_up += world.counts["given up"]
        self.table_faults += world.table.failed
        self.changes_told += world.known()
        self.duplicates += world.duplicates()
        self.swallowed += len(world.swallowed())
        self.out_of_order += world.out_of_order()
        self.apart += world.apart()
        self.wrong_ends += len(world.wrong_ends())
        self.false_changes += len(world.false_changes())

    def broken(self) -> list[str]:
        """Return the promises that were broken, and how often."""
        return [f"{name}: {count}" for name, count in self.as_numbers().items() if name in self.never and count]

    def as_numbers(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: count for name, count in to_builtins(self).items() if name != "never"}


def counted(name: str, events: int, seed: int) -> Counted:
    """Run a world of this kind again and again until there were so many events."""
    kind, count, random = WORLDS[name], Counted(WORLDS[name].never), Random(seed)
    while count.events < events:
        world = World(random, replicas=kind.replicas, faults=kind.faults)
        for _ in range(STEPS):
            world.step()
        world.finish()
        count.add(world)
    return count
