"""What Flipt does by default and Flagcast must be configured to do: reach private addresses, and drop what fails."""

from flagcast.config.model import Destination
from flagcast.config.secret_references import Text
from flagcast.preflight.configuration_problems import NEW_EVENTS
from flagcast.preflight.dry_run import rehearsed
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast_cli.credentials.webhook_address import Address, is_internal
from flagcast_cli.flipt_import.flipt_file import FliptTemplate
from flagcast_cli.samples import sample_events

NOT_DENIED = "not event.is_denied"


def subnets_for(path: str, address: Address | None, notes: list[str]) -> tuple[str, ...]:
    """Return the subnets to open for an address that only a network inside knows: of a name, all that it may be in."""
    if address is None or not is_internal(address.host):
        return ()
    if address.is_local:
        notes.append(f"{path}: its host is Flipt's own machine, which Flagcast cannot reach: give another address")
        return ()
    notes.append(
        f"{path}: only a private network knows its host, so allow_private was added; Flagcast"
        " reaches it only from a VPC (docs/operations.md)"
    )
    return address.subnets


def filter_for(template: FliptTemplate, content_type: str | None, notes: list[str]) -> str | None:
    """Return the filter for what Flipt drops: on a denied event, which has no payload, .Payload.key fails."""
    destination = Destination(
        Text("https://not.known"), body=template.body, engine="go", content_type=content_type or "application/json"
    )
    compiled = compile_destination(destination, {})
    if not isinstance(compiled, Compiled):
        return None
    failed = [event for event in sample_events() if isinstance(rehearsed(compiled, event), RenderFailed)]
    # One that is written for newer events alone fails on older ones, whichever Flipt sent them: `check` says so.
    others = [event for event in failed if not event.is_denied and event.version == NEW_EVENTS]
    if others or not any(event.is_denied for event in failed):
        return None
    notes.append(
        f"{template.path}.body: fails on denied events, which have no payload, and Flipt drops those;"
        f" `when: {NOT_DENIED}` was added to do the same"
    )
    return NOT_DENIED
