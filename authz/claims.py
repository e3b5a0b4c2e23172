"""What a token of another issuer claims, in its own words: the tenant, what may give a role, which program.

The words become roles by the rules of the company that the token is for, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

MOST_CLAIMED: Final = 200
"""How many values of a token are looked at."""
DEEPEST: Final = 4
LONGEST: Final = 256
SERVICE: Final = "service"
"""What a program is called by: `service:` and its client id; no person is called like that."""
_ROBOTS: Final = "service-account-"
"""How one widely used issuer calls the accounts of programs; nobody else can have such a name there."""


def at(claims: Mapping[str, Any], place: str) -> Any:
    """What stands at a place: a claim of that very name, or one inside others, with dots between; None elsewhere."""
    if place in claims:
        return claims[place]
    found: Any = claims
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def claimed(claims: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Every text that a token claims, alone or in a list, with its place; a bounded number of them."""
    found: list[tuple[str, str]] = []
    for pair in _texts(claims, "", 0):
        found.append(pair)
        if len(found) == MOST_CLAIMED:
            break
    return tuple(found)


def client_of(claims: Mapping[str, Any]) -> str:
    """The program that a token is of, by its client id; empty where a person stands behind it.

    The subject is the client itself (RFC 9068, section 2.2), or the issuer says in its own way that nobody signed in.
    """
    client = claims.get("client_id", claims.get("azp"))
    if not isinstance(client, str) or not 1 <= len(client) <= LONGEST or not client.isprintable():
        return ""
    name = claims.get("preferred_username")
    alone = (
        claims.get("sub") == client
        or claims.get("gty") == "client-credentials"
        or claims.get("idtyp") == "app"
        or (isinstance(name, str) and name.startswith(_ROBOTS))
    )
    return client if alone else ""


def _texts(found: Mapping[str, Any], place: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        here = f"{place}.{name}" if place else name
        if isinstance(value, str):
            yield here, value
        elif isinstance(value, list):
            yield from ((here, one) for one in value if isinstance(one, str))
        elif isinstance(value, Mapping) and depth < DEEPEST:
            yield from _texts(value, here, depth + 1)
