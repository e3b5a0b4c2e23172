"""What statements cost, as ratios: `PYTHONPATH=. python bench/vault/statements.py`. All of it in turn in one run.

The unit is one ES256 signature by joserfc, and one verification; the `sd-jwt` library does the same work beside us.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

from joserfc import jws
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from domain.ports import Unsigned
from vault import hazmat
from vault.statements import presenting
from vault.statements.issuing import issue
from vault.statements.publishing import Trusted, issuer_name, issuer_of
from vault.statements.statuslist import sign_list
from vault.statements.verifying import Expected, verify

ROUNDS, TIMES = 101, 8
TENANT, AUDIENCE, NONCE = "te_00000000000000000000000001", "https://supplier.example", "n"
LIST, REVOKED = 1 << 17, 1_000
CLAIMS = {f"grade_at_least_{number}": number < 4 for number in range(7)} | {"name": "Yunfan", "as_of": "2026-11-20"}
Work = Callable[[], object]


def works() -> Iterator[tuple[str, str, Work]]:
    """Each piece of work: its name, what it is a multiple of, and how it is done once."""
    issuer = issuer_of(hazmat.random_secret(), bytes(16), issuer_name("https://credence.example", TENANT))
    holder, now = presenting.new_key(), datetime.now(UTC)
    jwk = {name: holder.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    seconds = int(now.timestamp())
    draft = Unsigned(
        holder={name: str(value) for name, value in jwk.items()},
        issued_at=now,
        expires_at=now + timedelta(days=30),
        status_list=1,
        status_index=77,
        claims=CLAIMS,
        room=24,
    )
    text, trusted = issue(issuer, draft), Trusted.read(issuer.metadata())
    expected = Expected(audience=AUDIENCE, nonce=NONCE)
    words = {"show": list(CLAIMS), "audience": AUDIENCE, "nonce": NONCE, "now": seconds}
    shown = presenting.present(text, holder, **words)  # type: ignore[arg-type] # the words of one call
    revoked = set(random.Random(1).sample(range(LIST), REVOKED)) - {77}  # noqa: S311 - the same list in every run
    listed = sign_list(
        issuer.key,
        issuer.kid,
        uri=issuer.list_uri(1),
        size=LIST,
        revoked=revoked,
        issued=seconds,
        ttl=60,
        lifetime=3600,
    )
    bare = jws.serialize_compact({"alg": "ES256"}, json.dumps(CLAIMS), issuer.key, ["ES256"])
    theirs, claims = JWK(**issuer.key.as_dict(private=True)), {SDObj(name): value for name, value in CLAIMS.items()}
    yield "ES256, sign", "ES256, sign", lambda: jws.serialize_compact({"alg": "ES256"}, bare, issuer.key, ["ES256"])
    yield "ES256, verify", "ES256, verify", lambda: jws.deserialize_compact(bare, issuer.key, ["ES256"])
    yield "issue a statement", "ES256, sign", lambda: issue(issuer, draft)
    yield "the same by sd-jwt", "ES256, sign", lambda: SDJWTIssuer({"iss": "x"} | claims, theirs, sign_alg="ES256")
    yield "present all of it", "ES256, sign", lambda: presenting.present(text, holder, **words)  # type: ignore[arg-type] # the same
    yield "verify a presentation", "ES256, verify", lambda: verify(shown, trusted, now, expected=expected)
    yield (
        "the same by sd-jwt (verify)",
        "ES256, verify",
        lambda: SDJWTVerifier(shown, lambda *_: theirs, AUDIENCE, NONCE),
    )
    yield "verify with its status list", "ES256, verify", lambda: verify(shown, trusted, now, status=listed)
    print(
        f"A status list of {LIST} places, {REVOKED} of them revoked: {len(listed)} bytes; a statement: {len(text)}.\n"
    )


def taken(work: Work) -> float:
    """The seconds of doing it many times."""
    begun = perf_counter()
    for _ in range(TIMES):
        work()
    return perf_counter() - begun


def main() -> None:
    """Prints the table."""
    every = list(works())
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in every}
    for _ in range(ROUNDS):
        for name, _, work in every:
            seconds[name].append(taken(work))
    medians = {name: median(found) for name, found in seconds.items()}
    print("| what | times | of what |\n|---|---|---|")
    for name, unit, _ in every:
        print(f"| {name} | {medians[name] / medians[unit]:.2f} | {unit} |")


if __name__ == "__main__":
    main()
