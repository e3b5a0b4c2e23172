"""Settings come from `credence.toml` and `CREDENCE_*` variables; what is unknown or half set stops the start.

A variable wins over the file. Names in the file are those of the variables, in lower case without the prefix.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from domain.errors import Malformed

PREFIX: Final = "CREDENCE_"
Network = IPv4Network | IPv6Network
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_SITE: Final = re.compile(rf"({_ORIGIN.pattern})(/[A-Za-z0-9._~-]+)*")
_FETCHED: Final = re.compile(r"https://|http://(127\.0\.0\.1|\[::1\]|localhost):")
"""From where keys may be fetched: over TLS, or from this machine."""
_PLACE: Final = re.compile(r"folder:.+|s3:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*")
FILE: Final = "credence.toml"
PUBLIC_URL: Final = "http://127.0.0.1:8000"
"""The address that credit statements name where none is set."""
_SHOWN: Final = frozenset({"log", "ide"})
"""What holds for a throw-away data directory too."""
_FOREIGN: Final = frozenset({"CREDENCE_TEST_DATABASE_URL"})
"""Variables of the prefix that are no settings."""
_PLAIN: Final = "/ ~!@$&'()*+,;=:"
"""What stands as it is in the path of the key file; a question mark or a percent sign would not."""
_MOST_DAYS: Final = 3650
_MOST_WITNESSES: Final = 100
_PROVIDERS: Final = ("file", "pkcs11", "transit", "awskms")
"""Kinds of providers of root keys; the provider itself reads the rest of its form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer of tokens that is trusted besides the local one."""

    issuer: str
    audience: str
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    """Its public keys; fetched from `jwks_uri`, or from where its discovery says, where they are not given."""
    jwks_uri: str = ""
    tenants: tuple[str, ...] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """What it calls the companies, where that is not their id."""
    tenant_claim: str = "tenant"
    """Where its tokens name the company, such as `organization`; empty where it speaks for one company alone."""
    mapped: bool = False
    """Whether the company's own rules say which roles its claims give; otherwise its tokens name our roles."""

    def trusted(self) -> dict[str, Any]:
        """What is trusted of it, by the names that whoever verifies tokens has for that."""
        told = {name: getattr(self, name) for name in ("issuer", "audience", "tenant_claim", "names", "mapped")}
        return told | {"keys": self.jwks, "tenants": None if self.tenants is None else frozenset(self.tenants)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPlace:
    """A witness that is asked to cosign the logs: where it answers, and the key it cosigns with."""

    url: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, complete and checked."""

    data_dir: Path = Path("credence-data")
    """Where the database, the keys and the local issuer's key lie unless they are set apart."""
    database_url: str = field(default="", repr=False)
    """The database; the address may hold a password."""
    keys: str = field(default="", repr=False)
    """Who keeps the root keys: `file:` and a path, or one of the other forms of `docs/keys.md`."""
    documents: str = ""
    """Where the contents of documents are kept: `folder:` and a path, or `s3:` and a bucket with perhaps a prefix."""
    issuer_key: Path = Path()
    """The signing key of the local issuer."""
    local_issuer: bool = True
    """Whether tokens of the local issuer are accepted."""
    issuers: tuple[Issuer, ...] = ()
    origins: tuple[str, ...] = ()
    """Other sites whose pages may open sockets here, such as `https://desk.example`; our own always may."""
    public_url: str = ""
    """The address callers use, such as `https://credit.example`; where none is set, the one we listen on."""
    trusted_only: bool = False
    """Whether everybody runs approved documents alone; partners always do."""
    ide: Path | None = None
    """The folder with what the page for exploring the API loads; without it there is no such page."""
    http_status: str = "classic"
    """`classic` or `2026`: whose status codes GraphQL over HTTP has."""
    backup_days: int = 35
    """How many days backups and archived logs of the database are kept: so long an erasure takes to reach them."""
    recall_networks: tuple[Network, ...] = ()
    """Networks that recalls may be sent to though they are private or of this machine, such as 10.1.0.0/16."""
    witnesses: tuple[WitnessPlace, ...] = ()
    """Whoever is asked to cosign every new checkpoint of every log."""
    witness_quorum: int = 0
    """How many of them make a checkpoint one that is shown first; none where it does not matter."""
    witness_networks: tuple[Network, ...] = ()
    """Networks of witnesses that are private or of this machine."""
    log: str = "text"
    """`text`, `json` or `off`."""


def load(
    environment: Mapping[str, str] | None = None, file: Path | None = None, *, data_dir: Path | None = None
) -> Settings:
    """The settings of this process; a data directory given here wins over both.

    Raises: Malformed naming the setting that is wrong.
    """
    given = _from_environment(os.environ if environment is None else environment)
    values = _from_file(file) | given
    if data_dir is not None:
        values = {name: value for name, value in values.items() if name in _SHOWN} | {"data_dir": str(data_dir)}
    known = {item.name for item in fields(Settings)}
    written = {name: f"{PREFIX}{name.upper()}" if name in given else f"{name} in {file or FILE}" for name in values}
    for name in values:
        if name not in known:
            names = ", ".join(PREFIX + item.upper() for item in sorted(known))
            raise _refused(name, f"There is no such setting; there are {names}.", written[name])
    read = {name: _read(name, value, written[name]) for name, value in values.items()}
    folder = read.setdefault("data_dir", Settings.__dataclass_fields__["data_dir"].default)
    read.setdefault("database_url", f"sqlite:///{folder / 'credence.db'}")
    read.setdefault("keys", f"file:{quote(str(folder / 'keys.json'), safe=_PLAIN)}")
    read.setdefault("documents", f"folder:{folder / 'documents'}")
    read.setdefault("issuer_key", folder / "issuer.json")
    settings = Settings(**read)
    if not settings.local_issuer and not settings.issuers:
        raise _refused("issuers", "Without the local issuer, name at least one other: nobody could sign in.")
    if settings.witness_quorum > len(settings.witnesses):
        raise _refused("witness_quorum", _FORMS["witness_quorum"], written.get("witness_quorum", ""))
    return settings


def _from_file(file: Path | None) -> dict[str, Any]:
    path = file or Path(FILE)
    try:
        with path.open("rb") as opened:
            return tomllib.load(opened)
    except FileNotFoundError:
        if file is not None:
            raise _refused(str(file), "There is no such file.") from None
        return {}
    except (tomllib.TOMLDecodeError, OSError) as failure:
        raise _refused(path.name, f"The file cannot be read as TOML: {type(failure).__name__}.") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in _FOREIGN
    }


def _read(name: str, value: Any, written: str) -> Any:
    try:
        return _READERS[name](value)
    except (ValueError, TypeError, KeyError, AttributeError, OSError):
        pass
    # Raised outside the handler, so that no error carries the value along.
    raise _refused(name, _FORMS[name], written)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _path(value: Any) -> Path:
    return Path(_text(value))


def _documents(value: Any) -> str:
    text = _text(value)
    if not _PLACE.fullmatch(text):
        raise ValueError
    return text


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}[_text(value).lower()]


def _days(value: Any) -> int:
    days = value if type(value) is int else int(_text(value))
    if not 0 <= days <= _MOST_DAYS:
        raise ValueError
    return days


def _count(value: Any) -> int:
    count = value if type(value) is int else int(_text(value))
    if not 0 <= count <= _MOST_WITNESSES:
        raise ValueError
    return count


def _networks(value: Any) -> tuple[Network, ...]:
    listed = value.split() if isinstance(value, str) else [_text(item) for item in value]
    return tuple(ip_network(item) for item in listed)


def _log(value: Any) -> str:
    if value not in {"text", "json", "off"}:
        raise ValueError
    return str(value)


def _edition(value: Any) -> str:
    if str(value) not in {"classic", "2026"}:
        raise ValueError
    return str(value)


def _keys(value: Any) -> str:
    kind, _, rest = _text(value).partition(":")
    if kind not in _PROVIDERS or not rest.strip():
        raise ValueError
    return _text(value)


def _origins(value: Any) -> tuple[str, ...]:
    listed = value.split() if isinstance(value, str) else [_text(item) for item in value]
    if not all(_ORIGIN.fullmatch(item) for item in listed):
        raise ValueError
    return tuple(listed)


def _public_url(value: Any) -> str:
    text = _text(value).rstrip("/")
    if not _SITE.fullmatch(text):
        raise ValueError
    return text


def _issuers(value: Any) -> tuple[Issuer, ...]:
    listed = json.loads(value) if isinstance(value, str) else value
    return tuple(_issuer(dict(item)) for item in listed)


def _issuer(item: dict[str, Any]) -> Issuer:
    jwks, address = item.pop("jwks", None), item.pop("jwks_uri", "")
    if "jwks_file" in item:
        jwks = json.loads(Path(item.pop("jwks_file")).read_text(encoding="utf-8"))
    tenants, claim, mapped = item.pop("tenants", None), item.pop("tenant_claim", "tenant"), item.pop("mapped", False)
    names = {_text(name): _text(tenant) for name, tenant in tenants.items()} if isinstance(tenants, dict) else {}
    tenants = list(names.values()) if names else tenants
    issuer, audience = _text(item.pop("issuer")), _text(item.pop("audience"))
    if item or (jwks is None and not _FETCHED.match(address or issuer)):
        raise ValueError
    if not isinstance(mapped, bool) or not isinstance(claim, str) or (not claim and len(tenants or ()) != 1):
        raise ValueError
    return Issuer(
        issuer=issuer,
        audience=audience,
        jwks=jwks,
        jwks_uri=address,
        tenants=None if tenants is None else tuple(map(_text, tenants)),
        names=names,
        tenant_claim=claim,
        mapped=mapped,
    )


def _witnesses(value: Any) -> tuple[WitnessPlace, ...]:
    listed = json.loads(value) if isinstance(value, str) else value
    return tuple(WitnessPlace(**{name: _text(said) for name, said in dict(item).items()}) for item in listed)


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "data_dir": _path,
    "database_url": _text,
    "keys": _keys,
    "documents": _documents,
    "issuer_key": _path,
    "local_issuer": _switch,
    "issuers": _issuers,
    "origins": _origins,
    "public_url": _public_url,
    "trusted_only": _switch,
    "ide": _path,
    "http_status": _edition,
    "backup_days": _days,
    "recall_networks": _networks,
    "witnesses": _witnesses,
    "witness_quorum": _count,
    "witness_networks": _networks,
    "log": _log,
}


_FORMS: Final[Mapping[str, str]] = {
    "data_dir": "Name a directory.",
    "database_url": "Write sqlite:///path/to/file.db or postgresql+asyncpg://user@host/name.",
    "keys": "Name a key file, such as file:credence-data/keys.json, or a provider: pkcs11:…, transit:… or awskms:….",
    "documents": "Name a folder or a bucket, such as folder:credence-data/documents or s3:bucket/prefix.",
    "issuer_key": "Name a file.",
    "local_issuer": "Write on or off.",
    "issuers": "Write a JSON list of objects with issuer and audience, perhaps tenants, tenant_claim, mapped,"
    " jwks, jwks_file or jwks_uri.",
    "origins": "Write sites such as https://desk.example, with a space between two.",
    "public_url": "Write the address that callers use, such as https://credit.example, without /graphql.",
    "trusted_only": "Write on or off.",
    "ide": "Name the folder that `credence ide FOLDER` filled.",
    "http_status": "Write classic or 2026.",
    "backup_days": "Write a number of days from 0 to 3650.",
    "recall_networks": "Write networks such as 10.1.0.0/16, with a space between two.",
    "witnesses": "Write a JSON list of objects with url (https) and key (name+id+base64).",
    "witness_quorum": "Write how many of the witnesses are enough, from 0 to their number.",
    "witness_networks": "Write networks such as 10.1.0.0/16, with a space between two.",
    "log": "Write text, json or off.",
}
"""What to write where a value cannot be read."""


def _refused(name: str, advice: str, written: str = "") -> Malformed:
    return Malformed(f"The setting {written or name} cannot be used.", advice=advice, path=(name,))
