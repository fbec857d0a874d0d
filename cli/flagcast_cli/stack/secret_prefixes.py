"""Under which names a stack looks up its secrets and parameters."""

from collections.abc import Mapping

from msgspec import Struct

from flagcast.config.secret_references import Reference


class Prefixes(Struct, frozen=True):
    """What stands before the names in Secrets Manager and in Parameter Store."""

    secret: str
    parameter: str

    def full(self, reference: Reference) -> str:
        """Return the name under which a store knows a reference."""
        return (self.secret if reference.store == "secret" else self.parameter) + reference.name


def prefixes_of(stack: str, *parameters: Mapping[str, str]) -> Prefixes:
    """Return a stack's prefixes: of these parameters the first that sets one, else its name, as in template.yaml."""

    def parameter(name: str) -> str:
        return next((each[name] for each in parameters if name in each), "")

    return Prefixes(
        parameter("SecretPrefix") or f"flagcast/{stack}/", parameter("ParameterPrefix") or f"/flagcast/{stack}/"
    )
