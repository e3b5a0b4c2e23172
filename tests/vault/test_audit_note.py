import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ids
from domain.errors import Malformed
from vault.audit import note


@given(st.binary(min_size=16, max_size=16))
def test_the_origin_of_a_log_names_its_tenant(raw):
    tenant = ids.encode("te", raw)
    assert note.origin(tenant) == f"credence/{tenant}"
    assert note.tenant_of(note.origin(tenant)) == tenant


@pytest.mark.parametrize("text", ["", "te_1", "cf_" + "0" * 26, "te_" + "0" * 25 + "U", "te_" + "z" * 26])
def test_only_a_tenant_has_a_log(text):
    with pytest.raises(Malformed):
        note.origin(text)
    with pytest.raises(Malformed):
        note.tenant_of(f"credence/{text}")


def test_an_origin_of_another_kind_names_no_tenant():
    for text in ("te_" + "0" * 26, "example.com/te_" + "0" * 26, "credence/credence/te_" + "0" * 26):
        with pytest.raises(Malformed):
            note.tenant_of(text)
