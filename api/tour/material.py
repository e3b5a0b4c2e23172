"""What a tour runs on: files of a folder with the map of each, or the generated portfolio."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.imports.mapping import ImportMap, find_map
from domain.errors import Malformed
from domain.files.importing import ImportKind

SHIPPED = {
    "credit_companies.csv": "cumcm2020c_firms",
    "nocredit_companies.csv": "cumcm2020c_firms",
    "credit_output_invoices.parquet": "cumcm2020c_sales",
    "nocredit_output_invoices.parquet": "cumcm2020c_sales",
    "credit_input_invoices.parquet": "cumcm2020c_purchases",
    "nocredit_input_invoices.parquet": "cumcm2020c_purchases",
    "WA_Fn-UseC_-Accounts-Receivable.csv": "ibm_receivables",
}
"""The shipped map of a file that is known by its name."""
ALSO = {"WA_Fn-UseC_-Accounts-Receivable.csv": "ibm_customers"}
"""Files that are read twice: first for the customers they name."""
OUTCOMES = ("credit_companies.csv",)
"""Files that say who defaulted; nothing that imports or assesses reads that."""
ENDINGS = {".csv", ".parquet"}


@dataclass(frozen=True, slots=True)
class Material:
    """Files in the order they are imported: customers before what is about them."""

    files: tuple[tuple[Path, ImportMap], ...]
    outcomes: Path | None


def material(folder: Path) -> Material:
    """The files of a folder. A map lies beside its file under the same name, or is shipped for it.

    Raises: Malformed when there is no file with a map, or a map is wrong.
    """
    if not folder.is_dir():
        raise Malformed("The folder of the data is not there.", path=("data",))
    found = [item for path in sorted(folder.iterdir()) if path.suffix in ENDINGS for item in _mapped(path)]
    if not found:
        raise Malformed(
            "No file of the folder has a map.",
            advice="Put NAME.toml beside NAME.csv or NAME.parquet; the README shows what it says.",
            path=("data",),
        )
    ordered = sorted(found, key=lambda item: item[1].kind is not ImportKind.CUSTOMERS)
    known = (folder / name for name in OUTCOMES)
    return Material(tuple(ordered), next((path for path in known if path.exists()), None))


def _mapped(path: Path) -> Iterable[tuple[Path, ImportMap]]:
    own = path.with_suffix(".toml")
    if own.exists():
        yield path, find_map(own)
        return
    for names in (ALSO, SHIPPED):
        if path.name in names:
            yield path, find_map(names[path.name])
