from tests.support.deployment import Deployment
from tests.support.destinations import Behaviour
from tests.support.enqueued import enqueue, flag_events
from tests.support.time_limits import PATIENCE

SUBJECTS = 5
FUNCTIONS = 3


def test_functions_side_by_side_keep_each_subjects_order_and_repeat_nothing_while_a_destination_fails(
    deployment: Deployment,
) -> None:
    names = ["well", "ill"]
    events = flag_events(40, SUBJECTS)
    deployment.configure({name: {"retry": {"multiplier": 1}} for name in names})
    deployment.behave(ill=Behaviour(status=500))
    identities = enqueue(deployment.sqs, deployment.url, deployment.configuration, events)
    with deployment.functions(FUNCTIONS, FLAGCAST_CIRCUIT_BREAKER="off"):
        assert deployment.wait_for(["well"], len(events), PATIENCE)
        deployment.behave(ill=Behaviour())
        assert deployment.wait_for(["ill"], len(events), PATIENCE)
        assert deployment.queues.wait_until_empty(deployment.url, PATIENCE)

    assert deployment.dead_letters() == []
    arrived = deployment.arrived()
    for name in names:
        taken = [each.event_id for each in arrived if each.path == f"/{name}" and each.status == 200]
        assert len(taken) == len(events)
        for subject in range(SUBJECTS):
            wanted = identities[subject::SUBJECTS]
            assert [each for each in taken if each in wanted] == wanted
    refused = [each.event_id for each in arrived if each.status == 500]
    # While the head of a subject waits, no one asks for those behind it.
    assert set(refused) <= set(identities[:SUBJECTS])
