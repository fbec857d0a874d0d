"""The verdict: from what the client was answered, what the receiver saw, and what lies among the dead letters."""

from collections import defaultdict
from itertools import pairwise

from tests.loss_check import setup
from tests.loss_check.archive import ARCHIVE, faults
from tests.loss_check.ends import Ends
from tests.loss_check.events import Made
from tests.loss_check.ledger import Arrival, Letter, Sending, TaskId
from tests.loss_check.replaying import is_replayed
from tests.loss_check.run import Result
from tests.loss_check.task_record import Books
from tests.loss_check.verdict import Verdict, Violation

RETRIED = frozenset({408, 425, 429})
ARCHIVED = ("genuine", "no event")
"""The kinds of events that may be in the archive."""
SLACK = 100.0
"""Simulated seconds by which an attempt may come later than its schedule says."""


class Judge:
    """Holds one result against the promises."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._ledger = result.ledger
        self._verdict = Verdict()
        self._books = Books(self._ledger)

    def judge(self) -> Verdict:
        """Judge everything."""
        verdict = self._verdict
        for sending in self._ledger.sendings.values():
            verdict.counts["accepted"] += sending.is_accepted
            for destination in setup.FIRST:
                self._judge_task(sending, destination)
            if self._result.plan.replays:
                self._judge_replayed(sending)
        for destination, ordering in setup.ORDERING.items():
            if ordering != "none":
                self._judge_order(destination, ordering)
        if self._result.plan.archives:
            self._judge_archive()
        self._judge_strangers()
        for leak in self._ledger.leaks:
            verdict.add("leak", leak)
        canaries = (*setup.CANARIES, "canary-not-accepted", "canary-no-event")
        for line in self._result.log.splitlines():
            verdict.violations += [
                Violation("leak", f"{each} in a log: {line[:200]}") for each in canaries if each in line
            ]
            if "Traceback" in line or '"event":"error"' in line:
                verdict.add("broke", line[:400])
        for what in self._ledger.breaks:
            verdict.add("broke", what)
        if self._result.left:
            verdict.add("stuck", f"{len(self._result.left)} tasks were still on the queue")
        return verdict

    def _judge_task(self, sending: Sending, destination: str) -> None:
        verdict, event = self._verdict, sending.event
        task = f"{event.event_id}:{destination}"
        arrivals, letters = self._books.arrivals[task], self._books.letters[task]
        good = [each for each in arrivals if each.status is not None and 200 <= each.status <= 299]
        verdict.counts["requests"] += len(arrivals)
        verdict.counts["delivered"] += bool(good)
        wanted = setup.wants(setup.FIRST if sending.generation == 0 else setup.SECOND, destination, event)
        wanted_later = wanted and setup.wants(setup.SECOND, destination, event)
        failing = destination == "loose" and event.mark == "unfilterable" and self._asked(event)
        for each in arrivals:
            filters = setup.SECOND if each.generation else setup.FIRST
            if not setup.wants(filters, destination, event) or failing:
                verdict.add("unwanted", f"{task} was sent though nothing asks for it")
        if sending.is_accepted and wanted_later and not good and not self._rests(task):
            verdict.add("lost", f"{task} (event {event.number}) was accepted and is nowhere: {self._books.story(task)}")
        for letter in letters:
            self._judge_letter(sending, destination, letter)
        self._judge_duplicates(task, good)
        self._judge_delays(task, arrivals)

    def _judge_replayed(self, sending: Sending) -> None:
        """Everything that was accepted is delivered to the destination that was added, or is a dead letter of it."""
        task = f"{sending.event.event_id}:{setup.ADDED}"
        arrivals, letters = self._books.arrivals[task], self._books.letters[task]
        good = [each for each in arrivals if each.status is not None and 200 <= each.status <= 299]
        self._verdict.counts["replayed"] += bool(good)
        if is_replayed(sending) and not good and not self._rests(task):
            self._verdict.add("lost", f"{task} was replayed and is nowhere: {self._books.story(task)}")
        if (arrivals or letters) and not is_replayed(sending):
            self._verdict.add("unwanted", f"{task} was sent though it was not replayed")
        for letter in letters:
            self._judge_letter(sending, setup.ADDED, letter)
        self._judge_duplicates(task, good)
        if letters or self._ledger.resent[task]:
            return
        self._judge_delays(task, arrivals)

    def _asked(self, event: Made) -> bool:
        return event.subject.split(" ")[1] != "space-2"

    def _rests(self, task: TaskId) -> bool:
        """Return whether a task lies among the dead letters now."""
        return any(each.message_id not in self._ledger.redriven for each in self._books.letters[task])

    def _judge_letter(self, sending: Sending, destination: str, letter: Letter) -> None:
        task, event = letter.task, sending.event
        self._verdict.dead_letters[letter.reason] += 1
        before = [each for each in self._books.arrivals[task] if each.tick < letter.tick]
        statuses = {each.status for each in before if each.status is not None and each.pid == letter.pid}
        match letter.reason:
            case "rejected":
                is_true = any(300 <= each < 500 and letter.status == str(each) for each in statuses - {*RETRIED, 410})
            case "gone":
                is_true = 410 in statuses
            case "expired":
                is_true = destination == "guarded" and letter.at - sending.accepted_at >= setup.MOST_BACKOFF - 15
            case "crashed":
                is_true = sum(each.killed_by is not None for each in self._books.invocations[task]) >= 3
            case "render_failed":
                is_true = destination == "flags" and event.mark == "unrenderable"
            case "filter_failed":
                is_true = destination == "loose" and event.mark == "unfilterable" and self._asked(event)
            case "body_missing":
                is_true = event.mark == "bodiless"
            case _:
                is_true = False
        if not is_true:
            self._verdict.add("untrue reason", f"{task} {letter.reason} {letter.status}: {self._books.story(task)}")

    def _judge_duplicates(self, task: TaskId, good: list[Arrival]) -> None:
        """Explain each delivery after the first, and each dead letter after a delivery, by what could not be helped."""
        ends = Ends(self._ledger, self._books, task, good)
        if ends.copies > 0:
            self._verdict.add("duplicate", f"{task} was on the queue more than once: {self._books.story(task)}")
        for before, after, why in ends.again():
            if why is None and ends.more > 0 and self._ledger.resent[task]:
                self._verdict.duplicates["a replay was resumed when SQS had forgotten what it was sent"] += 1
            elif why is None:
                self._verdict.add("duplicate", f"{task}: {self._books.story(task)}")
            elif ends.is_redriven(before):
                sent_back = "a dead letter was redriven while its task was still on the queue"
                self._verdict.duplicates[sent_back] += 1
            elif isinstance(after, Letter):
                self._verdict.duplicates[f"delivered or dead-lettered, then a dead letter: {why}"] += 1
            else:
                self._verdict.duplicates[why] += 1
        lost = [each for each in self._books.arrivals[task] if each.is_lost]
        if good and lost and lost[0].tick < good[-1].tick:
            self._verdict.duplicates["the receiver's own answer was lost, so that it may have worked on it before"] += 1

    def _judge_delays(self, task: TaskId, arrivals: list[Arrival]) -> None:
        """A retry comes when it is due, unless something struck the functions that had to do with it meanwhile."""
        if self._result.plan.circuits or task.endswith(":guarded") or self._books.letters[task]:
            return
        for at, (before, after) in enumerate(pairwise(arrivals)):
            if before.status is None or before.status < 300 or before.wants_rest:
                continue
            between = [each for each in self._books.invocations[task] if each.began_tick < after.tick]
            # The receiver reads what is there when it comes to it: its sender may have been killed by then.
            by = self._books.invocation(task, before.pid, before.tick)
            between = [
                each for each in between if each is by or each.ended_tick is None or each.ended_tick > before.tick
            ]
            destination = task.rpartition(":")[2]
            if any(each.troubles or each.killed_by for each in between) or self._books.rested(
                destination, before, after
            ):
                continue
            if after.at - before.at > 1.2 * min(2.0 ** (at + 2), 30) + SLACK:
                self._verdict.add("late", f"{task}: {after.at - before.at:.0f} s after its attempt {at + 1}")

    def _judge_order(self, destination: str, ordering: str) -> None:
        """First deliveries of one line are in order, as far as one event was accepted before another was sent."""
        lines: defaultdict[str, list[tuple[int, Sending]]] = defaultdict(list)
        for sending in self._ledger.sendings.values():
            task = f"{sending.event.event_id}:{destination}"
            good = [each.tick for each in self._books.arrivals[task] if each.status is not None and each.status < 300]
            # What came back from among the dead letters, or was on its way there, comes after what went on meanwhile.
            strayed = any(each.tick < good[0] for each in self._books.letters[task]) if good else True
            if not strayed and sending.accepted is not None:
                lines[sending.event.subject if ordering == "subject" else ""].append((good[0], sending))
        for line in lines.values():
            line.sort(key=lambda each: each[0])
            latest: Sending | None = None
            for _, sending in line:
                assert sending.accepted is not None
                if latest is not None and sending.accepted < latest.first_sent:
                    one, other = (f"{each.event.event_id}:{destination}" for each in (sending, latest))
                    told = [
                        f"{one} came after {other}",
                        f"accepted {sending.accepted} {self._books.story(one)}",
                        f"sent {latest.first_sent} {self._books.story(other)}",
                    ]
                    self._verdict.add("reorder", "\n".join(told))
                if latest is None or sending.first_sent > latest.first_sent:
                    latest = sending
            self._verdict.counts["order compared"] += max(len(line) - 1, 0)

    def _judge_archive(self) -> None:
        """What was accepted, and what was authentic and is no event, has one object, of one version, that proves it."""
        objects = faults(
            ((key, each) for key, versions in self._result.archived.items() for each in versions), setup.SIGNING
        )
        for sending in self._ledger.sendings.values():
            event = sending.event
            task, found = f"{event.event_id}:{ARCHIVE}", objects.pop(event.event_id, [])
            is_kept = sending.is_accepted or (event.kind == "no event" and 400 in sending.statuses)
            self._verdict.counts["archived"] += bool(found)
            if is_kept and not found and not self._rests(task):
                self._verdict.add("lost", f"{task} is not in the archive: {self._books.story(task)}")
            if len(found) > 1:
                self._verdict.add("duplicate", f"{task} has {len(found)} objects: {self._books.story(task)}")
            if wrong := [each for each in found if each]:
                self._verdict.add("untrue", f"{task} in the archive: {wrong}")
            if found and event.kind not in ARCHIVED:
                self._verdict.add("trace", f"{task} is in the archive, and was refused: {event.kind}")
            for letter in self._books.letters[task]:
                self._judge_letter(sending, ARCHIVE, letter)
        for key in objects:
            self._verdict.add("trace", f"{key} is in the archive, and was never sent")

    def _judge_strangers(self) -> None:
        """Nothing that was refused, and nothing that no one sent, is anywhere."""
        for task in self._books.tasks():
            event_id, _, destination = task.partition(":")
            sending = self._books.sendings.get(event_id)
            if sending is None:
                self._verdict.add("trace", f"{task} was never sent")
            elif destination == "-":
                ok = sending.event.kind == "no event" and {each.reason for each in self._books.letters[task]} == {
                    "invalid_event"
                }
                if not ok:
                    self._verdict.add("untrue reason", f"{task}: no event")
            elif sending.event.kind not in (ARCHIVED if destination == ARCHIVE else ("genuine",)):
                self._verdict.add("trace", f"{task} was refused: {sending.event.kind}")
