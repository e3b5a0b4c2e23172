"""A map says in TOML what the columns of a file mean; it is checked whole before any value is read.

kind = "invoices"
source = "Accounting"             # the name of a registered source
lawful_basis = "CONTRACT"
source_row = "{file}:{row}"       # what identifies a row in its source; columns may stand in it too

[columns]                         # field = column
reference = "customer no"
[constants]                       # field = the same for every row
currency = "CNY"
[dates]                           # field = how its column writes dates
issued_on = "YEAR_FIRST"
[values.state]                    # what a column writes = what it means; * stands for any characters
"作废*" = "VOID"
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

from api.imports.cells import YES_NO
from api.imports.fields import FIELDS, Field, Holds
from domain import canonical
from domain.errors import Code, Malformed
from domain.files.dates import DateFormat
from domain.files.forbidden import check_names
from domain.files.importing import ImportKind, Known
from domain.files.parties import PartyKind
from domain.files.sources import LawfulBasis
from domain.money import exponent

E = TypeVar("E", bound=Enum)

KEYS = frozenset(
    {"kind", "source", "lawful_basis", "source_row", "known", "persons", "outcomes", "encoding", "delimiter"}
)
TABLES = frozenset({"columns", "constants", "dates", "values"})
TEMPLATE = re.compile(r"\{([^{}]*)\}")
FILE, ROW = "file", "row"
"""What a source_row template knows besides columns."""

_OUTCOME = re.compile(r"\b(default(ed|s)?|grade|outcome)\b|违约|評級|评级|信用等级|信誉等级")
_GRADED = frozenset({ImportKind.CUSTOMERS, ImportKind.INVOICES, ImportKind.STATEMENTS})
"""Kinds in which no column may tell how it ended; a rating or a default is itself such news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMap:
    """A checked map."""

    kind: ImportKind
    source: str
    lawful_basis: LawfulBasis
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    dates: Mapping[str, DateFormat]
    values: Mapping[str, Mapping[str, str]]
    source_row: str
    known: Known
    persons: bool
    encoding: str
    delimiter: str
    digest: str

    @property
    def firms_only(self) -> bool:
        """Whether rows about natural persons are rejected."""
        return not self.persons

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields of its kind of rows."""
        return FIELDS[self.kind]

    @property
    def read(self) -> tuple[str, ...]:
        """The columns it reads, each once."""
        placed = (name for name in TEMPLATE.findall(self.source_row) if name not in {FILE, ROW})
        return tuple(dict.fromkeys((*self.columns.values(), *placed)))

    def check_file(self, columns: Sequence[str]) -> None:
        """Refuses a file that lacks a column the map reads.

        Raises: Malformed, naming the columns.
        """
        missing = [name for name in self.read if name not in columns]
        if missing:
            raise Malformed(
                f"The file has no column {_listed(missing)}.",
                code=Code.MISSING_VALUE,
                advice="Write the names as they stand in the file's header, or use the map of this file.",
                path=tuple(missing),
            )

    def column_of(self, path: str) -> str:
        """The column behind a field that an error names, or the column itself; empty where there is none."""
        field = re.sub(r"(?<!^)(?=[A-Z])", "_", path).lower().replace(".", "_")
        return self.columns.get(field, path if path in self.read else "")


def shipped() -> tuple[str, ...]:
    """The names of the maps that come with the product."""
    folder = resources.files("api.imports") / "maps"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def find_map(name: str | Path) -> ImportMap:
    """The map of a file, or the one that is shipped under a name.

    Raises: Malformed.
    """
    path = Path(name)
    if not path.exists() and str(name) in shipped():
        return read_map((resources.files("api.imports") / "maps" / f"{name}.toml").read_text(encoding="utf-8"))
    try:
        return read_map(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise Malformed(
            "The map cannot be read.", advice="Name a TOML file, or a shipped map: " + ", ".join(shipped()) + "."
        ) from None


def read_map(text: str) -> ImportMap:
    """The map that a TOML text says, every part of it checked.

    Raises: Malformed, naming what is unknown, missing or forbidden.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"The map is no TOML: {error}.", advice="Correct it there.") from None
    _refuse_unknown("key", said, KEYS | TABLES)
    kind = _chosen(ImportKind, said, "kind")
    tables = {name: _table(said, name) for name in TABLES - {"values"}}
    found = ImportMap(
        kind=kind,
        source=_text(said, "source"),
        lawful_basis=_chosen(LawfulBasis, said, "lawful_basis"),
        columns=tables["columns"],
        constants=tables["constants"],
        dates={field: _chosen(DateFormat, tables["dates"], field) for field in tables["dates"]},
        values={field: _table(_nested(said, "values"), field) for field in _nested(said, "values")},
        source_row=_text(said, "source_row", "{file}:{row}"),
        known=_chosen(Known, said, "known", Known.KEEP),
        persons=_flag(said, "persons"),
        encoding=_text(said, "encoding", "utf-8-sig"),
        delimiter=_delimiter(said),
        digest=canonical.digest(said),
    )
    _check_fields(found)
    _check_values(found)
    _check_format(found)
    _check_names(found, _strings(said, "outcomes"))
    return found


def _check_fields(found: ImportMap) -> None:
    """Every field is known, filled once, and the ones a row needs are filled."""
    for table in (found.columns, found.constants, found.dates, found.values):
        _refuse_unknown("field", table, found.fields)
    twice = sorted(set(found.columns) & set(found.constants))
    if twice:
        raise Malformed(f"The map fills {_listed(twice)} from a column and by a constant.", advice="Keep one of them.")
    filled = {*found.columns, *found.constants}
    missing = [name for name, field in found.fields.items() if field.needed and name not in filled]
    if found.kind is ImportKind.INVOICES and not filled & {"net", "total"}:
        missing.append("total")
    amounts = any(found.fields[name].holds is Holds.AMOUNT for name in filled)
    if amounts and "currency" not in filled and "currency" not in missing:
        missing.append("currency")
    if missing:
        raise Malformed(
            f"The map does not fill {_listed(missing)}.",
            code=Code.MISSING_VALUE,
            advice="Name a column for each under [columns], or one value for all rows under [constants].",
        )
    for name in found.dates:
        if found.fields[name].holds is not Holds.DATE:
            raise Malformed(f"The field {name} holds no date.", advice="Leave it out of [dates].")


def _check_values(found: ImportMap) -> None:
    """Constants and translations say what their fields may hold."""
    for name, value in found.constants.items():
        _check_value(found.fields[name], name, value)
    for name, table in found.values.items():
        if found.fields[name].holds not in {Holds.CHOICE, Holds.YES_NO}:
            raise Malformed(f"The field {name} takes its values as they are.", advice="Leave it out of [values].")
        for value in table.values():
            if value:
                _check_value(found.fields[name], name, value)


def _check_value(field: Field, name: str, value: str) -> None:
    if field.holds is Holds.AMOUNT:
        raise Malformed(f"An amount is no constant: {name}.", advice="Name its column under [columns].")
    if field.holds is Holds.CURRENCY:
        exponent(value)
    allowed = _allowed(field)
    if allowed and value not in allowed:
        raise Malformed(f"{value} is no {name}.", advice="Write one of " + ", ".join(allowed) + ".", path=(name,))


def _allowed(field: Field) -> tuple[str, ...]:
    if field.choices is not None:
        return tuple(str(item.value) for item in field.choices)
    return tuple(YES_NO) if field.holds is Holds.YES_NO else ()


def _check_format(found: ImportMap) -> None:
    try:
        codecs.lookup(found.encoding)
    except LookupError:
        raise Malformed("The encoding is not known.", advice="Write for example utf-8 or gb18030.") from None
    names = TEMPLATE.findall(found.source_row)
    if not names or "" in names:
        raise Malformed(
            "The source_row is the same for every row.",
            advice="Put {row} or the columns that identify a row into it, such as {file}:{row}.",
        )


def _check_names(found: ImportMap, outcomes: Iterable[str]) -> None:
    """No column says what must not be collected, and none tells how it ended."""
    told = set(outcomes)
    if found.kind in _GRADED:
        told.update(name for name in found.read if _OUTCOME.search(_words(name)))
    used = [name for name in found.read if name in told]
    if used:
        raise Malformed(
            f"The map reads what is an outcome: {_listed(used)}. An outcome is never an input.",
            code=Code.FORBIDDEN_CATEGORY,
            advice="Leave these columns out; a comparison with outcomes reads them apart from any assessment.",
            path=tuple(used),
        )
    kinds = {found.constants.get("kind", ""), *found.values.get("kind", {}).values()}
    firms = {kind.value for kind in PartyKind if not kind.natural}
    all_firms = found.kind is ImportKind.CUSTOMERS and kinds - {""} <= firms and bool(kinds - {""})
    check_names(
        found.read,
        natural_person=found.persons and not all_firms,
        written_consent=found.lawful_basis is LawfulBasis.WRITTEN_CONSENT,
    )


def _words(name: str) -> str:
    return re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).lower()


def _refuse_unknown(what: str, said: Iterable[str], known: Iterable[str]) -> None:
    allowed = set(known)
    unknown = [name for name in said if name not in allowed]
    if unknown:
        raise Malformed(
            f"The map has no {what} {_listed(unknown)}.",
            advice="It has " + ", ".join(sorted(allowed)) + ".",
            path=tuple(unknown),
        )


def _text(said: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = said.get(name, default)
    if value is None:
        raise Malformed(f"The map does not say {name}.", code=Code.MISSING_VALUE, advice=f"Add {name} to it.")
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"The map says {name} as no text.", advice="Write it in quotes.")
    return value


def _delimiter(said: Mapping[str, Any]) -> str:
    value = said.get("delimiter", ",")
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise Malformed("The delimiter is one character.", advice="Leave it out for a comma.")
    return value


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, True)
    if not isinstance(value, bool):
        raise Malformed(f"The map says {name} as neither true nor false.", advice="Write true or false.")
    return value


def _chosen(kind: type[E], said: Mapping[str, Any], name: str, default: E | None = None) -> E:
    if name not in said and default is not None:
        return default
    word = _text(said, name).upper()
    # A date format may be named or written out, as in YYYY/M/D.
    found = next((item for item in kind if word in {item.name, str(item.value)}), None)
    if found is None:
        names = ", ".join(item.name for item in kind)
        raise Malformed(f"{word} is no {name}.", advice=f"Write one of {names}.", path=(name,))
    return found


def _nested(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = said.get(name, {})
    if not isinstance(table, dict):
        raise Malformed(f"The map says {name} as no table.", advice=f"Begin it with [{name}].")
    return cast("Mapping[str, Any]", table)


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, str]:
    table = _nested(said, name)
    if not all(isinstance(value, str) for value in table.values()):
        raise Malformed(f"The table {name} of the map holds texts alone.", advice="Write its values in quotes.")
    return table


def _strings(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    listed = said.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise Malformed(f"The map says {name} as no list of texts.", advice=f'Write {name} = ["column"].')
    return tuple(listed)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
