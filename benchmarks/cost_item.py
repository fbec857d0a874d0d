"""A part of what a stack costs."""

from msgspec import Struct

from benchmarks.prices import Price


class Item(Struct, frozen=True):
    """So much of something that has a price."""

    stage: str
    what: str
    quantity: float
    price: Price

    def is_of(self, stage: str) -> bool:
        """Return whether it is part of a stage."""
        return self.stage == stage

    def dollars(self, *, with_free: bool) -> float:
        """Return the price, less what every account has free if it is not used up elsewhere."""
        return max(self.quantity - (self.price.free if with_free else 0), 0) * self.price.dollars
