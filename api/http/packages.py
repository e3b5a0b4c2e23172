"""The packages of others that the page for exploring the API is made of, as they were looked at, and nothing else."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A published package, and what of it the page needs."""

    name: str
    sha512: str
    """Of the whole archive, in base64."""
    file: str
    """The script in it; a style sheet of the same name is taken along."""


PACKAGES: Final = (
    Package(
        name="react@18.3.1",
        sha512="wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
        file="package/umd/react.production.min.js",
    ),
    Package(
        name="react-dom@18.3.1",
        sha512="5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw==",
        file="package/umd/react-dom.production.min.js",
    ),
    Package(
        name="graphiql@3.8.3",
        sha512="cuPDYtXVKV86Pu5PHBX642Odi/uVEE2y1Jxq5rGO/Qy1G2lRp7ZZ7a/T30RzxhuLSWo9zUbzq0P3U49//H0Ugw==",
        file="package/graphiql.min.js",
    ),
)
STYLE: Final = "package/graphiql.min.css"


def is_intact(archive: bytes, package: Package) -> bool:
    """Whether an archive is the one that was looked at when this was written."""
    return b64encode(hashlib.sha512(archive).digest()).decode() == package.sha512
