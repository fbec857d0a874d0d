"""What to say of a value that nothing has: the one that was meant, and those there are."""

import difflib
from collections.abc import Iterable
from typing import Final

_MOST_NAMED: Final = 12


def there_are(value: str, there: Iterable[str], what: str = "It has") -> list[str]:
    """Return the next steps for a value that is not among those there are; `what` begins the list of them."""
    known = sorted(set(there))
    close = difflib.get_close_matches(value, known, n=1)
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    listed = f"{what} {', '.join(known[:_MOST_NAMED])}{more}."
    return [f"Did you mean {close[0]}?", listed] if close else [listed]
