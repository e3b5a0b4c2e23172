"""What every provider of root keys keeps to, K1 to K10: one set of tests, run against each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from domain.errors import KeyUnavailable, Malformed, Tampered, Unavailable
from vault import hazmat
from vault.keys import Keyring, Purpose
from vault.providers import crew
from vault.providers.port import Capability, Context, RootState

ROOT = Path(__file__).parents[3]
TENANT, OTHER = b"\x01" * 16, b"\x02" * 16
CONTEXT = Context(TENANT, Purpose.KEK, 1)
BOUND_SECONDS = 6.0
"""No call takes longer, whatever the provider does: twice the wait for one answer, and a second."""


def secret(number=7):
    return hazmat.Secret(bytearray([number]) * 32)


def wrapped(provider, context=CONTEXT):
    (one,) = provider.wrap([(context, secret())])
    assert isinstance(one, bytes), one.message
    return one


def unwrapped(provider, context, one):
    (key,) = provider.unwrap([(context, one)])
    return key


def needs(provider, capability):
    if capability not in provider.capabilities():
        pytest.skip(f"{provider.name}: declares no {capability.value}")


@pytest.mark.parametrize("count", [0, 1, 100, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.whole])])
def test_k1_what_was_wrapped_unwraps_in_its_order_however_many_go_in_one_call(provider, count):
    contexts = [Context(number.to_bytes(16, "big"), Purpose.KEK, 1) for number in range(count)]
    made = provider.wrap([(context, secret(number % 256)) for number, context in enumerate(contexts)])
    assert len(set(made)) == count
    back = provider.unwrap(list(zip(contexts, made, strict=True)))
    assert [key.use(bytes) for key in back] == [bytes([number % 256]) * 32 for number in range(count)]


def test_k1_one_bad_item_leaves_the_others_good(provider):
    good = wrapped(provider)
    first, second, third = provider.unwrap([(CONTEXT, good), (CONTEXT, b"\0" * len(good)), (CONTEXT, good)])
    assert isinstance(second, Tampered)
    assert first.use(bytes) == third.use(bytes) == secret().use(bytes)
    missing, made = provider.wrap([(Context(TENANT, Purpose.KEK, 9), secret()), (CONTEXT, secret())])
    assert isinstance(missing, KeyUnavailable)
    assert unwrapped(provider, CONTEXT, made).use(bytes) == secret().use(bytes)


@pytest.mark.parametrize(
    "context",
    [
        Context(OTHER, Purpose.KEK, 1),
        Context(TENANT, Purpose.SIGN, 1),
        Context(TENANT, Purpose.KEK, 2),
        Context(b"", Purpose.KEK, 1),
        Context(TENANT, Purpose.KEK, -1),
    ],
    ids=["tenant", "purpose", "epoch", "no tenant", "no epoch"],
)
def test_k2_a_wrapped_key_in_another_context_is_refused(keeper, provider, context):
    provider.generate(2)
    one, refusal = wrapped(provider), Unavailable if context.epoch < 1 else keeper.refusal
    assert isinstance(unwrapped(provider, context, one), refusal)
    (moved,) = provider.rewrap([(context, one)], 2)
    assert isinstance(moved, refusal)


def test_k3_every_flipped_byte_of_a_wrapped_key_is_refused(keeper, provider):
    good = wrapped(provider)
    bad = [
        good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]
        for place in range(len(good))
        for flip in (1, 128)
    ]
    bad += [good[:end] for end in range(0, len(good), 7)] + [good + b"\0", b""]
    found = provider.unwrap([(CONTEXT, item) for item in bad])
    assert [item for item in found if not isinstance(item, keeper.refusal)] == []


def test_k3_what_another_provider_wrapped_is_refused(keeper, provider, made):
    other = made("file" if keeper.kind != "file" else "sealed")
    from vault.providers import chosen

    chosen.place(other.written).found(1)
    assert isinstance(unwrapped(provider, CONTEXT, wrapped(other.provider())), Tampered)


def test_k4_rewrapping_moves_to_another_version_and_keeps_the_rest_of_the_binding(keeper, provider):
    needs(provider, Capability.REWRAP)
    provider.generate(2)
    old = [wrapped(provider, Context(bytes([number]) * 16, Purpose.KEK, 1)) for number in range(120)]
    items = [(Context(bytes([number]) * 16, Purpose.KEK, 1), one) for number, one in enumerate(old)]
    moved = provider.rewrap(items, 2)
    back = provider.unwrap([(Context(bytes([n]) * 16, Purpose.KEK, 2), one) for n, one in enumerate(moved)])
    assert {key.use(bytes) for key in back} == {secret().use(bytes)}
    for context in (
        Context(bytes(16), Purpose.KEK, 1),
        Context(OTHER, Purpose.KEK, 2),
        Context(bytes(16), Purpose.SIGN, 2),
    ):
        assert isinstance(unwrapped(provider, context, moved[0]), keeper.refusal)


def test_k4_rewrapping_to_a_version_that_does_not_stand_is_refused(provider):
    (moved,) = provider.rewrap([(CONTEXT, wrapped(provider))], 7)
    assert isinstance(moved, KeyUnavailable)


def test_k5_versions_follow_each_other_and_none_is_made_twice(keeper, provider):
    assert provider.health().roots == {1: RootState.STANDING}
    with pytest.raises(KeyUnavailable, match="exists already"):
        provider.generate(1)
    for epoch in (2, 3):
        assert provider.health().following() == epoch
        provider.generate(epoch)
    assert keeper.provider().health().roots == dict.fromkeys((1, 2, 3), RootState.STANDING)
    assert provider.health().newest() == 3
    assert unwrapped(provider, CONTEXT, wrapped(provider)).use(bytes) == secret().use(bytes)


def test_k5_a_disabled_version_is_refused_and_the_others_serve(keeper, provider):
    provider.generate(2)
    old, new = wrapped(provider), wrapped(provider, Context(TENANT, Purpose.KEK, 2))
    keeper.disable(1)
    assert provider.health().roots[1] is RootState.DISABLED
    found = provider.unwrap([(CONTEXT, old), (Context(TENANT, Purpose.KEK, 2), new)])
    assert isinstance(found[0], KeyUnavailable)
    assert found[1].use(bytes) == secret().use(bytes)
    (moved,) = provider.rewrap([(CONTEXT, old)], 2)
    assert isinstance(moved, KeyUnavailable)


def test_k5_a_destroyed_version_is_refused_for_ever_and_its_number_is_never_used_again(keeper, provider):
    needs(provider, Capability.DESTROY)
    provider.generate(2)
    old, new = wrapped(provider), wrapped(provider, Context(TENANT, Purpose.KEK, 2))
    provider.destroy(1)
    provider.destroy(1)
    for one in (provider, keeper.provider()):
        assert one.health().roots[1] in {RootState.DESTROYED, RootState.ENDING}
        assert isinstance(unwrapped(one, CONTEXT, old), KeyUnavailable)
        (again,) = one.wrap([(CONTEXT, secret())])
        assert isinstance(again, KeyUnavailable)
        assert unwrapped(one, Context(TENANT, Purpose.KEK, 2), new).use(bytes) == secret().use(bytes)
        with pytest.raises(KeyUnavailable, match="was destroyed"):
            one.generate(1)
    assert provider.health().newest() == 2
    with pytest.raises(KeyUnavailable, match="never existed"):
        provider.destroy(9)


def test_k5_a_version_that_somebody_removed_at_the_provider_is_refused(keeper, provider):
    one = wrapped(provider)
    keeper.vanish(1)
    assert isinstance(refused(lambda: unwrapped(provider, CONTEXT, one)), KeyUnavailable)


def refused(act):
    """The error an act ends with, or returns."""
    try:
        return act()
    except Unavailable as error:
        return error


@pytest.mark.parametrize("how", ["refuse", "silent", "half", "trickle"])
def test_k6_a_provider_that_is_out_is_named_in_bounded_time_and_serves_again_when_it_is_back(keeper, provider, how):
    one = wrapped(provider)
    keeper.out(how)
    try:
        for act in (
            lambda: provider.unwrap([(CONTEXT, one)] * 250),
            lambda: provider.wrap([(CONTEXT, secret())]),
            lambda: provider.rewrap([(CONTEXT, one)], 1),
            provider.health,
        ):
            begun = time.monotonic()
            with pytest.raises(KeyUnavailable) as caught:
                act()
            assert time.monotonic() - begun < BOUND_SECONDS
            assert provider.name in caught.value.message or "key file" in caught.value.message
            assert caught.value.advice
    finally:
        keeper.back()
    until = time.monotonic() + BOUND_SECONDS
    while isinstance(refused(provider.health), KeyUnavailable) and time.monotonic() < until:
        time.sleep(0.1)
    assert unwrapped(provider, CONTEXT, one).use(bytes) == secret().use(bytes)


def test_k6_a_key_that_is_kept_serves_through_an_outage_to_its_time_and_no_longer(keeper, provider):
    now = [0.0]
    ring = Keyring(provider, lambda: now[0], ttl=300)
    kek, *_ = ring.mint_tenant(TENANT, 1)
    ids = {"subject": OTHER, "data_class": "contact", "version": 1}
    row, _ = ring.mint_dek(kek, dek_id=b"\x05" * 16, **ids)
    keeper.out("refuse")
    try:
        now[0] = 299.0
        ring.dek(row, kek)
        ring.mint_dek(kek, dek_id=b"\x06" * 16, **ids)
        now[0] = 301.0
        with pytest.raises(KeyUnavailable):
            ring.dek(row, kek)
        with pytest.raises(KeyUnavailable):
            ring.mint_dek(kek, dek_id=b"\x07" * 16, **ids)
    finally:
        keeper.back()


def test_k6_whoever_asks_a_provider_that_is_known_to_be_out_does_not_wait(keeper, provider):
    if not hasattr(provider, "_crew"):
        pytest.skip(f"{keeper.kind}: nothing to wait for")
    one = wrapped(provider)
    keeper.out("silent")
    try:
        with pytest.raises(KeyUnavailable):
            provider.unwrap([(CONTEXT, one)])
        begun = time.monotonic()
        for _ in range(50):
            with pytest.raises(KeyUnavailable, match="does not serve"):
                provider.unwrap([(CONTEXT, one)])
        assert time.monotonic() - begun < crew.WAIT_SECONDS
    finally:
        keeper.back()
    until = time.monotonic() + 4 * BOUND_SECONDS
    while isinstance(refused(lambda: unwrapped(provider, CONTEXT, one)), KeyUnavailable):
        assert time.monotonic() < until, "it stays out although it serves again"
        time.sleep(0.1)


def test_k7_an_application_can_use_the_keys_and_neither_make_nor_end_them(keeper, provider):
    provider.generate(2)
    one = wrapped(provider)
    limited = keeper.limited()
    assert unwrapped(limited, CONTEXT, one).use(bytes) == secret().use(bytes)
    assert isinstance(limited.rewrap([(CONTEXT, one)], 2)[0], bytes)
    assert limited.health().newest() == 2
    for act in (lambda: limited.generate(3), lambda: limited.destroy(1)):
        with pytest.raises(KeyUnavailable, match="may not"):
            act()
    assert provider.health().roots == dict.fromkeys((1, 2), RootState.STANDING)


def test_k7_no_root_can_be_taken_out(keeper):
    keeper.exported()


def test_k8_no_key_and_no_credential_is_in_any_log_error_or_repr(keeper, provider, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    key = hazmat.random_secret()
    raw = key.use(bytes)
    canaries = {*keeper.secrets, raw.hex(), repr(raw)[2:-1], base64.b64encode(raw).decode()}
    shown = []

    def told(act):
        error = refused(act)
        shown.append(f"{error!r}{error!s}{vars(error) if isinstance(error, Exception) else ''}")
        if isinstance(error, Exception):
            shown.extend(traceback.format_exception(error))

    (one,) = provider.wrap([(CONTEXT, key)])
    told(lambda: provider.unwrap([(CONTEXT, one)]))
    told(lambda: provider.unwrap([(Context(OTHER, Purpose.KEK, 1), one)])[0])
    told(lambda: provider.wrap([(Context(OTHER, Purpose.KEK, 9), key)])[0])
    told(lambda: provider.generate(1))
    told(lambda: provider.destroy(9))
    told(lambda: provider.hmac([b"m"]))
    keeper.out("refuse")
    told(lambda: provider.unwrap([(CONTEXT, one)]))
    told(provider.health)
    keeper.back()
    out, err = capfd.readouterr()
    shown += [repr(provider), str(provider), provider.name, caplog.text, out, err]
    told_all = "\n".join(shown)
    assert [place for place, canary in enumerate(sorted(canaries)) if canary in told_all] == []


def test_k9_eight_threads_use_one_provider_at_once(provider):
    failures = []

    def work(number):
        try:
            context = Context(bytes([number]) * 16, Purpose.KEK, 1)
            for _ in range(5):
                made = provider.wrap([(context, secret(number))] * 12)
                back = provider.unwrap([(context, one) for one in made])
                assert {key.use(bytes) for key in back} == {secret(number).use(bytes)}
        except BaseException as failure:  # noqa: BLE001 # a thread's failure is shown by the test
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_k9_what_was_wrapped_unwraps_after_a_restart_of_the_provider_and_of_the_process(keeper, provider):
    one = wrapped(provider)
    keeper.restart()
    code = (
        "import sys, hashlib; from vault.providers import chosen; from vault.providers.port import Context, Purpose\n"
        "provider = chosen.place(sys.argv[1]).provider()\n"
        "context = Context(bytes.fromhex(sys.argv[2]), Purpose.KEK, 1)\n"
        "(key,) = provider.unwrap([(context, bytes.fromhex(sys.argv[3]))])\n"
        "print(hashlib.sha256(key.use(bytes)).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, keeper.written, TENANT.hex(), one.hex()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.stdout.strip() == hashlib.sha256(secret().use(bytes)).hexdigest(), told.stderr
    until = time.monotonic() + 4 * BOUND_SECONDS
    while isinstance(found := refused(lambda: unwrapped(provider, CONTEXT, one)), KeyUnavailable):
        assert time.monotonic() < until, found.message
    assert found.use(bytes) == secret().use(bytes)


def test_k10_signatures_verify_with_the_published_half(keeper, provider):
    needs(provider, Capability.SIGN)
    first, second = provider.sign([b"one", b"two"])
    public = keeper.provider().verifying_key()
    assert hazmat.ed25519_verifies(public, first, b"one")
    assert hazmat.ed25519_verifies(public, second, b"two")
    assert not hazmat.ed25519_verifies(public, first, b"two")
    provider.generate(2)
    assert provider.verifying_key() == public


def test_k10_keyed_digests_are_the_same_in_every_process_and_differ_by_message(keeper, provider):
    needs(provider, Capability.HMAC)
    made = provider.hmac([b"one", b"", b"one"])
    assert made[0] == made[2] != made[1]
    assert [len(one) for one in made] == [32, 32, 32]
    assert keeper.provider().hmac([b"one"]) == made[:1]


def test_k10_keyed_digests_are_those_of_the_key_where_it_can_be_known(keeper, provider):
    key = keeper.hmac_key()
    messages = [bytes([number]) * number for number in range(120)]
    assert provider.hmac(messages) == [hmac.digest(key, message, "sha256") for message in messages]


def test_what_a_provider_lacks_is_refused_in_a_sentence(provider):
    if Capability.SIGN in provider.capabilities():
        pytest.skip(f"{provider.name}: signs")
    for act in (lambda: provider.sign([b""]), provider.verifying_key):
        with pytest.raises(KeyUnavailable) as caught:
            act()
        assert caught.value.advice


def test_a_provider_that_is_named_wrongly_is_refused_in_a_sentence(keeper):
    from vault.providers import chosen

    before, _, options = keeper.written.partition("?")
    for spoilt in (f"{before}?colour=red&{options}", f"{before}?{options}&{options or 'a=b'}", f"{before}?{options}&a"):
        with pytest.raises(Malformed) as caught:
            chosen.place(spoilt)
        assert caught.value.advice
        assert not any(one in caught.value.message for one in keeper.secrets)
