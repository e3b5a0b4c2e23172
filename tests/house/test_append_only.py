"""What stands in sealed values, ids and answers for ever is added to, never changed.

Each list beside this file holds what was ever published. A new declaration fails until its line is appended; a line
is never edited and never removed.
"""

from pathlib import Path

from domain.errors import Code
from domain.reading import Purpose
from domain.records import PREFIXES, TAGS, DataClass
from tests.house.tree import declared, listed

HERE = Path(__file__).parent


def _kept(name, current):
    published, now = listed(name), list(current)
    assert len(published) == len(set(published)), "a line stands twice"
    missing = [line for line in published if line not in now]
    assert missing == [], f"{name}: published, and no longer what the code says"
    fresh = [line for line in now if line not in published]
    assert fresh == [], f"append to tests/house/{name}: " + "; ".join(fresh)


def test_confidential_tags_keep_their_record_class_and_type():
    declared()
    _kept(
        "tags.txt",
        (f"{tag} {sealed.record} {sealed.data_class.value} {sealed.type.__name__}" for tag, sealed in TAGS.items()),
    )


def test_no_tag_was_ever_given_twice():
    tags = [line.split()[0] for line in listed("tags.txt")]
    assert len(tags) == len(set(tags))


def test_prefixes_keep_their_record():
    declared()
    _kept("prefixes.txt", (f"{prefix} {shape.name} {shape.table}" for prefix, shape in PREFIXES.items()))


def test_error_codes_keep_their_names():
    _kept("codes.txt", (code.value for code in Code))


def test_purposes_and_classes_of_data_keep_their_names():
    _kept("words.txt", [f"purpose {item.value}" for item in Purpose] + [f"class {item.value}" for item in DataClass])
