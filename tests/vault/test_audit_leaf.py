"""Whatever the product writes as a leaf is read as one, so that writer and reader cannot drift apart."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from domain import ids
from domain.audit import Entry, Outcome, Written, commit_to
from vault.audit import leaf

text = st.text(max_size=20).filter(lambda value: not any("\ud800" <= character <= "\udfff" for character in value))
word = text.filter(bool)


def public(prefix):
    return st.binary(min_size=16, max_size=16).map(lambda raw: ids.encode(prefix, raw))


def several(items):
    """Short lists, and one too long for a leaf."""
    return st.lists(items, max_size=4).map(tuple) | items.map(lambda item: (item,) * 65)


entries = st.builds(
    Entry,
    id=public("ae"),
    at=st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]),
    ).filter(lambda at: at.year < 9999),
    tenant=public("te"),
    actor=word,
    behalf=text,
    action=word,
    resources=several(public("cf")),
    subjects=several(public("cu")),
    fields=st.lists(word, max_size=3).map(tuple),
    purpose=text,
    consent=text,
    grants=text,
    rule=text,
    policy=text,
    outcome=st.sampled_from(Outcome),
    code=text,
    cause=text,
    written=several(st.builds(Written, id=public("cf"), version=st.integers(0, 2**53 - 1), digest=word)),
    request=text,
    key=text,
    payload=st.lists(st.tuples(word, text), max_size=2).map(tuple),
)


@given(entries)
@settings(max_examples=300, deadline=None)
def test_every_leaf_that_is_written_is_read(entry):
    data = entry.leaf(commit_to(entry.side_payload(), bytes(32)))
    assert leaf.read_leaf(data) == leaf.Leaf(entry.id, entry.tenant)
