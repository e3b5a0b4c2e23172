import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files.identifying.masks import HIDDEN, Mask

ENDS = {Mask.PHONE: (0, 4), Mask.ACCOUNT: (0, 4), Mask.NAME: (1, 0), Mask.CODE: (2, 4)}
TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (Mask.PHONE, "+8613800138000", "****8000"),
        (Mask.EMAIL, "zhang.wei@example.com", "z****@example.com"),
        (Mask.ACCOUNT, "6222021234567894", "****7894"),
        (Mask.NAME, "欧阳明", "欧****"),
        (Mask.NAME, "王伟", "王****"),
        (Mask.CODE, "91110000600037341L", "91****341L"),
    ],
)
def test_a_masked_form_keeps_what_tells_values_apart(mask, value, shown):
    assert mask.apply(value) == shown


@pytest.mark.parametrize(
    ("mask", "value"),
    [
        (Mask.PHONE, "1234567"),
        (Mask.ACCOUNT, "1234567"),
        (Mask.NAME, "王"),
        (Mask.CODE, "9111000060L"),
        (Mask.EMAIL, "nobody"),
    ],
)
def test_a_short_value_is_masked_whole(mask, value):
    assert mask.apply(value) == HIDDEN


def test_an_address_of_one_letter_keeps_its_domain_only():
    assert Mask.EMAIL.apply("a@example.com") == "****@example.com"


@pytest.mark.parametrize("mask", ENDS)
@given(value=TEXT)
def test_at_most_half_of_a_value_is_shown(mask, value):
    first, last = ENDS[mask]
    shown = mask.apply(value)
    assert len(shown) - len(HIDDEN) <= len(value) / 2
    assert shown in {HIDDEN, value[:first] + HIDDEN + value[len(value) - last :]}


@pytest.mark.parametrize("mask", ENDS)
@given(one=st.text(min_size=12, max_size=40), other=st.text(min_size=6, max_size=40))
def test_values_that_share_the_shown_part_look_the_same(mask, one, other):
    first, last = ENDS[mask]
    twin = one[:first] + other + "x" * 6 + one[len(one) - last :]
    assert mask.apply(twin) == mask.apply(one)


@given(one=st.text(min_size=1, max_size=20), other=st.text(max_size=20), domain=st.text("abc.", min_size=1))
def test_addresses_that_share_letter_and_domain_look_the_same(one, other, domain):
    first = one[0]
    assert Mask.EMAIL.apply(f"{first}{other}x@{domain}") == Mask.EMAIL.apply(f"{first}y@{domain}")


@given(value=TEXT)
def test_every_mask_masks_every_text(value):
    for mask in Mask:
        assert HIDDEN in mask.apply(value)
