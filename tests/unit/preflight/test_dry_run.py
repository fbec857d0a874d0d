from msgspec import structs

from flagcast.exchange.aws_request import AwsRequest
from flagcast.preflight.dry_run import ids_of, rehearsed
from flagcast.rendering.compilation import Compiled, compile_destination
from tests.unit.builders import destination, event

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:audit.fifo"


def compiled(**keys: object) -> Compiled:
    made = compile_destination(destination(url=QUEUE, **keys), {})
    assert isinstance(made, Compiled)
    return made


def test_what_an_aws_service_would_be_sent_has_the_names_of_its_secrets_and_no_value() -> None:
    body = '{"by": {{ vars.who }}}'
    made = rehearsed(compiled(headers={"X-Token": "a ${ssm:token}"}, vars={"who": "${secret:who}"}, body=body), event())
    assert isinstance(made, AwsRequest)
    assert made.attributes["X-Token"] == "a ${ssm:token}"
    assert made.body == b'{"by": "${secret:who}"}'


def test_the_ids_are_those_that_a_delivery_would_have() -> None:
    one = event(payload={"key": "new-ui", "namespace_key": "default"})
    same, other = structs.replace(one, type="variant"), event(payload={"key": "old-ui", "namespace_key": "default"})
    ids = ids_of(compiled(), one)
    assert len(ids.group) == len(ids.deduplication) == 48
    assert ids_of(compiled(), other).group != ids.group
    assert ids_of(compiled(ordering="destination"), one) == structs.replace(
        ids, group=ids_of(compiled(ordering="destination"), other).group
    )
    # A test of the same event is another message.
    assert ids_of(compiled(), one, unique="1").deduplication != ids_of(compiled(), same, unique="2").deduplication
