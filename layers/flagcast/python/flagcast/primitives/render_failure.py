"""Why a body or header could not be made of an event, and where: template engines return it, and it is an outcome."""

from msgspec import Struct

from flagcast.primitives.text_position import TextPosition


class RenderFailed(Struct, frozen=True, eq=False):
    """A body or header could not be made of the event; its detail begins with the spot, where that is known."""

    detail: str
    spot: TextPosition | None = None

    @classmethod
    def at(cls, spot: TextPosition, what: str) -> "RenderFailed":
        """Say where it failed, and what."""
        return cls(f"{spot}: {what}", spot)

    @property
    def what(self) -> str:
        """Return what failed, without where."""
        return self.detail if self.spot is None else self.detail.removeprefix(f"{self.spot}: ")

    def __eq__(self, other: object) -> bool:
        """Compare by the message: the place is in it."""
        return isinstance(other, RenderFailed) and self.detail == other.detail

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self.detail)
