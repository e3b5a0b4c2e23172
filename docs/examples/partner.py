"""A partner's program: it proves its key with every request and asks for what a customer agreed to.

    python partner.py https://credit.example/graphql key.json token.txt DOCUMENT cf_…

`key.json` is the partner's private key as a JWK, `token.txt` an access token that an issuer bound to it, DOCUMENT the
SHA-256 of a document that the company approved. It needs Python 3.11 and joserfc.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from joserfc import jws
from joserfc.jwk import ECKey

UNAUTHORIZED = 401


class Partner:
    """Sends documents with a token and, each time, a new proof of the key it is bound to (RFC 9449)."""

    def __init__(self, url: str, key: ECKey, token: str) -> None:
        self.url = url
        self.key = key
        self.token = token
        self.nonce: str | None = None

    def ask(self, document: str, variables: dict[str, object]) -> dict[str, object]:
        """The answer to an approved document; the server's nonce is kept for the next one."""
        body = json.dumps({"documentId": f"sha256:{document}", "variables": variables}).encode()
        status, headers, answer = self._send(body)
        if status == UNAUTHORIZED and "use_dpop_nonce" in headers.get("WWW-Authenticate", ""):
            self.nonce = headers["DPoP-Nonce"]
            status, headers, answer = self._send(body)
        self.nonce = headers.get("DPoP-Nonce", self.nonce)
        if status == UNAUTHORIZED:
            raise SystemExit(f"Not let in: {headers['WWW-Authenticate']}. Get a new token, or ask the company.")
        return answer

    def proof(self) -> str:
        """A proof for one request: it names method, address, moment, token and nonce, and is never used twice."""
        claims: dict[str, object] = {
            "htm": "POST",
            "htu": self.url,
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(16),
            "ath": base64.urlsafe_b64encode(hashlib.sha256(self.token.encode()).digest()).rstrip(b"=").decode(),
        }
        if self.nonce:
            claims["nonce"] = self.nonce
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims), self.key, ["ES256"])

    def _send(self, body: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
        headers = {"Authorization": f"DPoP {self.token}", "DPoP": self.proof(), "Content-Type": "application/json"}
        request = urllib.request.Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310 - the company's address
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - the same
                return response.status, _named(response.headers), json.load(response)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _named(refused.headers), json.load(refused)


def _named(headers: object) -> dict[str, str]:
    known = ("WWW-Authenticate", "DPoP-Nonce")
    return {name: headers[name] for name in known if headers[name]}  # type: ignore[index]  # a mapping of the library


def main() -> None:
    """Asks for one file and prints the answer."""
    url, key, token, document, credit_file = sys.argv[1:]
    read = ECKey.import_key(json.loads(Path(key).read_text(encoding="utf-8")))
    partner = Partner(url, read, Path(token).read_text(encoding="utf-8").strip())
    print(json.dumps(partner.ask(document.removeprefix("sha256:"), {"id": credit_file}), ensure_ascii=False))


if __name__ == "__main__":
    main()
