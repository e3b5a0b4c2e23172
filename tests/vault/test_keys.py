import asyncio
import time

import pytest

from domain.errors import KeyUnavailable, Tampered
from vault import hazmat, seal
from vault.keys import ROOTS, DekRow, Keyring, WrappedKey
from vault.providers.file import KeyFile
from vault.providers.port import Purpose

TENANT, OTHER, SUBJECT, PERSON, DEK_ID = (bytes([number]) * 16 for number in range(1, 6))
CELL = seal.Cell(TENANT, SUBJECT, "contact", "credit_file", SUBJECT, 1, "contact.phone", 1)


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def read(self):
        """Seconds."""
        return self.now


class Counting:
    """A key file that counts what it is asked for, and may be out of order."""

    def __init__(self, keys):
        self.keys = keys
        self.unwrapped = []
        self.down = False
        self.during = None

    def __getattr__(self, name):
        return getattr(self.keys, name)

    def unwrap(self, items):
        """As the key file does."""
        if self.down:
            raise KeyUnavailable("The provider is down.")
        self.unwrapped.append(len(items))
        keys = self.keys.unwrap(items)
        if self.during:
            self.during()
        return keys


@pytest.fixture
def provider(tmp_path):
    return Counting(KeyFile.create(tmp_path / "keys.json", 1))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(provider, clock):
    return Keyring(provider, clock.read)


@pytest.fixture
def rows(ring):
    return {row.purpose: row for row in ring.mint_tenant(TENANT, 1)}


@pytest.fixture
def kek(rows):
    return rows[Purpose.KEK]


@pytest.fixture
def minted(ring, kek):
    return ring.mint_dek(kek, dek_id=DEK_ID, subject=SUBJECT, data_class="contact", version=1)


def fresh(provider):
    return Keyring(provider, Clock().read)


def test_a_new_tenant_has_one_key_per_purpose_and_no_two_alike(ring, rows):
    assert set(rows) == set(Purpose)
    assert all((row.tenant, row.epoch, len(row.wrapped)) == (TENANT, 1, 64) for row in rows.values())
    keys = {ring.root(rows[purpose], rows[Purpose.KEK]).use(bytes) for purpose in ROOTS}
    keys.add(ring.signing_key(rows[Purpose.SIGN]).use(bytes))
    assert len(keys) == 5


def test_what_a_new_data_key_sealed_opens_after_a_restart_from_rows_alone(provider, kek, minted):
    row, dek = minted
    envelope = seal.seal(dek, CELL, "13800000000", 32)
    again = fresh(provider).dek(row, kek)
    assert again is not dek
    assert seal.open_envelope(again, CELL, envelope) == "13800000000"


@pytest.mark.parametrize(
    "moved",
    [
        {"dek_id": b"\x09" * 16},
        {"tenant": OTHER},
        {"subject": PERSON},
        {"data_class": "identity"},
        {"version": 2},
        {"kek_epoch": 2},
    ],
    ids=lambda moved: next(iter(moved)),
)
def test_a_wrapped_data_key_moved_anywhere_else_is_refused(ring, kek, minted, moved):
    with pytest.raises(Tampered):
        ring.dek(minted[0]._replace(**moved), kek)


def test_every_flipped_byte_of_a_wrapped_data_key_is_refused(ring, kek, minted):
    row, _ = minted
    good = row.wrapped
    bad = [good[:place] + bytes([good[place] ^ 0x80]) + good[place + 1 :] for place in range(64)]
    for wrapped in [*bad, *(good[:end] for end in range(64)), good + b"\0"]:
        with pytest.raises(Tampered):
            ring.dek(row._replace(wrapped=wrapped), kek)


def test_a_data_key_does_not_unwrap_under_the_key_of_another_tenant_or_epoch(provider, ring, rows, minted):
    (other, *_) = ring.mint_tenant(OTHER, 1)
    provider.generate(2)
    (later, *_) = ring.advance_tenant(rows.values(), 2)
    for kek in (other, later):
        with pytest.raises(Tampered):
            fresh(provider).dek(minted[0], kek)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.KEK])
def test_a_key_of_another_purpose_never_serves_as_kek(provider, rows, minted, purpose):
    with pytest.raises(Tampered):
        fresh(provider).dek(minted[0], rows[purpose])
    with pytest.raises(Tampered):
        fresh(provider).dek(minted[0], rows[purpose]._replace(purpose=Purpose.KEK))


def test_a_root_moved_to_another_tenant_purpose_or_epoch_is_refused(ring, rows, kek):
    index = rows[Purpose.INDEX]
    for moved in ({"tenant": OTHER}, {"purpose": Purpose.PSEUDONYM}, {"epoch": 2}):
        with pytest.raises(Tampered):
            ring.root(index._replace(**moved), kek)
    (other, *_) = ring.mint_tenant(OTHER, 1)
    with pytest.raises(Tampered):
        ring.root(index, other)
    with pytest.raises(Tampered):
        ring.signing_key(index)
    with pytest.raises(Tampered):
        ring.root(rows[Purpose.SIGN], kek)


def test_the_next_epoch_has_a_new_kek_and_the_same_roots(provider, ring, rows, kek):
    provider.generate(2)
    after = {row.purpose: row for row in ring.advance_tenant(rows.values(), 2)}
    assert set(after) == set(Purpose)
    assert all(row.epoch == 2 and row.wrapped != rows[purpose].wrapped for purpose, row in after.items())
    provider.destroy(1)
    later = fresh(provider)
    for purpose in ROOTS:
        assert later.root(after[purpose], after[Purpose.KEK]).use(bytes) == ring.root(rows[purpose], kek).use(bytes)
    assert later.signing_key(after[Purpose.SIGN]).use(hazmat.ed25519_public)
    with pytest.raises(KeyUnavailable):
        later.root(rows[Purpose.INDEX], kek)


def test_a_rewrapped_data_key_is_the_same_key_and_survives_the_old_root(provider, ring, rows, kek, minted):
    row, dek = minted
    envelope = seal.seal(dek, CELL, 7, 16)
    provider.generate(2)
    (new, *_) = ring.advance_tenant(rows.values(), 2)
    moved = ring.rewrap_dek(row, kek, new)
    assert moved == row._replace(kek_epoch=2, wrapped=moved.wrapped)
    provider.destroy(1)
    assert seal.open_envelope(fresh(provider).dek(moved, new), CELL, envelope) == 7
    with pytest.raises(KeyUnavailable):
        fresh(provider).dek(row, kek)


def test_a_data_key_is_never_wrapped_for_another_tenant(ring, kek, minted):
    (other, *_) = ring.mint_tenant(OTHER, 1)
    with pytest.raises(ValueError, match="own tenant"):
        ring.rewrap_dek(minted[0], kek, other)


def test_kept_keys_ask_the_provider_once(provider, ring, kek, minted):
    row, dek = minted
    assert all(ring.dek(row, kek) is dek for _ in range(5))
    asked = len(provider.unwrapped)
    for number in range(5):
        ring.mint_dek(kek, dek_id=bytes([number]) * 16, subject=PERSON, data_class="contact", version=1)
    assert len(provider.unwrapped) == asked


def test_kept_keys_end_with_their_time_even_when_the_provider_is_down(provider, ring, clock, kek, minted):
    row, dek = minted
    provider.down = True
    clock.now += 299.9
    assert ring.dek(row, kek) is dek
    clock.now += 0.1
    with pytest.raises(KeyUnavailable):
        ring.dek(row, kek)
    provider.down = False
    assert ring.dek(row, kek) is not dek


def test_use_does_not_lengthen_a_keys_time(ring, clock, kek, minted):
    row, dek = minted
    for _ in range(10):
        clock.now += 29
        assert ring.dek(row, kek) is dek
    clock.now += 10
    assert ring.dek(row, kek) is not dek


def test_no_more_keys_are_kept_than_allowed_and_the_least_used_go_first(provider, clock):
    ring = Keyring(provider, clock.read, size=3)
    (kek, *_) = ring.mint_tenant(TENANT, 1)
    made = [
        ring.mint_dek(kek, dek_id=bytes([number]) * 16, subject=SUBJECT, data_class="contact", version=1)
        for number in range(3)
    ]
    assert ring.dek(made[0][0], kek) is made[0][1]
    ring.mint_dek(kek, dek_id=b"\x09" * 16, subject=SUBJECT, data_class="contact", version=1)
    assert len(ring._deks) == 3
    assert ring.dek(made[0][0], kek) is made[0][1]
    assert ring.dek(made[1][0], kek) is not made[1][1]


def test_a_kept_key_answers_for_its_very_row_alone(ring, kek, minted):
    row, dek = minted
    assert ring.dek(row._replace(), kek) is dek
    with pytest.raises(Tampered):
        ring.dek(row._replace(subject=PERSON), kek)
    with pytest.raises(Tampered):
        ring.dek(row._replace(wrapped=bytes(64)), kek)


def test_forgetting_a_subject_drops_its_data_keys_and_no_others(provider, ring, kek, minted):
    row, dek = minted
    other_row, other = ring.mint_dek(kek, dek_id=b"\x09" * 16, subject=PERSON, data_class="contact", version=1)
    ring.forget(TENANT, SUBJECT)
    asked = len(provider.unwrapped)
    assert ring.dek(row, kek) is not dek
    assert ring.dek(other_row, kek) is other
    assert len(provider.unwrapped) == asked


def test_forgetting_a_tenant_drops_all_it_has_and_no_other_tenants(provider, ring, rows, kek, minted):
    (other_kek, *_) = ring.mint_tenant(OTHER, 1)
    other_row, other = ring.mint_dek(other_kek, dek_id=b"\x09" * 16, subject=SUBJECT, data_class="contact", version=1)
    root = ring.root(rows[Purpose.INDEX], kek)
    ring.forget(TENANT)
    provider.down = True
    for use in (lambda: ring.dek(minted[0], kek), lambda: ring.root(rows[Purpose.INDEX], kek)):
        with pytest.raises(KeyUnavailable):
            use()
    assert ring.dek(other_row, other_kek) is other
    provider.down = False
    assert ring.root(rows[Purpose.INDEX], kek) is not root


def test_a_key_that_is_forgotten_while_it_is_unwrapped_is_not_kept(provider, kek, minted):
    ring = fresh(provider)
    provider.during = lambda: ring.forget(TENANT)
    first = ring.dek(minted[0], kek)
    provider.during = None
    assert (len(ring._keks), len(ring._deks)) == (0, 0)
    assert ring.dek(minted[0], kek) is not first


def test_many_keks_are_unwrapped_in_one_call_and_a_bad_one_fails_when_used(provider, ring):
    keks = [ring.mint_tenant(bytes([number]) * 16, 1)[0] for number in range(20)]
    bad = keks[3]._replace(wrapped=bytes(64))
    later = fresh(provider)
    provider.unwrapped.clear()
    later.warm([*keks, bad])
    later.warm(keks)
    assert provider.unwrapped == [21]
    assert len(later._keks) == 20
    with pytest.raises(Tampered):
        later.mint_dek(bad, dek_id=DEK_ID, subject=SUBJECT, data_class="contact", version=1)


def test_no_key_is_shown_by_rows_rings_or_errors(provider, ring, rows, kek, minted):
    row, dek = minted
    keys = [ring.root(rows[purpose], kek).use(bytes) for purpose in ROOTS]
    keys += [ring._dek_secret(row, kek).use(bytes), ring.signing_key(rows[Purpose.SIGN]).use(bytes)]
    keys += [provider.unwrap([(kek.context, kek.wrapped)])[0].use(bytes)]
    with pytest.raises(Tampered) as caught:
        ring.dek(row._replace(version=9), kek)
    things = [ring, ring._deks, ring._roots, ring._keks, dek, row, rows, kek, caught.value, vars(caught.value)]
    things += [ring.root(rows[Purpose.INDEX], kek), list(ring._roots._kept.values()), list(ring._keks._kept.values())]
    shown = "".join(f"{thing!r}{thing!s}" for thing in things)
    for key in keys:
        assert key.hex() not in shown
        assert repr(key)[2:-1] not in shown
        assert repr(bytearray(key)) not in shown


def test_ids_of_another_length_are_a_bug(ring, kek):
    with pytest.raises(ValueError, match="16 bytes"):
        ring.mint_tenant(b"short", 1)
    for wrong in ({"dek_id": b""}, {"subject": b"\0" * 17}):
        with pytest.raises(ValueError, match="16 bytes"):
            ring.mint_dek(kek, **{"dek_id": DEK_ID, "subject": SUBJECT, "data_class": "contact", "version": 1, **wrong})


def test_a_row_from_outside_that_cannot_exist_is_refused(ring, kek, minted):
    with pytest.raises(Tampered):
        ring.dek(minted[0]._replace(version=-1), kek)
    with pytest.raises(Tampered):
        ring.dek(DekRow(b"", b"", b"", "é", 1, 1, bytes(64)), kek)
    with pytest.raises(Tampered):
        ring.root(WrappedKey(b"", Purpose.INDEX, -1, bytes(64)), kek)


def test_the_clock_of_the_process_serves(provider, kek, minted):
    ring = Keyring(provider, time.monotonic)
    assert ring.dek(minted[0], kek) is ring.dek(minted[0], kek)


def test_keks_are_unwrapped_beside_the_event_loop_once(provider, ring):
    keks = [ring.mint_tenant(bytes([number]) * 16, 1)[0] for number in range(3)]
    later = fresh(provider)
    provider.unwrapped.clear()
    loops = []

    def during():
        try:
            loops.append(asyncio.get_running_loop())
        except RuntimeError:
            loops.append(None)

    provider.during = during

    async def work():
        await later.warmed(keks)
        await later.warmed(keks)

    asyncio.run(work())
    assert (provider.unwrapped, loops) == ([3], [None])
