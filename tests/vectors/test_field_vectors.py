"""The published bytes of `field/1`, of wrapped keys and of index tokens, made by the product and read without it.

The second implementation below shares nothing with the first: AES-256-GCM in plain Python, parts cut by hand.
"""

import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.money import Money
from vault import hazmat, index, keys, plaintext, seal
from vault.providers.file import KEK_DOMAIN

TESTDATA = Path(__file__).resolve().parents[2] / "vault" / "testdata"
FIELDS = json.loads((TESTDATA / "field_1.json").read_text())
WRAPS = json.loads((TESTDATA / "wrap_1.json").read_text())
INDEX = json.loads((TESTDATA / "index_1.json").read_text())

TENANT = bytes.fromhex("019ab1c2000070008000000000000001")
SUBJECT = bytes.fromhex("019ab1c2000070008000000000000002")
RECORD = bytes.fromhex("019ab1c2000070008000000000000003")
DEK_ID = bytes.fromhex("019ab1c2d3e47f00800011223344aabb")
PLAIN = bytes.fromhex("012b383620313020353535352030313030800000000000000000000000000000")
BOUND = bytes.fromhex(
    "0000000a0000000d7661756c742f6669656c642f3100000014cf010101019ab1c2d3e47f00800011223344aabb"
    "00000010019ab1c200007000800000000000000100000010019ab1c2000070008000000000000002"
    "00000007636f6e746163740000000b6372656469745f66696c6500000010019ab1c2000070008000000000000003"
    "0000000800000000000000010000000d636f6e746163742e70686f6e650000000400000001"
)
ENVELOPE = bytes.fromhex(
    "cf010101019ab1c2d3e47f00800011223344aabb505152535455565758595a5b"
    "b08b9024111e472d013a3f2f4d39b29fec6c4f3f78f67900a2fcd85ab00a2039334ccee53f511f9ac0ff58371be6350d"
)
WRAPPED = bytes.fromhex(
    "ce010100404142434445464748494a4bc2988c000219a124e5ed3d1db7493d74"
    "49f7606f830039144f7e74deab2ed3e43c05578a207ae0fc2110b940a0d9af4c"
)
CELL = seal.Cell(TENANT, SUBJECT, "contact", "credit_file", RECORD, 1, "contact.phone", 1)


def of(case):
    return case["name"]


def secret(key):
    return hazmat.Secret(bytearray(key))


def test_the_worked_example_of_a_field_comes_out_byte_by_byte():
    dek = seal.Dek(DEK_ID, secret(range(0x20, 0x40)))
    plain = plaintext.pad(plaintext.write("+86 10 5555 0100"), 32)
    envelope = seal._sealed(dek, CELL, plain, seal.PADDED, bytes(range(0x50, 0x5C)))
    assert plain == PLAIN
    assert seal.associated_data(dek.heads[envelope[:20]], CELL) == BOUND
    assert len(BOUND) == 168
    assert envelope == ENVELOPE
    assert seal.open_envelope(dek, CELL, ENVELOPE) == "+86 10 5555 0100"


def test_the_worked_example_of_a_wrapped_key_comes_out_byte_by_byte():
    row = keys.DekRow(DEK_ID, TENANT, SUBJECT, "contact", 1, 7, b"")
    kek, dek = hazmat.aes_256_gcm(bytes(range(0x20))), secret(range(0x20, 0x40))
    wrapped = keys.wrap_key(kek, dek, keys.DEK_DOMAIN, row, nonce=bytes(range(0x40, 0x4C)))
    assert wrapped == WRAPPED
    assert keys.unwrap_key(kek, WRAPPED, keys.DEK_DOMAIN, row).use(bytes) == dek.use(bytes)


def test_the_worked_example_of_an_index_token_comes_out_byte_by_byte():
    key = index.index_key(secret(range(0x60, 0x80)), TENANT, "contact.phone", 1)
    assert index.token(key, "contact.phone", 1, "+861055550100").hex() == "5c1acb9b843482a3978af4f5b4f0876d"


@pytest.mark.parametrize("case", FIELDS, ids=of)
def test_the_product_seals_and_opens_every_published_field(case):
    dek, cell, value = seal.Dek(raw(case, "dek_id"), secret(raw(case, "dek"))), cell_of(case), value_of(case)
    plain = plaintext.pad(plaintext.write(value), case["bucket"])
    flags = seal.PADDED if case["bucket"] else seal.BARE
    assert plain == raw(case, "plaintext")
    assert seal._sealed(dek, cell, plain, flags, raw(case, "nonce")) == raw(case, "envelope")
    opened = seal.open_envelope(dek, cell, raw(case, "envelope"))
    assert (type(opened), opened) == (type(value), value)


@pytest.mark.parametrize("case", FIELDS, ids=of)
def test_a_second_implementation_reads_every_published_field(case):
    envelope = raw(case, "envelope")
    header, nonce, sealed = envelope[:20], envelope[20:32], envelope[32:]
    assert header == b"\xcf\x01\x01" + (b"\x01" if case["bucket"] else b"\x00") + raw(case, "dek_id")
    cell = case["cell"]
    bound = parts(
        b"vault/field/1",
        header,
        *(bytes.fromhex(cell[name]) for name in ("tenant", "subject")),
        *(cell[name].encode() for name in ("data_class", "record_type")),
        bytes.fromhex(cell["record_id"]),
        cell["version"].to_bytes(8, "big"),
        cell["tag"].encode(),
        cell["schema"].to_bytes(4, "big"),
    )
    assert bound == raw(case, "associated_data")
    plain = gcm_open(raw(case, "dek"), nonce, sealed, bound)
    assert plain == raw(case, "plaintext")
    assert read_plain(plain, padded=header[3] == 1) == (case["type"], case["value"])


@pytest.mark.parametrize("case", WRAPS, ids=of)
def test_the_product_wraps_and_unwraps_every_published_key(case):
    if "dek_id" in case:
        row = keys.DekRow(
            *(raw(case, name) for name in ("dek_id", "tenant", "subject")),
            *(case[name] for name in ("data_class", "version", "kek_epoch")),
            b"",
        )
        domain, bound = keys.DEK_DOMAIN, row
    else:
        context = keys.Context(raw(case, "tenant"), keys.Purpose(case["purpose"]), case["epoch"])
        domain = keys.ROOT_DOMAIN if context.purpose in keys.ROOTS else KEK_DOMAIN
        bound = context
    cipher = hazmat.aes_256_gcm(raw(case, "wrapping_key"))
    assert domain.decode() == case["domain"]
    wrapped = keys.wrap_key(cipher, secret(raw(case, "key")), domain, bound, nonce=raw(case, "nonce"))
    assert wrapped == raw(case, "wrapped")
    assert keys.unwrap_key(cipher, wrapped, domain, bound).use(bytes) == raw(case, "key")


@pytest.mark.parametrize("case", WRAPS, ids=of)
def test_a_second_implementation_unwraps_every_published_key(case):
    wrapped = raw(case, "wrapped")
    assert (wrapped[:4].hex(), len(wrapped)) == ("ce010100", 64)
    if "dek_id" in case:
        bound = [raw(case, "dek_id"), raw(case, "tenant"), raw(case, "subject"), case["data_class"].encode()]
        bound += [case[name].to_bytes(4, "big") for name in ("version", "kek_epoch")]
    else:
        bound = [raw(case, "tenant"), case["purpose"].encode(), case["epoch"].to_bytes(4, "big")]
    context = parts(case["domain"].encode(), wrapped[:4], *bound)
    assert gcm_open(raw(case, "wrapping_key"), wrapped[4:16], wrapped[16:], context) == raw(case, "key")


@pytest.mark.parametrize("case", INDEX["tokens"], ids=of)
def test_both_implementations_make_every_published_index_token(case):
    tag, version = case["tag"], case["version"]
    key = index.index_key(secret(raw(case, "root")), raw(case, "tenant"), tag, version)
    made = index.token(key, tag, case["normaliser_version"], case["value"])
    info = parts(b"vault/bidx-key/1", raw(case, "tenant"), tag.encode(), version.to_bytes(4, "big"))
    derived = hmac.new(raw(case, "root"), info + b"\x01", hashlib.sha256).digest()
    message = parts(
        b"vault/bidx/1", tag.encode(), case["normaliser_version"].to_bytes(4, "big"), case["value"].encode()
    )
    again = hmac.new(derived, message, hashlib.sha256).digest()[:16]
    assert key.use(bytes) == derived == raw(case, "key")
    assert made == again == raw(case, "token")


@pytest.mark.parametrize("case", INDEX["pseudonyms"], ids=lambda case: case["value"][:4])
def test_both_implementations_make_every_published_pseudonym(case):
    tenant, subject = raw(case, "tenant"), raw(case, "subject")
    message = parts(b"vault/counterparty/1", tenant, subject, case["value"].encode())
    again = hmac.new(raw(case, "root"), message, hashlib.sha256).digest()
    assert index.pseudonym(secret(raw(case, "root")), tenant, subject, case["value"]) == again == raw(case, "pseudonym")


@pytest.mark.parametrize("case", INDEX["pairwise"], ids=lambda case: case["partner"][-1] + case["subject"][-1])
def test_both_implementations_give_a_customer_the_same_name_towards_a_partner(case):
    tenant, partner, subject = (raw(case, name) for name in ("tenant", "partner", "subject"))
    again = hmac.new(raw(case, "root"), parts(b"vault/pseudonym/1", tenant, partner, subject), hashlib.sha256).digest()
    made = index.pairwise(secret(raw(case, "root")), tenant, partner, subject)
    assert made == again == raw(case, "pseudonym")


def test_the_published_fields_show_every_type_and_every_bucket():
    assert {case["plaintext"][:2] for case in FIELDS} == {f"{number:02x}" for number in range(1, 10)}
    assert {case["bucket"] for case in FIELDS} == set(plaintext.BUCKETS)


def raw(case, name):
    return bytes.fromhex(case[name])


def cell_of(case):
    ids = {"tenant", "subject", "record_id"}
    return seal.Cell(**{name: bytes.fromhex(part) if name in ids else part for name, part in case["cell"].items()})


VALUES = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "money": lambda text: Money(int(text[4:]), text[:3]),
    "date": date.fromisoformat,
    "instant": datetime.fromisoformat,
    "truth": bool,
    "bytes": bytes.fromhex,
    "structure": dict,
}


def value_of(case):
    return VALUES[case["type"]](case["value"])


def signed(body):
    return int.from_bytes(body, "big", signed=True)


def instant(body):
    seconds, rest = divmod(signed(body), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


PLAINTEXTS = {
    1: ("text", bytes.decode),
    2: ("integer", lambda body: str(signed(body))),
    3: ("decimal", bytes.decode),
    4: ("money", lambda body: f"{body[:3].decode('ascii')} {signed(body[3:])}"),
    5: ("date", bytes.decode),
    6: ("instant", instant),
    7: ("truth", lambda body: {b"\x00": False, b"\x01": True}[body]),
    8: ("bytes", bytes.hex),
    9: ("structure", json.loads),
}


def read_plain(plain, *, padded):
    if padded:
        plain, _, zeros = plain.rpartition(b"\x80")
        assert zeros.strip(b"\0") == b""
    kind, read = PLAINTEXTS[plain[0]]
    return kind, read(plain[1:])


def parts(*pieces):
    text = len(pieces).to_bytes(4, "big")
    for piece in pieces:
        text += len(piece).to_bytes(4, "big") + piece
    return text


def gcm_open(key, nonce, sealed, bound):
    """AES-256-GCM as NIST SP 800-38D writes it, for 96-bit nonces."""
    schedule, text, tag = expand(key), sealed[:-16], sealed[-16:]
    subkey = int.from_bytes(block(schedule, bytes(16)), "big")
    mask = block(schedule, nonce + b"\0\0\0\1")
    hashed = ghash(subkey, padded16(bound) + padded16(text) + sizes(bound, text))
    assert bytes(a ^ b for a, b in zip(hashed, mask, strict=True)) == tag
    stream = b"".join(block(schedule, nonce + (2 + n).to_bytes(4, "big")) for n in range(-(-len(text) // 16)))
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def padded16(text):
    return text + bytes(-len(text) % 16)


def sizes(bound, text):
    return (8 * len(bound)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")


def ghash(subkey, text):
    total = 0
    for start in range(0, len(text), 16):
        total = carryless(total ^ int.from_bytes(text[start : start + 16], "big"), subkey)
    return total.to_bytes(16, "big")


def carryless(left, right):
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (0xE1 << 120 if right & 1 else 0)
    return product


def doubled(byte):
    return (byte << 1 ^ 0x1B) & 0xFF if byte & 0x80 else byte << 1


def sbox():
    """Inverse in GF(2^8), then the affine map (FIPS 197, 5.1.1)."""
    box, power, inverse = [0x63] * 256, 1, 1
    for _ in range(255):
        power ^= doubled(power)  # times 3
        for shift in (1, 2, 4):  # divided by 3
            inverse ^= inverse << shift & 0xFF
        inverse ^= 0x09 if inverse & 0x80 else 0
        turned = [(inverse << shift | inverse >> 8 - shift) & 0xFF for shift in range(5)]
        box[power] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
    return box


SBOX = sbox()


def expand(key):
    words, rcon = [list(key[n : n + 4]) for n in range(0, 32, 4)], 1
    for n in range(8, 60):
        word = words[-1]
        if n % 8 == 0:
            word = [SBOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = doubled(rcon)
        elif n % 8 == 4:
            word = [SBOX[byte] for byte in word]
        words.append([a ^ b for a, b in zip(words[-8], word, strict=True)])
    return [[byte for word in words[n : n + 4] for byte in word] for n in range(0, 60, 4)]


def block(schedule, text):
    state = [a ^ b for a, b in zip(text, schedule[0], strict=True)]
    for number, key in enumerate(schedule[1:], 1):
        state = [SBOX[state[(n + 4 * (n % 4)) % 16]] for n in range(16)]  # the rows are shifted
        if number < 14:
            state = [byte for n in range(0, 16, 4) for byte in mixed(state[n : n + 4])]
        state = [a ^ b for a, b in zip(state, key, strict=True)]
    return bytes(state)


def mixed(column):
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [column[n] ^ whole ^ doubled(column[n] ^ column[(n + 1) % 4]) for n in range(4)]
