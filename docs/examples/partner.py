"""A partner's program: it asks for what a customer agreed to, unseals it, and proves it to whom it may, offline.

    python partner.py keys FOLDER                          makes the keys; the company registers what it prints
    python partner.py prove FOLDER COMPANY pa_… CHALLENGE  shows the company that it holds the key it unseals with
    python partner.py register FOLDER ISSUER               registers the program at an OpenID provider that lets it
    python partner.py ask FOLDER URL COMPANY DOCUMENT cf_… asks, unseals, verifies, and keeps the receipt in FOLDER
    python partner.py verify FOLDER di_….json              verifies a kept receipt: no network, no account

DOCUMENT is the SHA-256 of a document that the company approved. FOLDER holds `partner-key.json`, and `token.txt` with a
token that is bound to it, or `client.json` and `client-key.json`, with which a token is got. `seal-key.json` is there
where the company seals what it discloses, and `company-keys.json` holds its public keys: fetch them once, over a
connection you trust, and compare whom they are of. It needs Python 3.11, joserfc and cryptography 50.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

Json = dict[str, Any]
UNAUTHORIZED = 401
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Untrue(Exception):
    """Something does not prove what it should."""


class Proving:
    """Sends requests, each with a new proof of the partner's key (RFC 9449)."""

    def __init__(self, key: ECKey) -> None:
        self.key = key
        self.nonces: dict[str, str] = {}

    def post(self, url: str, body: Callable[[], bytes], form: str, token: str = "") -> Json:
        """The answer; where the server wants its nonce in the proof, the request is made anew with it."""
        status, told, answer = self._sent(url, body(), form, token)
        if "use_dpop_nonce" in (told.get("WWW-Authenticate") or "") or answer.get("error") == "use_dpop_nonce":
            status, told, answer = self._sent(url, body(), form, token)
        if status >= 300:  # noqa: PLR2004 - a status of HTTP
            why = told.get("WWW-Authenticate") or json.dumps(answer)
            raise SystemExit(f"Not let in: {why}. Get a new token, or ask the company.")
        return answer

    def _sent(self, url: str, body: bytes, form: str, token: str) -> tuple[int, Any, Json]:
        headers = {"DPoP": self._proof(url, token), "Content-Type": form}
        headers |= {"Authorization": f"DPoP {token}"} if token else {}
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - an address we were given
        status, told, answer = sent(request)
        self.nonces[url] = told.get("DPoP-Nonce") or self.nonces.get(url, "")
        return status, told, answer

    def _proof(self, url: str, token: str) -> str:
        claims: Json = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": secrets.token_urlsafe(16)}
        if token:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        if self.nonces.get(url):
            claims["nonce"] = self.nonces[url]
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims), self.key, ["ES256"])


def sent(request: urllib.request.Request) -> tuple[int, Any, Json]:
    """Status, headers and JSON of an answer."""
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - an address we were given
            return response.status, response.headers, json.load(response)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, json.load(refused)


def fetched(url: str) -> Json:
    """The JSON under an address."""
    return sent(urllib.request.Request(url))[2]  # noqa: S310 - an address we were given


def make_keys(folder: Path) -> None:
    """Makes the keys that are not there yet; prints their public parts by their use, for the company to register."""
    made = {"DPOP": "partner-key.json", "CLIENT": "client-key.json", "ENC": "seal-key.json"}
    public = {}
    for use, name in made.items():
        path = folder / name
        if not path.exists():
            key = OKPKey.generate_key("X25519") if use == "ENC" else ECKey.generate_key("P-256")
            path.touch(mode=0o600)
            write(path, key.as_dict(private=True))
        private = read(path)
        public[use] = {name: private[name] for name in ("kty", "crv", "x", "y") if name in private}
    print(json.dumps(public))


def prove(folder: Path, company: str, partner: str, challenge: str) -> None:
    """Prints what a challenge says, which only the holder of the key can read: the company asks before it uses it."""
    private = read(folder / "seal-key.json")
    thumbprint = OKPKey.import_key(private).thumbprint()
    about = pae(b"vault/possession/1", raw(company), raw(partner), thumbprint.encode())
    key = X25519PrivateKey.from_private_bytes(unb64(private["d"]))
    print(json.dumps(SUITE.decrypt(unb64(challenge), key, about).decode()))


def register(folder: Path, issuer: str) -> None:
    """Registers this program at an issuer (RFC 7591): it signs with its key and has no password."""
    found = fetched(f"{issuer}/.well-known/openid-configuration")
    key = ECKey.import_key(read(folder / "client-key.json"))
    asked = {
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "id_token_signed_response_alg": "ES256",
        "jwks": {"keys": [key.as_dict(private=False) | {"use": "sig", "alg": "ES256"}]},
    }
    request = urllib.request.Request(  # noqa: S310 - the issuer's own address
        found["registration_endpoint"], json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    answer = sent(request)[2]
    told = {name: found[name] for name in ("issuer", "token_endpoint")}
    write(folder / "client.json", {"client_id": answer["client_id"], **told})


def token(folder: Path, proving: Proving) -> str:
    """The token at hand, or a new one: the program signs with its own key, and proves the key the token is bound to."""
    if (folder / "token.txt").exists():
        return (folder / "token.txt").read_text(encoding="utf-8").strip()
    client, key = read(folder / "client.json"), ECKey.import_key(read(folder / "client-key.json"))

    def body() -> bytes:
        now, own = int(time.time()), client["client_id"]
        said = {"iss": own, "sub": own, "aud": client["issuer"], "iat": now, "exp": now + 60}
        said["jti"] = secrets.token_urlsafe(16)  # an assertion is good once
        signed = jws.serialize_compact({"alg": "ES256"}, json.dumps(said), key, ["ES256"])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": signed}
        return urllib.parse.urlencode(form).encode()

    answer = proving.post(client["token_endpoint"], body, "application/x-www-form-urlencoded")
    return str(answer["access_token"])


def ask(folder: Path, url: str, company: str, document: str, credit_file: str) -> None:
    """Asks for one file and prints what it got; a sealed answer is verified first, and kept with its proofs."""
    proving = Proving(ECKey.import_key(read(folder / "partner-key.json")))
    if not (folder / "company-keys.json").exists():
        keys = f"{url.removesuffix('/graphql')}/.well-known/credence-keys.json?company={company}"
        write(folder / "company-keys.json", fetched(keys))
    asked = {"documentId": f"sha256:{document.removeprefix('sha256:')}", "variables": {"id": credit_file}}
    answer = proving.post(url, json.dumps(asked).encode, "application/json", token(folder, proving))
    got = (answer.get("data") or {}).get("requestDisclosure") or {}
    if got.get("sealed"):
        kept = {name: got[name] for name in ("sealed", "sealedTo", "proofs")}
        path = folder / f"{got['disclosure']['id']}.json"
        write(path, kept)
        answer["verified"] = verify(folder, kept)
    print(json.dumps(answer, ensure_ascii=False))


def verify(folder: Path, receipt: Json) -> Json:
    """What a kept receipt says, once everything about it is proven with the keys of the company alone.

    Raises: Untrue.
    """
    company = read(folder / "company-keys.json")
    disclosed, handed = (proven(proof, company["logs"]) for proof in receipt["proofs"])
    claims = signed_by(unseal(folder, receipt, disclosed, company), company["statements"])
    consent = disclosed["consent"]
    must(claims["entry"] == disclosed["id"] and claims["leaf"] == receipt["proofs"][0]["leaf"], "another entry")
    must(claims["iss"].endswith("/" + disclosed["tenant"]), "the entry of another company")
    must(claims["aud"] == disclosed["behalf"] == handed["behalf"], "a disclosure to another partner")
    must(claims["consent"] == consent == handed["consent"], "another consent than the log has")
    must(claims["purpose"] == disclosed["purpose"], "another purpose than the log has")
    must(claims["jti"] in disclosed["resources"] and claims["jti"] in handed["resources"], "another disclosure")
    must(set(claims["data"]) <= set(disclosed["fields"]), "more fields than the log has")
    must((disclosed["action"], disclosed["outcome"]) == ("disclosure:request", "DONE"), "no disclosure")
    must((handed["action"], handed["outcome"]) == ("disclosure:hand_over", "DONE"), "nothing handed over")
    must(handed["digest"] == hashlib.sha256(receipt["sealed"].encode()).hexdigest(), "other bytes than handed over")
    return {name: claims[name] for name in ("jti", "sub", "consent", "purpose", "data", "obligations", "delete_by")}


def unseal(folder: Path, receipt: Json, entry: Json, company: Json) -> str:
    """What is inside, opened with the partner's key (RFC 9180); it opens only as what it is about."""
    private = read(folder / "seal-key.json")
    consent, _, version = entry["consent"].partition("/")
    disclosure = next(one for one in entry["resources"] if one.startswith("di_"))
    tenant = company["statements"]["issuer"].rpartition("/")[2]
    ids = [raw(one) for one in (tenant, entry["behalf"])]
    about = (*ids, receipt["sealedTo"].encode(), raw(consent), int(version).to_bytes(4, "big"), raw(disclosure))
    key = X25519PrivateKey.from_private_bytes(unb64(private["d"]))
    return SUITE.decrypt(unb64(receipt["sealed"]), key, pae(b"vault/disclosure/1", *about)).decode()


def signed_by(text: str, statements: Json) -> Json:
    """What a disclosure says, where the company signed it."""
    keys = {key["kid"]: key for key in statements["jwks"]["keys"]}
    header = json.loads(unb64(text.partition(".")[0]))
    must(header.get("typ") == "disclosure+jwt" and header.get("kid") in keys, "no disclosure of this company")
    found = jws.deserialize_compact(text, ECKey.import_key(keys[header["kid"]]), algorithms=["ES256"])
    claims: Json = json.loads(found.payload)
    must(claims["iss"] == statements["issuer"], "a disclosure of another company")
    return claims


def proven(told: Json, logs: list[str]) -> Json:
    """An audit entry that its proof shows in the log of the company: leaf to root (RFC 6962), root to signature."""
    head, _, checkpoint = told["proof"].partition("\n\n")
    first, place, *path = head.split("\n")
    must(first == "c2sp.org/tlog-proof@v1" and place.startswith("index "), "no proof")
    text, _, signatures = checkpoint.partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    must(any(_signs(log, origin, text + "\n", signatures) for log in logs), "a checkpoint the log did not sign")
    node = hashlib.sha256(b"\x00" + told["leaf"].encode()).digest()
    here, last = int(place.removeprefix("index ")), int(size) - 1
    must(0 <= here <= last, "no place in this log")
    for line in path:
        sibling = base64.b64decode(line, validate=True)
        must(last > 0, "a path that is too long")
        left = here & 1 or here == last
        node = hashlib.sha256(b"\x01" + (sibling + node if left else node + sibling)).digest()
        while left and here and not here & 1:
            here, last = here >> 1, last >> 1
        here, last = here >> 1, last >> 1
    must(last == 0 and node == base64.b64decode(root, validate=True), "a path that does not lead to the root")
    entry: Json = json.loads(told["leaf"])
    must(entry["id"] == told["entry"], "the proof of another entry")
    return entry


def _signs(log: str, origin: str, text: str, signatures: str) -> bool:
    """Whether the key of a log, `name+id+base64`, made one of the signatures of a note (C2SP signed-note)."""
    name, known, key = log.split("+", 2)
    for line in signatures.splitlines():
        _, signer, value = line.split(" ")
        made = base64.b64decode(value, validate=True)
        if name == signer == origin and made[:4].hex() == known:
            try:
                Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(made[4:], text.encode())
            except InvalidSignature:
                return False
            return True
    return False


def must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it is what has to hold
    """Stops where something does not hold."""
    if not holds:
        raise Untrue(f"This is not proven: {otherwise}.")


def pae(*parts: bytes) -> bytes:
    """The parts in one string that no other parts give."""
    return len(parts).to_bytes(4, "big") + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def raw(public: str) -> bytes:
    """The 16 bytes of an id: 26 characters of Crockford's base 32 behind its prefix."""
    number = 0
    for character in public.partition("_")[2]:
        number = number << 5 | ALPHABET.index(character)
    return number.to_bytes(16, "big")


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(path: Path) -> Json:
    """The JSON of a file."""
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return] # our own files


def write(path: Path, value: Json) -> None:
    """Keeps JSON in a file."""
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def main(word: str, folder: str, *more: str) -> None:
    """Does what was asked for."""
    place = Path(folder)
    try:
        if word == "verify":
            print(json.dumps(verify(place, read(Path(more[0]))), ensure_ascii=False))
        else:
            {"keys": make_keys, "prove": prove, "register": register, "ask": ask}[word](place, *more)  # type: ignore[operator] # as told above
    except Untrue as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
