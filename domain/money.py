"""Money is an exact amount of one currency; amounts of two currencies never meet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from domain.errors import Code, Malformed

EXPONENTS = {
    "AED": 2, "AUD": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2,
    "EUR": 2, "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "JOD": 3, "JPY": 0, "KRW": 0,
    "KWD": 3, "MOP": 2, "MXN": 2, "MYR": 2, "NOK": 2, "NZD": 2, "OMR": 3, "PHP": 2, "PLN": 2, "RON": 2,
    "RUB": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2, "TND": 3, "TRY": 2, "TWD": 2, "UAH": 2, "USD": 2,
    "VND": 0, "ZAR": 2,
}  # fmt: skip
"""Minor digits per currency (ISO 4217). A currency that is not here is refused, not guessed."""

MAX_MINOR = 2**63 - 1
_PLAIN = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?", re.ASCII)


def exponent(currency: str) -> int:
    """The number of minor digits of a currency.

    Chapter: 4.1.
    Units:   digits after the decimal point of one major unit.
    Raises:  Malformed (UNKNOWN_CURRENCY).
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise Malformed(
            "The currency is not known.",
            code=Code.UNKNOWN_CURRENCY,
            advice="Use a three-letter ISO 4217 code such as CNY.",
        ) from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: minor units (fen for CNY) of one currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuses unknown currencies and amounts beyond 64 bits."""
        exponent(self.currency)
        if not -MAX_MINOR <= self.minor <= MAX_MINOR:
            raise Malformed("The amount is too large.", code=Code.MALFORMED_AMOUNT)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Reads a decimal amount exactly; more digits than the currency has are refused, never rounded.

        Chapter: 4.1.
        Units:   major units in, minor units out.
        Raises:  Malformed (MALFORMED_AMOUNT, UNKNOWN_CURRENCY).
        """
        digits = exponent(currency)
        stripped = text.strip()
        if not _PLAIN.fullmatch(stripped):
            raise _malformed(digits)
        try:
            scaled = Decimal(stripped.replace(",", "")).scaleb(digits)
            minor = int(scaled)
        except (InvalidOperation, OverflowError, ValueError):
            raise _malformed(digits) from None
        if minor != scaled:
            raise _malformed(digits)
        return cls(minor, currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with all its minor digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise Malformed(
                "Amounts of two currencies never add or compare.",
                code=Code.MALFORMED_AMOUNT,
                advice="Convert one of them at a recorded rate first.",
            )


def _malformed(digits: int) -> Malformed:
    return Malformed(
        "The amount is not a number this currency can hold.",
        code=Code.MALFORMED_AMOUNT,
        advice=f"Write digits with at most {digits} decimals, for example 1234.5 or 1,234.50.",
    )
