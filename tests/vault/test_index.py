from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault import hazmat, index

TENANT, OTHER, SUBJECT, PERSON = (bytes([number]) * 16 for number in range(1, 5))
ROOT = hazmat.Secret(bytearray(range(32)))
PHONE = "+861055550100"


def made(tenant=TENANT, tag="contact.phone", version=1, normaliser=1, value=PHONE, root=ROOT):
    return index.token(index.index_key(root, tenant, tag, version), tag, normaliser, value)


def test_equal_identifiers_have_equal_tokens_of_16_bytes():
    assert made() == made()
    assert len(made()) == 16


def test_every_part_changes_the_token():
    tokens = [
        made(),
        made(tenant=OTHER),
        made(tag="contact.fax"),
        made(version=2),
        made(normaliser=2),
        made(value=PHONE + "0"),
        made(root=hazmat.Secret(bytearray(32))),
    ]
    assert all(left != right for left, right in combinations(tokens, 2))


@given(st.text(), st.text())
@settings(max_examples=100)
def test_two_identifiers_have_one_token_only_when_they_are_one(left, right):
    assert (made(value=left) == made(value=right)) is (left == right)


def test_a_pseudonym_is_of_one_subject_and_one_tenant():
    firm = index.pseudonym(ROOT, TENANT, SUBJECT, "某某公司")
    assert len(firm) == 32
    assert firm == index.pseudonym(ROOT, TENANT, SUBJECT, "某某公司")
    others = [(OTHER, SUBJECT, "某某公司"), (TENANT, PERSON, "某某公司"), (TENANT, SUBJECT, "某某")]
    assert all(index.pseudonym(ROOT, *other) != firm for other in others)
    assert index.pseudonym(hazmat.Secret(bytearray(32)), TENANT, SUBJECT, "某某公司") != firm


def test_half_a_character_has_a_token_and_no_error_that_would_show_the_rest():
    assert made(value="canary\ud800") != made(value="canary")
    assert index.pseudonym(ROOT, TENANT, SUBJECT, "\ud800")


def test_the_key_of_an_index_is_not_shown():
    key = index.index_key(ROOT, TENANT, "contact.phone", 1)
    assert key.use(bytes).hex() not in repr(key)


def test_ids_of_another_length_are_a_bug():
    with pytest.raises(ValueError, match="16 bytes"):
        index.index_key(ROOT, b"short", "contact.phone", 1)
    with pytest.raises(ValueError, match="16 bytes"):
        index.pseudonym(ROOT, TENANT, b"short", PHONE)


def test_a_customer_has_another_name_towards_every_partner():
    names = [
        index.pairwise(ROOT, TENANT, OTHER, SUBJECT),
        index.pairwise(ROOT, TENANT, PERSON, SUBJECT),
        index.pairwise(ROOT, TENANT, OTHER, PERSON),
        index.pairwise(ROOT, TENANT, SUBJECT, OTHER),
        index.pairwise(ROOT, OTHER, TENANT, SUBJECT),
        index.pairwise(hazmat.Secret(bytearray(32)), TENANT, OTHER, SUBJECT),
        index.pseudonym(ROOT, TENANT, SUBJECT, OTHER.hex()),
    ]
    assert all(left != right for left, right in combinations(names, 2))
    assert index.pairwise(ROOT, TENANT, OTHER, SUBJECT) == names[0]
    with pytest.raises(ValueError, match="16 bytes"):
        index.pairwise(ROOT, TENANT, b"short", SUBJECT)
