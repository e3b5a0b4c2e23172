import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import Code, Malformed
from domain.files.codes import (
    REGION_UNKNOWN,
    CreditCode,
    bank_account,
    complete_credit_code,
    email,
    phone,
    unified_social_credit_code,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
GOOD = "91110000600037341L"
CODES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cn_codes"


def lines(name):
    file = CODES / name
    if not file.exists():
        pytest.skip(f"no {name} in the shared data")
    return file.read_text(encoding="utf-8").splitlines()


def real_codes():
    found = [line[4:] for line in lines("test_cn_uscc.doctest") if re.fullmatch(r"\.\.\. \w{18}", line)]
    assert len(found) == 200
    return found


def organisation_check(first):
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    left = 11 - sum(w * int(c, 36) for w, c in zip(weights, first, strict=True)) % 11
    return {10: "X", 11: "0"}.get(left, str(left))


@st.composite
def well_formed(draw):
    head = draw(st.text(ALPHABET, min_size=2, max_size=2)) + draw(st.text("0123456789", min_size=6, max_size=6))
    body = draw(st.text(ALPHABET, min_size=8, max_size=8))
    code = head + body + organisation_check(body)
    total = sum(ALPHABET.index(c) * 3**place for place, c in enumerate(code))
    return code + ALPHABET[-total % 31]


def refused(check, *given):
    with pytest.raises(Malformed) as caught:
        check(*given)
    assert caught.value.code is Code.MALFORMED_CODE
    return caught.value


def test_every_real_unified_social_credit_code_is_accepted():
    for text in real_codes():
        assert unified_social_credit_code(text) == CreditCode(text)


def test_bad_codes_are_refused():
    block = "\n".join(lines("test_cn_uscc.doctest"))
    bad = re.findall(r"validate\('(.*)'\)\nTraceback", block)
    assert len(bad) == 4
    for text in bad:
        refused(unified_social_credit_code, text)


def test_a_single_substitution_in_a_real_code_is_refused():
    for text in real_codes()[::20]:
        for place, old in enumerate(text):
            for new in set(ALPHABET) - {old}:
                refused(unified_social_credit_code, text[:place] + new + text[place + 1 :])


def test_a_swap_of_neighbours_in_a_real_code_is_refused():
    for text in real_codes():
        for place in range(17):
            one, other = text[place], text[place + 1]
            if one != other:
                refused(unified_social_credit_code, text[:place] + other + one + text[place + 2 :])


@given(code=well_formed(), place=st.integers(0, 17), new=st.sampled_from(ALPHABET))
def test_any_single_substitution_is_refused(code, place, new):
    assert unified_social_credit_code(code).code == code
    assume(code[place] != new)
    refused(unified_social_credit_code, code[:place] + new + code[place + 1 :])


@given(code=well_formed(), place=st.integers(0, 16))
def test_any_swap_of_unequal_neighbours_is_refused(code, place):
    assume(code[place] != code[place + 1])
    refused(unified_social_credit_code, code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(code=well_formed())
def test_a_code_is_completed_from_its_first_16_characters(code):
    assert complete_credit_code(code[:16]) == code


@pytest.mark.parametrize("body", ["", GOOD[:15], GOOD, "91110000600o3734", "9111O00060003734", "91ABCDEF60003734"])
def test_what_cannot_begin_a_code_is_not_completed(body):
    refused(complete_credit_code, body)


def test_the_organisation_code_is_checked_as_well():
    broken = GOOD[:16] + "2"
    last = ALPHABET[-sum(ALPHABET.index(c) * 3**place for place, c in enumerate(broken)) % 31]
    refused(unified_social_credit_code, broken + last)


@pytest.mark.parametrize(
    "text", ["91 110000 600037341l", "９１１１００００６０００３７３４１Ｌ", "91110000-600037341L\n"]
)
def test_separators_small_letters_and_full_width_forms_are_written_one_way(text):
    assert unified_social_credit_code(text) == CreditCode(GOOD)


def with_region(region):
    code = GOOD[:2] + region + GOOD[8:17]
    return code + ALPHABET[-sum(ALPHABET.index(c) * 3**place for place, c in enumerate(code)) % 31]


@pytest.mark.parametrize(
    ("region", "findings"),
    [("330201", ()), ("100000", ()), ("990000", (REGION_UNKNOWN,)), ("160000", (REGION_UNKNOWN,))],
)
def test_a_region_only_warns(region, findings):
    assert unified_social_credit_code(with_region(region)).findings == findings


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (GOOD[:-1], "18 characters"),
        (GOOD[:-1] + "I", "without I, O, S, V and Z"),
        ("9111000A600037341L", "digits of a region"),
        (GOOD[:-1] + "N", "check character"),
    ],
)
def test_the_advice_says_what_is_wrong_with_a_code_and_not_its_value(text, hint):
    error = refused(unified_social_credit_code, text)
    assert hint in error.advice
    assert text not in error.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800138000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("013800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0086 138 0013 8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("\u202d13800138000\u202c", "+8613800138000"),
        ("+86 10 5555 0100", "+861055550100"),
        ("（010）5555 0100", "+861055550100"),
        ("+86 (0)10 5555 0100", "+861055550100"),
        ("+86 010 5555 0100", "+861055550100"),
        ("0571-8888 8888", "+8657188888888"),
        ("0354—3456789", "+863543456789"),
        ("400-820-8820", "+864008208820"),
        ("+852 2123 4567", "+85221234567"),
        ("+886 02 2345 6789", "+886223456789"),
        ("+1 (212) 555-0100", "+12125550100"),
        ("+44 (0)20 7946 0000", "+442079460000"),
    ],
)
def test_a_phone_number_is_written_in_e164(text, expected):
    assert phone(text) == expected
    assert phone(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "12800138000",
        "1380013800",
        "138001380000",
        "55550100",
        "57188888888",
        "0400-8208-8201",
        "010-1234567",
        "010 1555 0100",
        "010-5555 0100 ext 12",
        "010-5555 0100转8001",
        "13800138000/13900139000",
        "13800138000 13900139000",
        "+86 123",
        "+0 123 4567 890",
        "+1234567890123456",
        "٠١٠٥٥٥٥٠١٠٠",
        "++8613800138000",
        "86+13800138000",
    ],
)
def test_what_is_no_phone_number_is_refused(text):
    error = refused(phone, text)
    assert not text or text not in error.message + error.advice


def test_a_national_number_follows_its_region():
    assert phone("2123 4567", region="HK") == "+85221234567"
    assert phone("02-2345-6789", region="TW") == "+886223456789"
    refused(phone, "2123 4567")
    refused(phone, "020 7946 0000", "GB")


def test_every_chinese_area_code_takes_a_landline():
    for line in lines("landline_phone_area_code.txt"):
        area = line.split()[0]
        subscriber = "55550100" if len(area) == 3 else "5550100"
        assert phone(f"{area}-{subscriber}") == f"+86{area[1:]}{subscriber}"


def test_every_chinese_operator_prefix_takes_a_mobile():
    for line in lines("telecom_operator.txt"):
        number = line.split()[0].ljust(11, "7")
        assert phone(number) == "+86" + number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Zhang.Wei@Example.COM ", "Zhang.Wei@example.com"),
        ("a+b@xn--fiqs8s.cn", "a+b@xn--fiqs8s.cn"),
        ("ｚｈａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "zhang@example.com"),
    ],
)
def test_an_address_is_written_one_way(text, expected):
    assert email(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "@example.com",
        "a@",
        "a@b@example.com",
        "a@localhost",
        "a@example.123",
        "a@-example.com",
        "a@example..com",
        ".a@example.com",
        "a..b@example.com",
        "a b@example.com",
        '"a"@example.com',
        "a@例子.cn",
        "a\n@example.com",
        "a@example.com,b@example.com",
        "x" * 65 + "@example.com",
        "a@" + "b." * 126 + "com",
    ],
)
def test_what_is_no_address_is_refused(text):
    error = refused(email, text)
    assert len(text) < 2 or text not in error.message + error.advice


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6222 0212 3456 7894", "6222021234567894"),
        ("0200-0030-0900-1234-567", "0200003009001234567"),
        ("1" * 32, "1" * 32),
    ],
)
def test_a_bank_account_is_digits(text, expected):
    assert bank_account(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [("1234567", "8 to 32"), ("1" * 33, "8 to 32"), ("62220212X4567890", "digits only"), ("", "digits")],
)
def test_what_is_no_bank_account_is_refused(text, hint):
    assert hint in refused(bank_account, text).advice


def written(check, text):
    try:
        found = check(text)
    except Malformed:
        return None
    return found.code if isinstance(found, CreditCode) else found


@pytest.mark.parametrize("check", [phone, email, bank_account, unified_social_credit_code])
@given(text=st.text(max_size=40) | st.text("0123456789+-() @.aA", max_size=24))
def test_every_text_is_either_refused_or_written_one_way(check, text):
    once = written(check, text)
    assert once is None or written(check, once) == once


@given(
    digits=st.from_regex(r"1[3-9]\d{9}|0(10|2\d)[2-9]\d{7}|0[5-7]\d\d[2-9]\d{6,7}|\+[1-7]\d{6,12}", fullmatch=True).map(
        lambda text: "".join(str(int(c)) if c.isdigit() else c for c in text)
    )
)
def test_a_number_in_e164_is_its_own_form(digits):
    once = phone(digits)
    assert re.fullmatch(r"\+[1-9]\d{6,14}", once)
    assert phone(once) == once
