"""References to secrets: the configuration holds their names, and never their values."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, Self, get_args

from msgspec import Struct

Store = Literal["secret", "ssm", "env"]
STORES: tuple[Store, ...] = get_args(Store)

ENVIRONMENT_PREFIX = "FLAGCAST_VAR_"

# Names as Secrets Manager and Parameter Store allow them, without a leading slash: they stand under a prefix.
_REFERENCE = re.compile(r"\$\{(secret|ssm|env):([A-Za-z0-9_.+=@-][A-Za-z0-9/_.+=@-]*)(?:#([^{}#]+))?\}")
_OPENING = "${"

_MARK_OF_UTF_8 = "\ufeff"


class Reference(Struct, frozen=True):
    """One `${store:name#key}`; the key picks a member of a secret that is a JSON object."""

    store: Store
    name: str
    key: str | None = None

    def __str__(self) -> str:
        """Return the reference as the configuration writes it."""
        return f"${{{self.store}:{self.name}{f'#{self.key}' if self.key else ''}}}"

    @property
    def stored(self) -> "Reference":
        """Return the reference to the whole secret, which its keys share."""
        return Reference(self.store, self.name)


Values = Mapping[Reference, str]


class Text(str):
    """A string of the configuration in which references may stand."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a text; raises ValueError where a reference is not well formed."""
        if not isinstance(text, str):
            # Not repeated: a secret may have been put here. ValueError, as for every other bad value.
            raise ValueError("expected a string; quote it if it is one")  # noqa: TRY004 - one error for every bad value
        if _OPENING in _REFERENCE.sub("\0", text):
            raise ValueError("expected ${secret:NAME}, ${secret:NAME#KEY}, ${ssm:NAME} or ${env:FLAGCAST_VAR_NAME}")
        for reference in cls(text).references:
            if reference.key is not None and reference.store != "secret":
                raise ValueError(f"{reference}: only ${{secret:...}} can have a #KEY")
            if reference.store == "env" and not reference.name.startswith(ENVIRONMENT_PREFIX):
                raise ValueError(f"{reference}: only variables that begin with {ENVIRONMENT_PREFIX} can be read")
        return cls(text)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the references in the order they stand."""
        return _references(self)

    def resolve(self, values: Values) -> str:
        """Put the values in for their references; a value is never looked into again."""
        return _REFERENCE.sub(lambda found: values[_reference(found)], self)


class SecretText(Text):
    """A text that must be one reference and nothing else: a secret itself has no place in the file."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a reference; raises ValueError if it is anything else, without repeating it."""
        if not isinstance(text, str) or not _REFERENCE.fullmatch(text):
            raise ValueError("expected one reference such as ${secret:NAME}: this file must not contain secrets")
        return cls(Text.parse(text))

    @property
    def reference(self) -> Reference:
        """Return the one reference."""
        return self.references[0]


def stripped(value: str) -> str:
    """Return a secret without the white space and line breaks around it, which no one meant.

    The one rule for every place: what proves a request, signs one, or is put into an address, a header or a body.
    """
    # `echo` and editors add a line break, Windows' a mark of UTF-8.
    while (bare := value.strip().strip(_MARK_OF_UTF_8)) != value:
        value = bare
    return value


@cache
def _references(text: str) -> tuple[Reference, ...]:
    return tuple(_reference(found) for found in _REFERENCE.finditer(text))


def _reference(found: re.Match[str]) -> Reference:
    store, name, key = found.groups()
    return Reference(next(each for each in STORES if each == store), name, key)
