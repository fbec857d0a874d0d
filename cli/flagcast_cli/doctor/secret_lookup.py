"""Whether the secrets and parameters that a configuration names exist, and the one that signs."""

from collections.abc import Container

from flagcast.config.model import Configuration
from flagcast.config.secret_references import Reference, stripped
from flagcast_cli.deploy.required_secrets import needed
from flagcast_cli.deploy.stored_secrets import Stores
from flagcast_cli.doctor.facts import Secrets
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.doctor.stack_resources import Stack


def look_for(
    stack: Stack, configuration: Configuration | Unknown, variables: Container[str] | None
) -> Secrets | Unknown:
    """Look for everything that is named, by its metadata; `variables` are the functions', where they are known."""
    if isinstance(configuration, Unknown):
        return configuration
    listed = needed(configuration, stack.prefixes)
    if variables is None and any(each.stored.store == "env" for each in listed):
        return Unknown("the configuration names a variable of the functions, and those are unknown")
    looking = stack.looking
    stores = Stores(looking.client, looking.account, stack.where.region)
    faults = looking.known("could not look up the secrets", lambda: tuple(stores.missing(listed, variables or ())))
    return faults if isinstance(faults, Unknown) else Secrets(len(listed), faults)


def signing_secret(stack: Stack, reference: Reference) -> str | Unknown:
    """Return the value that the reference of a source's stands for, where it is a secret as a whole."""
    hint = "Set FLAGCAST_SIGNING_SECRET to what Flipt signs with."
    if reference.store != "secret" or reference.key is not None:
        return Unknown(f"doctor cannot read {reference}", (hint,))
    place = stack.prefixes.full(reference)
    value = stack.looking.known(
        f"could not read the secret {place}",
        lambda: stripped(str(stack.looking.client("secretsmanager").get_secret_value(SecretId=place)["SecretString"])),
    )
    return Unknown(value.why, (*value.next, hint)) if isinstance(value, Unknown) else value
