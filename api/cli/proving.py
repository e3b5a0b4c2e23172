"""What a partner's program does, by hand: make a key, and prove it for one request."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.console import AsJson, answer
from domain.errors import Malformed

NONCE_SECONDS = 10
"""How long an address may take to tell its nonce."""
_OWNER = 0o600


partner = typer.Typer(help="What a partner's program does, by hand.", no_args_is_help=True)


@partner.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key is kept; it must not be there yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Makes a key that tokens can be bound to, in a file for its owner alone; prints its public part."""
    from api.app import new_key, thumbprint_of  # noqa: PLC0415 - the whole house is behind it

    made = new_key()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER)
    except FileExistsError:
        raise Malformed("The file is there already.", advice="Name another: keys are never overwritten.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(made, opened)
    public = {name: value for name, value in made.items() if name != "d"}
    answer({"jwk": public, "thumbprint": thumbprint_of(made)}, json.dumps(public), as_json=as_json)


@partner.command()
def proof(
    key: Annotated[Path, typer.Option(help="The private key, as `credence partner key` keeps it.")],
    token: Annotated[str, typer.Option(help="The token that goes along.")],
    url: Annotated[str, typer.Option(help="The address that is asked, such as http://127.0.0.1:8000/graphql.")],
    method: Annotated[str, typer.Option(help="The method it is asked with.")] = "POST",
    nonce: Annotated[str | None, typer.Option(help="The server's nonce; asked for at the address otherwise.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Prints a proof of a key for one request, to be sent as the header DPoP; it is good once, for a minute."""
    from api.app import make_proof  # noqa: PLC0415 - the whole house is behind it

    jwk = jwk_in(key)

    def made(given: str) -> str:
        return make_proof(jwk, token, method=method, url=url, nonce=given, now=datetime.now(UTC))

    text = made(_nonce_at(url, token, made("")) if nonce is None else nonce)
    answer({"proof": text}, text, as_json=as_json)


def jwk_in(file: Path) -> dict[str, Any]:
    """The key a file holds.

    Raises: Malformed.
    """
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Malformed("The file holds no JWK.", advice="`credence partner key FILE` makes one.", path=("key",))
    return found


def _nonce_at(url: str, token: str, proof: str) -> str:
    """The nonce an address tells whoever asks with a proof that has none."""
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Content-Type": "application/json"}
    problem = Malformed("The address tells no nonce.", advice="Check --url, and that the server runs.", path=("url",))
    if not url.startswith(("http://", "https://")):
        raise problem
    asked = urllib.request.Request(url, data=b"{}", headers=headers, method="POST")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(asked, timeout=NONCE_SECONDS) as told:  # noqa: S310 - the same
            found = told.headers.get("DPoP-Nonce")
    except urllib.error.HTTPError as refused:
        found = refused.headers.get("DPoP-Nonce")
        refused.close()
    except OSError:
        found = None
    if not found:
        raise problem
    return str(found)
