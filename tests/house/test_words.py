"""What no committed file may hold: unfinished words, excuses without a reason, the names of one machine or registry."""

import io
import re
import tokenize
from functools import cache

import pytest

from tests.house.tree import files, named, python_files, texts

# A letter of each word stands in brackets, so that this file does not hold what it looks for.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
EXCUSES = re.compile(r"\b(for no[w]|simpli[f]ied|place[h]olders?|in a rea[l])\b", re.IGNORECASE)
HOSTS = re.compile(
    r"p[y]pi\.org|python[h]osted|n[p]mjs\.|deb\.d[e]bian|security\.d[e]bian|ftp\.d[e]bian|crates[.]io|proxy\.g[o]lang"
)
PATHS = re.compile(r"(?<![\w.])/(wor[k]|roo[t]|far[m]|hom[e]/\w+|tm[p])/\w")
EXCUSED_IN_TESTS = re.compile(r"^(tests|bench)/")
NOQA = re.compile(r"#\s*noqa", re.IGNORECASE)
NOQA_WITH_REASON = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)*( -|  ?#) \S+")
IGNORE = re.compile(r"#\s*(type|pyright): *ignore")
IGNORE_WITH_REASON = re.compile(r"# (type|pyright): ?ignore\[[a-zA-Z-]+(, ?[a-zA-Z-]+)*\]( -|  ?#) \S+")


@cache
def _tokens():
    return tuple(
        (f"{named(path)}:{token.start[0]}", token.type, token.string)
        for path in python_files()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
        if token.type in {tokenize.COMMENT, tokenize.STRING}
    )


def _comments():
    return [
        (place, text)
        for place, kind, text in _tokens()
        if kind == tokenize.COMMENT and not place.startswith("tests/house/")
    ]


def _prose():
    """Comments and documentation strings of the source, and whole documents."""
    yield from _comments()
    for place, kind, text in _tokens():
        documents = kind == tokenize.STRING and text.lstrip("rRbBuU").startswith('"""')
        if documents and not EXCUSED_IN_TESTS.match(place):
            yield place, text
    for name, text in texts():
        if name.endswith((".md", ".toml", ".yaml", ".graphql", ".csv", ".conf")) or name == ".ci/run":
            yield from ((f"{name}:{number}", line) for number, line in enumerate(text.splitlines(), 1))


def test_nothing_is_left_unfinished():
    assert [f"{place} {text.strip()[:80]}" for place, text in _prose() if UNFINISHED.search(text)] == []


def test_nothing_is_excused_as_less_than_the_real_thing():
    assert [f"{place} {text.strip()[:80]}" for place, text in _prose() if EXCUSES.search(text)] == []


def test_no_function_of_the_product_only_says_that_it_is_missing():
    abstract = "domain/operations.py"
    found = [
        place
        for path in python_files()
        if (place := named(path)) != abstract and not place.startswith("tests/house/")
        if re.search(r"raise NotImplemented[E]rror", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_noqa_has_its_code_and_its_reason():
    assert [
        f"{place} {text}" for place, text in _comments() if NOQA.search(text) and not NOQA_WITH_REASON.search(text)
    ] == []


def test_every_ignored_type_has_its_code_and_its_reason():
    assert [
        f"{place} {text}" for place, text in _comments() if IGNORE.search(text) and not IGNORE_WITH_REASON.search(text)
    ] == []


@pytest.mark.parametrize(
    "line", ["# noqa", "# noqa: S101", "# noqa: S101 -", "# noqa S101 - a reason given", "# noqa: S101 reason given"]
)
def test_a_noqa_without_code_or_reason_is_seen(line):
    assert NOQA.search(line)
    assert not NOQA_WITH_REASON.search(line)


@pytest.mark.parametrize("line", ["# noqa: S101 - the test says so", "# noqa: S101, PLR2004 # known values"])
def test_a_noqa_with_code_and_reason_passes(line):
    assert NOQA_WITH_REASON.search(line)


def test_no_file_names_a_registry_host():
    assert [name for name, text in texts() if HOSTS.search(text)] == []


def test_no_file_names_a_path_of_one_machine():
    found = []
    for name, text in texts():
        if name.startswith("tests/house/"):
            continue
        found += [f"{name}: {match.group(0)}" for match in PATHS.finditer(text)]
    assert found == []


def test_no_lock_names_where_packages_come_from():
    banned = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
    assert [named(path) for path in files() if path.name in banned] == []
    locks = [path for path in files() if path.name.startswith("requirements") and path.suffix == ".lock"]
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, named(lock)
        assert "--index-url" not in text, named(lock)
        assert "--find-links" not in text, named(lock)
