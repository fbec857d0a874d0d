"""Everything Flagcast raises. What is expected to happen is a value; these are the rest.

FlagcastError
├── Broken                    stands for an error that no one expected, whose message may quote anything
├── ConfigurationUnreadable   flagcast.yaml, as a whole, cannot be used
├── TemplateUnreadable        a file of templates/ cannot be read
└── Unavailable               something we depend on did not do its part in time
    ├── BodyUnavailable       a body that travels apart from its messages could not be stored or fetched
    ├── QueueUnavailable      SQS refused a message, or could not be reached
    ├── SecretUnavailable     a secret or parameter could not be fetched, and no earlier value is known
    └── StateUnavailable      the state table could not be read or written
"""


class FlagcastError(Exception):
    """Anything Flagcast raises itself."""


class Broken(FlagcastError):
    """Raised in place of an error that no one expected, with its type's name: its message may quote anything."""


class ConfigurationUnreadable(FlagcastError):
    """Raised when flagcast.yaml cannot be read at all: no source and no destination is known.

    Its arguments are the problems, each with its place; its text is all of them in one line.
    """

    def __str__(self) -> str:
        """Return every problem, in one line."""
        return "; ".join(map(str, self.args))


class TemplateUnreadable(FlagcastError):
    """Raised when a file of templates/ that a destination names cannot be read; its text names the file."""


class Unavailable(FlagcastError):
    """Raised when a service Flagcast depends on fails, or does not answer before the deadline."""


class BodyUnavailable(Unavailable):
    """Raised when S3 did not store a body, or did not hand out one; that there is none is no error."""


class QueueUnavailable(Unavailable):
    """Raised when SQS did not take every message it was given."""


class SecretUnavailable(Unavailable):
    """Raised when a secret or parameter is missing or unreachable and none was fetched before."""


class StateUnavailable(Unavailable):
    """Raised when the state table could not be read or written."""
