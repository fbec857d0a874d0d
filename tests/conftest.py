"""What holds for every test: which worker runs it, and how examples are chosen."""

import gc
from functools import cache
from typing import Any

import botocore.hooks
import botocore.loaders
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The same examples in each run, so that a change fails by what it changed; `make fuzz` searches for new ones. What such
# a search finds becomes an @example in the code: there is no folder of them beside it. No example has a time limit.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, database=None, print_blob=True, max_examples=50
)
settings.register_profile("search", deadline=None, database=None, print_blob=True, max_examples=2_000)
settings.load_profile("repeatable")

# Each test has an AWS and a session of its own. What botocore reads of its files for each is the same: a third of the
# time of the tests that use AWS. So are the names of its events, of which one aliaser now serves all sessions.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)
ALIASER: Any = botocore.hooks.EventAliaser
ALIASER._alias_event_name = ALIASER(botocore.hooks.HierarchicalEmitter())._alias_event_name


def pytest_collection_finish() -> None:
    # What was collected and imported stays until the end: the garbage collector need not go through it again and again.
    gc.freeze()


END_TO_END = "tests/e2e/"
WITH_BUILDS_OF_THEIR_OWN = {f"{END_TO_END}{name}.py" for name in ("test_build", "test_demo_and_dev")}


class OneWorkerForTheLocalStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Give each worker the next test, and all tests of the local stack to one: it is built and deployed once.

    The largest scope comes first. xdist's own groups (`xdist_group`) go unseen with pytest 9.2 and xdist 3.8.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if not file.startswith(END_TO_END):
            return nodeid
        return file if file in WITH_BUILDS_OF_THEIR_OWN else END_TO_END


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneWorkerForTheLocalStack | None:
    # xdist's own hands out many tests at once, which is cheaper where none of them needs the local stack.
    return None if config.args == ["tests/unit"] else OneWorkerForTheLocalStack(config, log)
