"""Whether the secrets and parameters that a configuration names exist; their values are not read."""

from collections.abc import Iterator, Mapping

from flagcast.core.compiling import references_of
from flagcast.core.config.model import Configuration, Destination, Source
from flagcast.core.config.references import Reference
from flagcast_cli.doctor.facts import SecretState
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.doctor.looking import Looking
from flagcast_cli.doctor.stack import Stack


def look_for(
    stack: Stack, configuration: Configuration | Unknown, variables: Mapping[str, str] | None
) -> Mapping[str, SecretState] | Unknown:
    """Return the state of each that is named, by store and full name; `variables` are the functions', where known.

    The first that cannot be asked about ends it: the others would say the same.
    """
    if isinstance(configuration, Unknown):
        return configuration
    found: dict[str, SecretState] = {}
    for reference in sorted({*_references(configuration)}, key=str):
        place, state = _look(stack, reference, variables)
        if isinstance(state, Unknown):
            return state
        found[f"{reference.store}:{place}"] = state
    return found


def signing_secret(stack: Stack, reference: Reference) -> str | Unknown:
    """Return the value that the reference of a source's stands for, where it is a secret as a whole."""
    hint = "Set FLAGCAST_SIGNING_SECRET to what Flipt signs with."
    if reference.store != "secret" or reference.key is not None:
        return Unknown(f"{reference} is not read from here", (hint,))
    place = f"{stack.secret_prefix}{reference.name}"
    value = stack.looking.known(
        f"the secret {place} could not be read",
        lambda: str(stack.looking.client("secretsmanager").get_secret_value(SecretId=place)["SecretString"]),
    )
    return Unknown(value.why, (*value.next, hint)) if isinstance(value, Unknown) else value


def _look(stack: Stack, reference: Reference, variables: Mapping[str, str] | None) -> tuple[str, SecretState | Unknown]:
    match reference.store:
        case "secret":
            place = f"{stack.secret_prefix}{reference.name}"
            return place, _secret(stack.looking, place)
        case "ssm":
            place = f"{stack.parameter_prefix}{reference.name}"
            return place, _parameter(stack.looking, place)
        case "env" if variables is None:
            return reference.name, Unknown(f"the functions' variables, of which {reference.name} is one, are not known")
        case "env":
            return reference.name, "there" if reference.name in variables else "missing"


def _references(configuration: Configuration) -> Iterator[Reference]:
    for source in configuration.sources.values():
        if isinstance(source, Source):
            yield from (each.reference for each in (*source.signing_secrets, *source.bearer_tokens))
    for destination in configuration.destinations.values():
        if isinstance(destination, Destination):
            yield from references_of(destination)


def _secret(looking: Looking, place: str) -> SecretState | Unknown:
    def ask() -> SecretState:
        # One that is scheduled for deletion has a DeletedDate, and cannot be read any more:
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
        found = looking.client("secretsmanager").describe_secret(SecretId=place)
        return "deleted" if found.get("DeletedDate") else "there"

    return looking.at(f"the secret {place} could not be asked about", ask) or "missing"


def _parameter(looking: Looking, place: str) -> SecretState | Unknown:
    def ask() -> SecretState:
        only = [{"Key": "Name", "Option": "Equals", "Values": [place]}]
        # A page may be empty and another follow:
        # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html
        pages = looking.client("ssm").get_paginator("describe_parameters").paginate(ParameterFilters=only)
        return "there" if any(each["Parameters"] for each in pages) else "missing"

    return looking.at(f"the parameter {place} could not be asked about", ask) or "missing"
