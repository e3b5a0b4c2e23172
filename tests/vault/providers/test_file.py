import hmac
import json
import os
import threading
import traceback

import pytest

from domain.errors import KeyUnavailable, Tampered
from vault import hazmat
from vault.providers.file import KeyFile
from vault.providers.port import Capability, Context, Provider, Purpose, RootState

TENANT, OTHER = b"\x01" * 16, b"\x02" * 16
CONTEXT = Context(TENANT, Purpose.KEK, 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def keys(path):
    return KeyFile.create(path, 1)


def secret(number=7):
    return hazmat.Secret(bytearray([number]) * 32)


def wrapped(keys, context=CONTEXT):
    (made,) = keys.wrap([(context, secret())])
    return made


def test_the_key_file_is_a_provider(keys):
    provider: Provider = keys
    assert provider.capabilities() == frozenset(Capability) - {Capability.DISABLE}
    assert provider.health().roots == {1: RootState.STANDING}
    assert provider.health().newest() == 1


def test_the_file_is_made_for_its_owner_alone_whatever_the_umask(path):
    before = os.umask(0)
    try:
        KeyFile.create(path, 1).generate(2)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_an_existing_file_is_never_overwritten(keys, path):
    before = path.read_bytes()
    with pytest.raises(KeyUnavailable, match="File exists"):
        KeyFile.create(path, 1)
    assert path.read_bytes() == before
    assert keys.health().newest() == 1


def test_a_file_that_cannot_be_written_whole_is_not_there_at_all_and_can_be_made_later(path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(KeyUnavailable, match="No space left"):
            KeyFile.create(path, 1)
    assert list(path.parent.iterdir()) == []
    path.with_name("keys.json.new").write_text("what a crash left behind")
    assert KeyFile.create(path, 1).health().newest() == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601, 0o622])
def test_a_file_that_others_can_reach_is_refused(keys, path, mode):
    path.chmod(mode)
    for use in (keys.health, lambda: wrapped(keys), lambda: keys.sign([b""]), lambda: keys.generate(2)):
        with pytest.raises(KeyUnavailable, match="reached by others") as caught:
            use()
        assert "chmod 600" in caught.value.advice
    path.chmod(0o400)
    assert keys.health().newest() == 1


def test_a_file_that_is_gone_or_is_none_is_refused(keys, path, tmp_path):
    path.unlink()
    with pytest.raises(KeyUnavailable, match="No such file"):
        keys.health()
    with pytest.raises(KeyUnavailable):
        KeyFile(tmp_path).health()
    with pytest.raises(KeyUnavailable, match="not a file"):
        KeyFile(tmp_path.__class__("/dev/null")).health()


@pytest.mark.parametrize("count", [0, 1, 100, 1000])
def test_many_keys_go_in_one_call_and_come_back_in_their_order(keys, count):
    contexts = [Context(number.to_bytes(16, "big"), Purpose.KEK, 1) for number in range(count)]
    made = keys.wrap([(context, secret(number % 256)) for number, context in enumerate(contexts)])
    back = keys.unwrap(list(zip(contexts, made, strict=True)))
    assert [key.use(bytes)[0] for key in back] == [number % 256 for number in range(count)]


@pytest.mark.parametrize(
    "context",
    [Context(OTHER, Purpose.KEK, 1), Context(TENANT, Purpose.SIGN, 1), Context(TENANT, Purpose.KEK, 2)],
    ids=["tenant", "purpose", "epoch"],
)
def test_a_wrapped_key_in_another_context_is_refused(keys, context):
    keys.generate(2)
    (key,) = keys.unwrap([(context, wrapped(keys))])
    assert isinstance(key, Tampered)
    (moved,) = keys.rewrap([(context, wrapped(keys))], 2)
    assert isinstance(moved, Tampered)


def test_one_bad_item_leaves_the_others_good(keys):
    good, bad = wrapped(keys), b"\0" * 64
    first, second, third = keys.unwrap([(CONTEXT, good), (CONTEXT, bad), (CONTEXT, good)])
    assert isinstance(second, Tampered)
    assert first.use(bytes) == third.use(bytes) == secret().use(bytes)
    missing, made = keys.wrap([(Context(TENANT, Purpose.KEK, 9), secret()), (CONTEXT, secret())])
    assert isinstance(missing, KeyUnavailable)
    assert len(made) == 64


def test_every_flipped_byte_of_a_wrapped_key_is_refused(keys):
    good = wrapped(keys)
    bad = [good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :] for place in range(64)]
    bad += [good[:end] for end in range(64)] + [good + b"\0"]
    assert all(isinstance(key, Tampered) for key in keys.unwrap([(CONTEXT, item) for item in bad]))


def test_rewrapping_moves_a_key_to_another_root_and_keeps_the_rest_of_its_binding(keys):
    keys.generate(2)
    (moved,) = keys.rewrap([(CONTEXT, wrapped(keys))], 2)
    (key,) = keys.unwrap([(Context(TENANT, Purpose.KEK, 2), moved)])
    assert key.use(bytes) == secret().use(bytes)
    for context in (CONTEXT, Context(OTHER, Purpose.KEK, 2), Context(TENANT, Purpose.SIGN, 2)):
        (refused,) = keys.unwrap([(context, moved)])
        assert isinstance(refused, Tampered)


def test_a_destroyed_root_is_gone_from_the_file_and_its_number_is_never_used_again(keys, path):
    keys.generate(2)
    made, root = wrapped(keys), json.loads(path.read_text())["roots"]["1"]
    with path.open("rb") as old:
        keys.destroy(1)
        assert old.read().strip(b"\0") == b""
    assert root not in path.read_text()
    (key,) = keys.unwrap([(CONTEXT, made)])
    assert isinstance(key, KeyUnavailable)
    assert "destroyed" in key.message
    with pytest.raises(KeyUnavailable, match="was destroyed"):
        keys.generate(1)
    keys.destroy(1)
    with pytest.raises(KeyUnavailable, match="never existed"):
        keys.destroy(3)


def test_another_process_that_destroys_a_root_is_noticed_at_once(keys, path):
    made = wrapped(keys)
    KeyFile(path).destroy(1)
    (key,) = keys.unwrap([(CONTEXT, made)])
    assert isinstance(key, KeyUnavailable)


def test_eight_threads_make_and_use_roots_at_once(path):
    KeyFile.create(path, 1)
    failures = []

    def work(number):
        try:
            mine = KeyFile(path)
            mine.generate(10 + number)
            for _ in range(10):
                context = Context(TENANT, Purpose.KEK, 10 + number)
                (key,) = mine.unwrap([(context, wrapped(mine, context))])
                assert key.use(bytes) == secret().use(bytes)
        except BaseException as failure:  # noqa: BLE001 # a thread's failure is shown by the test
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(map(int, json.loads(path.read_text())["roots"])) == [1, *range(10, 18)]


def test_a_change_that_cannot_be_written_leaves_the_file_as_it_was(keys, path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyUnavailable, match="No space left"):
        keys.generate(2)
    monkeypatch.undo()
    assert path.read_bytes() == before
    keys.generate(2)
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_signatures_verify_with_the_published_half(keys, path):
    first, second = keys.sign([b"one", b"two"])
    public = KeyFile(path).verifying_key()
    assert hazmat.ed25519_verifies(public, first, b"one")
    assert hazmat.ed25519_verifies(public, second, b"two")
    assert not hazmat.ed25519_verifies(public, first, b"two")
    keys.generate(2)
    assert keys.verifying_key() == public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": "credence-keys/1"}',
        '{"format": "credence-keys/2", "roots": {}, "sign": "CANARY", "hmac": "SEED"}',
        '{"format": "credence-keys/1", "roots": {}, "sign": "CANARY", "hmac": "SEED"}',
        '{"format": "credence-keys/1", "roots": {}, "sign": "SEED", "hmac": "CANARY"}',
        '{"format": "credence-keys/1", "roots": {}, "sign": "SEED"}',
        '{"format": "credence-keys/1", "roots": {"1": "c0ffee"}, "sign": "SEED", "hmac": "SEED"}',
        '{"format": "credence-keys/1", "roots": {"one": "SEED"}, "sign": "SEED", "hmac": "SEED"}',
        '{"format": "credence-keys/1", "roots": [], "sign": "SEED", "hmac": "SEED"}',
        '{"format": "credence-keys/1", "roots": {}, "sign": "SEED", "hmac": "SEED", "more": 1}',
        '{"format": "credence-keys/1", "roots": {"1": "SEED"}, "sign": "SEED", "hmac": "SEED"',
        "\xff",
    ],
)
def test_a_damaged_file_is_refused_without_being_shown(keys, path, text):
    seed = "c0ffee" * 10 + "c0ff"
    path.write_bytes(text.replace("SEED", seed).encode("latin-1"))
    with pytest.raises(KeyUnavailable, match="damaged") as caught:
        keys.health()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "c0ffee" not in shown
    assert "CANARY" not in shown
    assert caught.value.__context__ is None


def test_a_destroyed_root_is_told_as_such_and_the_newest_that_stands_serves(keys):
    keys.generate(2)
    keys.destroy(1)
    assert keys.health().roots == {1: RootState.DESTROYED, 2: RootState.STANDING}
    assert (keys.health().newest(), keys.health().following()) == (2, 3)
    keys.destroy(2)
    with pytest.raises(KeyUnavailable, match="No root key version stands"):
        keys.health().newest()


def test_keyed_digests_are_those_of_the_key_in_the_file(keys, path):
    raw = bytes.fromhex(json.loads(path.read_text())["hmac"])
    assert keys.hmac([b"one", b""]) == [hmac.digest(raw, message, "sha256") for message in (b"one", b"")]


def test_no_key_is_shown_by_the_provider_or_its_errors(keys, path):
    entries = json.loads(path.read_text())
    keys.destroy(1)
    (error,) = keys.unwrap([(CONTEXT, bytes(64))])
    shown = repr(keys) + str(keys) + repr(error) + repr(vars(error)) + repr(keys._read())
    for key in (entries["roots"]["1"], entries["sign"], entries["hmac"]):
        assert key not in shown
        assert bytes.fromhex(key).hex() not in shown
