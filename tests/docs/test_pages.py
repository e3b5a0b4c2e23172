"""The pages say what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from domain.standard import CLAUSES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(#[^)\s]*)?\)")
CITED = re.compile(r"Ch\.(\d+)(?: §(\d+))?")
CHAPTERS = {number.partition(".")[0] for number in CLAUSES}


def _rows():
    """The rows of the glossary, without the heads of its tables."""
    for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] != "English" and not set(cells[0]) <= {"-"}:
            yield cells


def test_generated_pages_are_current():
    told = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_between_pages_lead_somewhere(page):
    links = [target for target, _ in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in links if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_clauses_that_a_page_cites_exist(page):
    cited = CITED.findall(page.read_text(encoding="utf-8"))
    numbers = {f"{chapter}.{clause}" if clause else chapter for chapter, clause in cited}
    assert numbers - CLAUSES.keys() - CHAPTERS == set()


def test_the_glossary_gives_each_word_one_meaning_a_chinese_term_and_a_clause():
    rows = list(_rows())
    assert len(rows) > 50
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    words = [row[0] for row in rows]
    assert [word for word in words if words.count(word) > 1] == []
    assert [row[0] for row in rows if not re.search(r"[\u4e00-\u9fff]", row[1])] == []
    assert [row[0] for row in rows if not (CITED.search(row[3]) or row[3] == "—")] == []


def test_the_glossary_knows_the_term_of_every_clause_the_product_serves():
    terms = "".join(row[1] for row in _rows())
    served = {"3.1", "4.1", "4.2", "4.3", "5.2", "5.4"}
    assert [CLAUSES[number].term for number in served if CLAUSES[number].term not in terms] == []


def test_decision_records_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/adr").glob("*.md"))]
    assert numbers == list(range(len(numbers)))
