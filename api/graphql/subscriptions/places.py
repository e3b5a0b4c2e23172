"""How much may be open at a time: for one token, and for one company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import Overloaded

PER_TOKEN = 20
"""How many streams, and how many sockets, one token holds open."""
PER_COMPANY = 200
"""How many streams, and how many sockets, all tokens of a company hold open together, in one process."""


class Places:
    """A bounded number of places for each token and each company."""

    def __init__(self, what: str, per_token: int = PER_TOKEN, per_company: int = PER_COMPANY) -> None:
        self._what = what
        self._most = {"token": per_token, "company": per_company}
        self._taken: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def taken(self, token: str, company: str) -> Iterator[None]:
        """Holds one place for as long as the block lasts.

        Raises: Overloaded where none is free.
        """
        keys = (("token", token), ("company", company))
        for key in keys:
            if self._taken[key] >= self._most[key[0]]:
                raise Overloaded(
                    f"This {key[0]} has {self._most[key[0]]} {self._what} open.", advice="End one, and try again."
                )
        self._taken.update(keys)
        try:
            yield
        finally:
            self._taken.subtract(keys)
            for key in keys:
                if not self._taken[key]:
                    del self._taken[key]
