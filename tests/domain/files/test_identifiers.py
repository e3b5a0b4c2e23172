from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Malformed
from domain.files.identifying.identifiers import NORMALISERS, Exact, normalised, refuse_words
from domain.files.identifying.masks import Mask
from domain.files.values import WORDS
from domain.records import TAGS, Confidential, DataClass, confidential

ACCOUNT, EMAIL, CODE = "6222021234567890128", " OFFICE@yunfan.example ", "91110000600037341L"
PHONE = Exact(normaliser="phone/1")
ADRS = Path(__file__).parents[3] / "docs" / "adr"


def wide(text):
    """The text in the full-width letters of a Chinese form."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def declared(type_=str, mask=None, index=PHONE):
    """A field as a record would declare it."""
    return confidential("contact.made_up", DataClass.CONTACT, type_, "A field. Ch.4 §1", mask=mask, index=index)


PHONES = [
    "+8613800138000",
    "138 0013 8000",
    wide("13800138000"),
    wide("+86") + " 138-0013-8000",
    "0086 138 0013 8000",
    "(+86) 138 0013 8000",
    "013800138000",
    "+86\u202d13800138000\u202c",
    " 138\xa00013\u20098000 ",
]
LANDLINES = ["+861055550100", "010-5555 0100", "（010）55550100", "+86 (0)10 5555 0100", wide("00861055550100")]
ACCOUNTS = [ACCOUNT, "6222 0212 3456 7890 128", wide(ACCOUNT), "6222-0212-3456-7890-128"]
EMAILS = ["office@yunfan.example", "Office@Yunfan.Example", wide("office@yunfan") + ".example", EMAIL]
CODES = [CODE, "91110000 600037341l", wide(CODE)]


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [("phone/1", PHONES), ("phone/1", LANDLINES), ("email/1", EMAILS), ("account/1", ACCOUNTS), ("uscc/1", CODES)],
)
def test_however_an_identifier_is_written_it_is_one(kind, spellings):
    assert len({normalised(kind, spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize("kind", NORMALISERS)
@given(text=st.text(alphabet="0123456789+-() ０１２３@.aAzZＡ张", max_size=24))
def test_what_is_normalised_is_normalised_once(kind, text):
    try:
        once = normalised(kind, text)
    except Malformed:
        return
    assert normalised(kind, once) == once


@given(st.sampled_from(["+8613800138000", "+861055550100"]), st.integers(0, 9), st.integers(0, 20))
def test_two_numbers_never_become_one(number, digit, place):
    other = number[: place % len(number)] + str(digit) + number[place % len(number) + 1 :]
    if other == number:
        return
    try:
        written = normalised("phone/1", other)
    except Malformed:
        return
    assert written != number


@pytest.mark.parametrize("type_", [int, bool, date, bytes])
def test_what_is_no_text_is_never_indexed(type_):
    with pytest.raises(TypeError, match="no identifier"):
        declared(type_)


def test_an_unknown_normaliser_refuses_the_declaration_and_names_those_there_are():
    with pytest.raises(TypeError, match=r"phone/1"):
        declared(index=Exact(normaliser="grade/1"))


@pytest.mark.parametrize("percent", [0, 101])
def test_how_different_values_are_is_declared_as_a_share(percent):
    with pytest.raises(TypeError, match="1 to 100"):
        declared(index=Exact(normaliser="phone/1", distinct_percent=percent))


@pytest.mark.parametrize(("mask", "normaliser"), [(Mask.NAME, "phone/1"), (None, "words/1"), (Mask.NAME, "words/1")])
@pytest.mark.parametrize("acknowledged", ["", "yes", "ADR", "ADR 1"])
def test_names_and_compounds_are_refused_unless_a_decision_is_named(mask, normaliser, acknowledged):
    with pytest.raises(TypeError, match="leakage_ack"):
        declared(mask=mask, index=Exact(normaliser=normaliser, leakage_ack=acknowledged))


def test_a_compound_with_its_decision_is_accepted():
    field = declared(index=Exact(normaliser="words/1", leakage_ack="ADR 0021"))
    assert normalised(field.index.normaliser, " 云帆  北京Ａ ") == "云帆 北京a"


@pytest.mark.parametrize("tag", WORDS)
def test_a_text_that_is_one_of_a_few_words_is_never_indexed(tag):
    indexed = Confidential(tag=tag, data_class=DataClass.RATING, type=str, says="A word.", index=PHONE)
    with pytest.raises(TypeError, match="few words"):
        refuse_words({**TAGS, tag: indexed}, WORDS)
    refuse_words(TAGS, WORDS)


def test_every_decision_that_is_named_is_one_that_was_made():
    named = [field.index.leakage_ack for field in TAGS.values() if field.index and field.index.leakage_ack]
    numbers = {path.name[:4] for path in ADRS.glob("[0-9]*.md")}
    assert {name.removeprefix("ADR ") for name in named} <= numbers
