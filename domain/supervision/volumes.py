"""Whether somebody did far more on a day than usual: a robust rule against his own days and those of his role.

Both histories are told by their median and by the median distance from it, which a few wild days do not move. A day
stands out when it is above both by more than `WIDTH` times the spread, and by no less than `LEAST` entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import Final

HISTORY_DAYS: Final = 28
"""Over how many days before it a day is judged."""
ENOUGH_DAYS: Final = 7
"""With fewer days of his own only those of the role count."""
WIDTH: Final = 6.0
"""How many spreads above the median are unusual; of days that follow one another without a cause hardly any is."""
LEAST: Final = 20
"""Fewer entries than this are never unusual."""
NORMAL: Final = 1.4826
"""Makes the median distance a standard deviation, for values that are spread normally."""


def bound(days: Sequence[int]) -> float:
    """What a day has to be above to be unusual among these.

    Chapter: 8.1.
    Shape:   at least the median; counts spread by their square root even where all days were the same.
    """
    middle = median(days)
    spread = NORMAL * median(abs(day - middle) for day in days)
    return middle + WIDTH * max(spread, sqrt(max(middle, 1.0)))


def unusual(count: int, own: Sequence[int], role: Sequence[int]) -> bool:
    """Whether a day with so many entries stands out among a person's own days and those of its role.

    Chapter: 8.1.
    Shape:   total; a day with more entries is never less unusual.
    """
    if count < LEAST:
        return False
    judged = [days for days in (own, role) if len(days) >= ENOUGH_DAYS]
    return bool(judged) and all(count > bound(days) for days in judged)
