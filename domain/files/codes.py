"""Codes, phones, addresses, accounts and short texts are checked and written one way (Ch.4 §1).

A refusal names the rule that is broken and never the value. Every function is idempotent: what it returns, it accepts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.errors import Code, Malformed

_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
"""Spaces, hyphens, dashes and the invisible marks that come along when a number is copied from a page."""

_CODE_LENGTH: Final = 18
_ORGANISATION: Final = slice(8, 17)
_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: 31 characters, without I, O, S, V and Z."""
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(_CODE_LENGTH - 1))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS: Final = "0X987654321"
"""GB 11714: the check character for each remainder of the weighted sum by 11."""
_PROVINCES: Final = frozenset(
    map(
        str,
        (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82),
    )
)
"""GB/T 2260: the first two digits of a region name its province."""
_NATIONAL: Final = "10"
"""The first two digits where the registering authority is a national one."""

MAX_TEXT: Final = 400
"""Characters of a short text."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

REGION_UNKNOWN: Final = "REGION_UNKNOWN"

_EMAIL_LENGTH: Final = 254
_LOCAL_LENGTH: Final = 64
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"({_LABEL}\.)+(?!\d+$){_LABEL}")

_ACCOUNT_MIN: Final = 8
_ACCOUNT_MAX: Final = 32
"""A card of a person: UnionPay's prefix, 16 to 19 digits. Accounts of firms carry no such prefix and no Luhn digit."""


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code that passes both checks, and what was noticed about it."""

    code: str
    findings: tuple[str, ...] = ()


class _Numbering(NamedTuple):
    """How a region writes its numbers: country code, trunk prefix, numbers free of it and numbers bound to it."""

    country: str
    trunk: str
    free: re.Pattern[str]
    bound: re.Pattern[str]


_NEVER: Final = re.compile(r"(?!)")
_REGIONS: Final = {
    "CN": _Numbering(
        "86",
        "0",
        # Mobiles, and the 400 and 800 numbers of firms: dialled alike from everywhere.
        re.compile(r"1[3-9]\d{9}|[48]00\d{7}"),
        # Landlines: 2 digits of area and 8 of subscriber, or 3 and 7 or 8. No area is called 400 or 800.
        re.compile(r"(10|2\d)[2-9]\d{7}|(?![48]00)[3-9]\d{2}[2-9]\d{6,7}"),
    ),
    "HK": _Numbering("852", "", re.compile(r"[2-9]\d{7}"), _NEVER),
    "MO": _Numbering("853", "", re.compile(r"[268]\d{7}"), _NEVER),
    "TW": _Numbering("886", "0", _NEVER, re.compile(r"[2-9]\d{7,8}")),
}
_INTERNATIONAL: Final = re.compile(r"[1-9]\d{6,14}")
"""E.164: at most 15 digits, the country code first."""


def short_text(value: str | None, name: str) -> str | None:
    """A text without spaces around it; None stays None.

    Chapter: 4.1.
    Shape:   idempotent.
    Raises:  Malformed when it is empty, too long or not printable.
    """
    if value is None:
        return None
    stripped = value.strip()
    if not stripped or len(stripped) > MAX_TEXT or not stripped.isprintable():
        raise Malformed(
            f"The {name} is empty, too long or not printable.",
            advice=f"Send 1 to {MAX_TEXT} printable characters, or leave it out.",
            path=(name,),
        )
    return stripped


def required_text(value: str, name: str) -> str:
    """A text without spaces around it that must be there.

    Chapter: 4.1.
    Raises:  Malformed; MISSING_VALUE when nothing is left of it.
    """
    text = short_text(value, name) if value.strip() else None
    if text is None:
        raise Malformed(
            f"The {name} is missing.",
            code=Code.MISSING_VALUE,
            advice=f"Send 1 to {MAX_TEXT} printable characters.",
            path=(name,),
        )
    return text


def check_digest(digest: str | None, name: str) -> None:
    """Refuses what is no SHA-256 digest in lower-case hex; None is none.

    Chapter: 4.3.
    Raises:  Malformed (MALFORMED_CODE).
    """
    if digest is not None and not _DIGEST.fullmatch(digest):
        raise Malformed(
            "A digest is SHA-256 in lower-case hex.",
            code=Code.MALFORMED_CODE,
            advice="Send the 64 digits of the digest, and never the document itself.",
            path=(name,),
        )


def unified_social_credit_code(text: str) -> CreditCode:
    """The unified social credit code 统一社会信用代码 in capitals without separators, when both its checks hold.

    A region that is no province's only warns: real codes keep regions that have since been retired.

    Chapter: 4.1.
    Shape:   idempotent; every single substitution and every swap of unequal neighbours is refused.
    Raises:  Malformed (MALFORMED_CODE).
    """
    code = _compact(text).upper()
    what = "unified social credit code"
    if len(code) != _CODE_LENGTH:
        raise _malformed(what, f"It has {_CODE_LENGTH} characters, for example 91110000600037341L.")
    if not set(code) <= set(_ALPHABET):
        raise _malformed(what, "It has digits and capital letters without I, O, S, V and Z.")
    if not code[2:8].isdigit():
        raise _malformed(what, "Its characters 3 to 8 are the digits of a region.")
    if _organisation_check(code[_ORGANISATION]) or _code_check(code):
        raise _malformed(what, "A check character does not agree: compare it with the business licence.")
    known = code[2:4] in _PROVINCES or code[2:4] == _NATIONAL
    return CreditCode(code, () if known else (REGION_UNKNOWN,))


def complete_credit_code(body: str) -> str:
    """The unified social credit code whose first 16 characters are given, with both its check characters.

    Chapter: 4.1.
    Shape:   `unified_social_credit_code` accepts what it makes.
    Raises:  Malformed (MALFORMED_CODE) when the 16 characters cannot begin a code.
    """
    if len(body) != _CODE_LENGTH - 2 or not set(body) <= set(_ALPHABET):
        raise _malformed("unified social credit code", "Its first 16 characters are digits and capital letters.")
    first = body + _ORGANISATION_CHECKS[_organisation_sum(body[_ORGANISATION]) % 11]
    return unified_social_credit_code(first + _ALPHABET[-_code_sum(first) % 31]).code


def phone(text: str, region: str = "CN") -> str:
    """A phone number in E.164: a plus sign, the country code and the number, nothing else.

    Chapter: 4.1.
    Shape:   idempotent.
    Raises:  Malformed (MALFORMED_CODE).
    """
    what = "phone number"
    plain = re.sub(r"[().]", "", _compact(text).replace("(0)", ""))
    if not re.fullmatch(r"\+?\d+", plain, re.ASCII):
        raise _malformed(what, "It has digits only, a plus sign at most in front; leave an extension out.")
    if plain.startswith(("+", "00")):
        return "+" + _from_abroad(plain.removeprefix("+").removeprefix("00"))
    home = _REGIONS.get(region)
    if home is None:
        raise _malformed(what, "Write a plus sign and the country code in front.")
    bare = plain.removeprefix(home.trunk) if home.trunk else plain
    if home.free.fullmatch(bare) or (home.bound.fullmatch(bare) and bare != plain):
        return "+" + home.country + bare
    raise _malformed(what, "Write a mobile number, or a landline with its area code, of the right length.")


def email(text: str) -> str:
    """An e-mail address with its domain in small letters; the part before the at sign stays as it is.

    Chapter: 4.1.
    Shape:   idempotent.
    Raises:  Malformed (MALFORMED_CODE).
    """
    what = "e-mail address"
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    domain = domain.lower()
    if not at or len(local) > _LOCAL_LENGTH or len(local + at + domain) > _EMAIL_LENGTH:
        raise _malformed(what, f"It is name@domain, at most {_LOCAL_LENGTH} characters before the at sign.")
    if not _LOCAL.fullmatch(local):
        raise _malformed(what, "The part before the at sign has letters, digits and signs without spaces or quotes.")
    if not _DOMAIN.fullmatch(domain):
        raise _malformed(what, "The domain is labels joined by dots; write one in other scripts in its xn-- form.")
    return local + at + domain


def bank_account(text: str) -> str:
    """A bank account number, digits only.

    Chapter: 4.1.
    Units:   8 to 32 digits.
    Shape:   idempotent.
    Raises:  Malformed (MALFORMED_CODE).
    """
    digits = _compact(text)
    if not re.fullmatch(r"\d+", digits, re.ASCII):
        raise _malformed("bank account", "It has digits only, with spaces or hyphens at most between them.")
    if not _ACCOUNT_MIN <= len(digits) <= _ACCOUNT_MAX:
        raise _malformed("bank account", f"It has {_ACCOUNT_MIN} to {_ACCOUNT_MAX} digits.")
    return digits


def _compact(text: str) -> str:
    # NFKC turns the full-width digits, letters and brackets of Chinese forms into plain ones.
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))


def _code_sum(first: str) -> int:
    """The weighted sum of the first 17 characters."""
    return sum(_VALUE[character] * weight for character, weight in zip(first, _WEIGHTS, strict=False))


def _code_check(code: str) -> bool:
    """Whether the 18th character disagrees (GB 32100)."""
    return (_code_sum(code) + _VALUE[code[-1]]) % 31 != 0


def _organisation_sum(organisation: str) -> int:
    """The weighted sum of the first 8 characters of an organisation code; there letters run on from 10 to 35."""
    return sum(
        int(character, 36) * weight for character, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=False)
    )


def _organisation_check(organisation: str) -> bool:
    """Whether the organisation code in characters 9 to 17 disagrees (GB 11714)."""
    return _ORGANISATION_CHECKS[_organisation_sum(organisation) % 11] != organisation[-1]


def _from_abroad(digits: str) -> str:
    """The digits behind the plus sign; in a known region they follow its numbering, the trunk prefix left out."""
    for home in _REGIONS.values():
        if digits.startswith(home.country):
            bare = digits.removeprefix(home.country).removeprefix(home.trunk)
            if home.free.fullmatch(bare) or home.bound.fullmatch(bare):
                return home.country + bare
            raise _malformed("phone number", "Its length or area code is not one of the country it names.")
    if not _INTERNATIONAL.fullmatch(digits):
        raise _malformed("phone number", "A country code and number have 7 to 15 digits.")
    return digits


def _malformed(what: str, advice: str) -> Malformed:
    return Malformed(f"The {what} is not well formed.", code=Code.MALFORMED_CODE, advice=advice)
