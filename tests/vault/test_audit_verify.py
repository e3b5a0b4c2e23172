"""Every way to damage an exported log is found and named."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from tests.vault import logs
from vault.audit import batches, files, merkle, note, tiles, verify
from vault.audit.report import MAX_LISTED
from vault.audit.tiles import ENTRIES, Edge, Tile

SIZE = 300
WITNESS = logs.signer("witness.example", b"witness")


@pytest.fixture
def log(tmp_path):
    """A folder with a log of 300 entries."""
    logs.written(tmp_path, logs.entries(SIZE))
    return tmp_path


def checked(folder, **wishes):
    return verify.verify_folder(folder, logs.KEY, **wishes)


def lines(folder, **wishes):
    """The problems of a folder, as a reader sees them; the report must agree that it is not sound."""
    report = checked(folder, **wishes)
    assert report.ok == (not report.problems)
    assert str(report).endswith("\nok" if report.ok else "\nNOT OK") or not report.origin
    return [str(problem) for problem in report.problems]


def put_bundles(folder, leaves):
    """Replaces the bundles, and nothing else, by those of other entries."""
    for path in list((folder / "tile/entries").rglob("*")):
        if path.is_file():
            path.unlink()
    for first in range(0, len(leaves), 256):
        portion = leaves[first : first + 256]
        path = folder / Tile(ENTRIES, first // 256, len(portion)).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(batches.pack(portion))


def rebuilt(folder, leaves):
    """Replaces bundles and tiles by those of other entries, under the checkpoint that was there."""
    checkpoint = (folder / "checkpoint").read_bytes()
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    logs.written(folder, leaves)
    (folder / "checkpoint").write_bytes(checkpoint)


def flip(path, at=0, bit=1):
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(bytes(data))


# ------------------------------------------------------------------------------------------------ whole logs


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513])
def test_a_log_as_it_was_written_is_ok(tmp_path, size):
    checkpoint = logs.written(tmp_path, logs.entries(size))
    report = checked(tmp_path, earlier=[checkpoint])
    root = merkle.root_of(map(merkle.leaf_hash, logs.entries(size)))
    assert (report.ok, report.origin, report.size, report.root) == (True, logs.ORIGIN, size, root)
    assert str(report) == f"{logs.ORIGIN}: {size} entries, root {root.hex()}\nok"


@pytest.mark.slow
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 66_000])
def test_a_log_of_three_levels_is_ok_and_one_altered_entry_or_tile_of_it_is_found(tmp_path, size):
    leaves = logs.entries(size)
    logs.written(tmp_path, leaves)
    assert checked(tmp_path, earlier=[logs.signed(leaves[:old]) for old in (1, 256, 65_535)]).ok
    put_bundles(tmp_path, [*leaves[:40_000], logs.entry(40_000, reason="?"), *leaves[40_001:]])
    assert lines(tmp_path) == ["ALTERED entry 40000"]
    flip(tmp_path / "tile/0/003")
    assert sorted(lines(tmp_path)) == ["ALTERED entry 40000", "ALTERED tile/0/003"]
    flip(tmp_path / "tile/0/003")
    upper = tiles.tile_at(1, 0, size).path
    (tmp_path / upper).unlink()
    assert sorted(lines(tmp_path)) == ["ALTERED entry 40000", f"MISSING {upper}"]


# ------------------------------------------------------------------------------------------------ entries


@given(st.integers(1, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_one_altered_entry_is_named(tmp_path_factory, size, data):
    at = data.draw(st.integers(0, size - 1))
    folder, leaves = tmp_path_factory.mktemp("log"), logs.entries(size)
    logs.written(folder, leaves)
    put_bundles(folder, [*leaves[:at], logs.entry(at, reason="other"), *leaves[at + 1 :]])
    assert lines(folder) == [f"ALTERED entry {at}"]


@given(st.integers(1, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_one_removed_entry_is_named_and_so_is_what_is_cut_off(tmp_path_factory, size, data):
    at = data.draw(st.integers(0, size - 1))
    folder, leaves = tmp_path_factory.mktemp("log"), logs.entries(size)
    logs.written(folder, leaves)
    put_bundles(folder, leaves[:at] + leaves[at + 1 :])
    found = lines(folder)
    cut = f"TRUNCATED: the checkpoint promises {size} entries, {size - 1} are there"
    removed = f"MISSING entry {at}: the entries after it have moved up"
    assert (cut if at == size - 1 else removed) in found
    # The last bundle is one entry short, which is a file that is missing; nothing else is said of any entry.
    assert {line for line in found if "entr" in line.replace("tile/entries", "")} <= {cut, removed}
    assert any(line.startswith("MISSING tile/entries/") for line in found)


@given(st.integers(2, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_two_swapped_entries_are_named(tmp_path_factory, size, data):
    one = data.draw(st.integers(0, size - 2))
    other = data.draw(st.integers(one + 1, min(size - 1, one + 200)))
    folder, leaves = tmp_path_factory.mktemp("log"), logs.entries(size)
    logs.written(folder, leaves)
    leaves[one], leaves[other] = leaves[other], leaves[one]
    put_bundles(folder, leaves)
    assert lines(folder) == [f"REORDERED entries {one} and {other}"]


@given(st.integers(1, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_one_inserted_entry_is_named(tmp_path_factory, size, data):
    at = data.draw(st.integers(0, size))
    folder, leaves = tmp_path_factory.mktemp("log"), logs.entries(size)
    logs.written(folder, leaves)
    put_bundles(folder, [*leaves[:at], logs.entry(9_999), *leaves[at:]])
    found = lines(folder)
    # What is inserted before the end pushes the last entry into a file that no checkpoint promises.
    assert any(line.startswith("EXTRA") for line in found)
    if at < size - 1:
        assert f"EXTRA entry {at}: inserted before entry {at}" in found


@pytest.mark.parametrize("size", [0, 1, 44, 45, 255, 256, 298, 299])
def test_a_log_cut_short_under_its_checkpoint_is_told_by_numbers(log, size):
    rebuilt(log, logs.entries(size))
    found = lines(log)
    assert f"TRUNCATED: the checkpoint promises 300 entries, {size} are there" in found
    assert "MISSING tile/entries/001.p/44" in found
    assert "MISSING tile/0/001.p/44" in found
    assert any(line.startswith("WRONG_ROOT checkpoint") for line in found)
    assert not any("ALTERED entr" in line for line in found)


def test_entries_after_those_the_checkpoint_promises_are_extra(log):
    old = (log / "checkpoint").read_bytes()
    logs.written(log, logs.entries(600))
    (log / "checkpoint").write_bytes(old)
    found = lines(log)
    said = ": it is beyond the 300 entries of the checkpoint"
    assert {
        f"EXTRA {path}{said}"
        for path in (
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/001",
            "tile/entries/002.p/88",
        )
    } == set(found)


def test_more_entries_in_the_last_bundle_than_its_path_says_are_extra(log):
    (log / "tile/entries/001.p/44").write_bytes(batches.pack(logs.entries(302)[256:]))
    assert lines(log) == [
        "MALFORMED tile/entries/001.p/44: it holds 46 entries, its path says 44",
        "EXTRA entries 300 to 301: the log committed to no such entry",
    ]


def test_an_entry_replaced_by_a_copy_of_its_neighbour_is_altered_and_repeats_an_id(log):
    leaves = logs.entries(SIZE)
    put_bundles(log, [*leaves[:4], leaves[5], *leaves[5:]])
    assert sorted(lines(log)) == [
        "ALTERED entry 4",
        "REPEATED entry 5: it has the id of entry 4",
    ]


def test_many_altered_entries_are_counted_and_the_first_of_them_listed(log):
    put_bundles(log, [logs.entry(number, reason="other") for number in range(SIZE)])
    report = checked(log)
    assert (len(report.problems), report.found) == (MAX_LISTED, SIZE)
    assert [str(problem) for problem in report.problems[:2]] == ["ALTERED entry 0", "ALTERED entry 1"]
    assert f"and {SIZE - MAX_LISTED} more\n" in str(report)


def test_several_damages_are_all_told(log):
    leaves = logs.entries(SIZE)
    leaves[7] = logs.entry(7, reason="other")
    leaves[20], leaves[30] = leaves[30], leaves[20]
    leaves[299] = logs.entry(299, reason="other")
    put_bundles(log, leaves)
    flip(log / "tile/1/000.p/1")
    assert set(lines(log)) == {
        "ALTERED tile/1/000.p/1",
        "ALTERED entry 7",
        "REORDERED entries 20 and 30",
        "ALTERED entry 299",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body | {"v": 2}, "`v` of the audit entry"),
        (lambda body: body | {"v": True}, "`v` of the audit entry"),
        (lambda body: body | {"id": "ae_1"}, "`id` of the audit entry"),
        (lambda body: body | {"at": "2025-02-30T00:00:00.000000Z"}, "`at` of the audit entry"),
        (lambda body: body | {"at": "2025-01-01T00:00:00Z"}, "`at` of the audit entry"),
        (lambda body: body | {"actor": ""}, "`actor` of the audit entry"),
        (lambda body: body | {"outcome": "MAYBE"}, "`outcome` of the audit entry"),
        (lambda body: body | {"resources": ["cf"] * 257}, "`resources` of the audit entry"),
        (lambda body: body | {"subjects": {"count": 256, "digest": "0" * 64}}, "`subjects` of the audit entry"),
        (lambda body: body | {"written": [["cf", -1, "ab"]]}, "`written` of the audit entry"),
        (lambda body: body | {"written": [["cf", True, "ab"]]}, "`written` of the audit entry"),
        (lambda body: body | {"written": [["cf", 1]]}, "`written` of the audit entry"),
        (lambda body: body | {"fields": []}, "`fields` of the audit entry"),
        (lambda body: body | {"purpose": 1}, "`purpose` of the audit entry"),
        (lambda body: body | {"commitment": "ab"}, "`commitment` of the audit entry"),
        (lambda body: body | {"phone": "13800000000"}, "a key that format 1 does not know"),
        (lambda body: {name: value for name, value in body.items() if name != "actor"}, "lacks `actor`"),
    ],
)
def test_a_signed_entry_that_is_not_of_format_1_is_named(tmp_path, change, said):
    leaves = logs.entries(3)
    leaves[1] = canonical.encode(change(json.loads(leaves[1])))
    logs.written(tmp_path, leaves)
    (problem,) = lines(tmp_path)
    assert problem.startswith("MALFORMED entry 1: ")
    assert said in problem
    assert "13800000000" not in problem


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"[]",
        lambda _: b"\xff",
        lambda _: b"[" * 60_000,
        lambda data: data + b"\n",
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data.replace(b'"actor"', b'"\\u0061ctor"'),
        lambda data: data.replace(b'"v":1', b'"v":1.0'),
        lambda data: data.replace(b'"v":1', b'"v":1,"v":1'),
        lambda data: data.replace(b'"v":1', b'"v":NaN'),
        lambda data: data.replace(b'"v":1', b'"v":' + b"1" * 5_000),
        lambda data: data.replace(b"person:li", b"\\ud800"),
        lambda data: b'{"v":1,' + data[1:].replace(b',"v":1', b""),
    ],
)
def test_a_signed_entry_that_is_not_spelled_canonically_is_named(tmp_path, change):
    leaves = logs.entries(3)
    leaves[2] = change(leaves[2])
    assert leaves[2] != logs.entry(2)
    logs.written(tmp_path, leaves)
    (problem,) = lines(tmp_path)
    assert problem.startswith("MALFORMED entry 2: ")


def test_an_entry_of_another_tenant_in_a_signed_log_is_named(tmp_path):
    logs.written(tmp_path, [logs.entry(0), logs.entry(1, tenant=logs.OTHER_TENANT)])
    assert lines(tmp_path) == [f"WRONG_TENANT entry 1: it is not of {logs.TENANT}"]


def test_an_id_that_a_signed_log_has_twice_is_named(tmp_path):
    logs.written(tmp_path, [*logs.entries(3), logs.entry(1, reason="again")])
    assert lines(tmp_path) == ["REPEATED entry 3: it has the id of entry 1"]


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_a_flipped_byte_in_a_tile_is_that_tile_and_nothing_else(log, path):
    for at in (0, 31, (log / path).stat().st_size - 1):
        flip(log / path, at)
        assert lines(log) == [f"ALTERED {path}"]
        flip(log / path, at)
    assert checked(log).ok


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_a_missing_or_cut_tile_is_named_and_nothing_else(log, path):
    data = (log / path).read_bytes()
    (log / path).unlink()
    assert lines(log) == [f"MISSING {path}"]
    for wrong in (data[:-1], data[:-32], data + bytes(32), b""):
        (log / path).write_bytes(wrong)
        (problem,) = lines(log)
        assert problem.startswith(f"MALFORMED {path}: ")


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/001.p/44"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_flipped_byte_in_a_bundle_is_found_at_its_entry(tmp_path_factory, path, data):
    folder = tmp_path_factory.mktemp("log")
    logs.written(folder, logs.entries(SIZE))
    first = 256 if "001" in path else 0
    whole = (folder / path).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flip(folder / path, at, 1 << data.draw(st.integers(0, 7)))
    index = first + len(tiles.read_bundle(whole[:at])[0])
    found = lines(folder)
    # A flipped length takes other entries of the bundle with it; the first to be named is still the right one.
    named = [line for line in found if line.startswith(("ALTERED entry", "MISSING entr", "TRUNCATED"))]
    assert named[0].startswith((f"ALTERED entry {index}", f"MISSING entry {index}", f"MISSING entries {index} to")) or (
        named[0] == f"TRUNCATED: the checkpoint promises 300 entries, {index} are there"
    )
    assert not any("tile/0" in line or "tile/1" in line or "checkpoint:" in line for line in found)


def test_a_missing_bundle_is_named_and_the_entries_around_it_are_not(log):
    logs.written(log, logs.entries(600))
    (log / "tile/entries/001").unlink()
    assert lines(log) == ["MISSING tile/entries/001"]
    (log / "tile/entries/002.p/88").unlink()
    # The older export left a bundle of 44 entries there.
    assert lines(log) == [
        "MISSING tile/entries/001",
        "MISSING tile/entries/002.p/88",
        "TRUNCATED: the checkpoint promises 600 entries, 300 are there",
    ]
    (log / "tile/entries/001.p/44").unlink()
    assert "TRUNCATED: the checkpoint promises 600 entries, 256 are there" in lines(log)


def test_a_bundle_that_is_cut_is_read_up_to_the_cut(log):
    path = log / "tile/entries/000"
    cut = len(batches.pack(logs.entries(17))) + 1
    path.write_bytes(path.read_bytes()[:cut])
    assert lines(log) == [
        "MALFORMED tile/entries/000: it ends inside entry 17",
        "MISSING entries 17 to 255: the entries after it have moved up",
    ]


def test_fewer_entries_in_the_last_bundle_than_its_path_says_are_a_log_cut_short(log):
    (log / "tile/entries/001.p/44").write_bytes(batches.pack(logs.entries(298)[256:]))
    assert lines(log) == [
        "MALFORMED tile/entries/001.p/44: it holds 42 entries, its path says 44",
        "TRUNCATED: the checkpoint promises 300 entries, 298 are there",
    ]


def test_when_all_tiles_are_gone_the_entries_prove_themselves(log):
    for path in ("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"):
        (log / path).unlink()
    assert sorted(lines(log)) == ["MISSING tile/0/000", "MISSING tile/0/001.p/44", "MISSING tile/1/000.p/1"]


def test_a_tile_and_an_entry_below_it_are_both_found(log):
    (log / "tile/0/000").unlink()
    put_bundles(log, [logs.entry(0, reason="other"), *logs.entries(SIZE)[1:]])
    assert lines(log) == [
        "MISSING tile/0/000",
        "ALTERED entries 0 to 255: what is there does not lead to tile/1/000.p/1",
    ]
    (log / "tile/0/000").write_bytes(b"?" * 8_192)
    assert "ALTERED tile/0/000: what is there does not lead to tile/1/000.p/1" in lines(log)


def test_a_file_that_is_no_file_of_a_log_is_extra(log):
    for name in ("tile/0/000.p/0", "tile/0/notes", "tile/x\x1b[2J", "tile/entries/x000/001"):
        (log / name).parent.mkdir(parents=True, exist_ok=True)
        (log / name).write_bytes(b"?")
    found = lines(log)
    assert len(found) == 4
    assert all(line.startswith("EXTRA ") and line.isprintable() for line in found)


def test_an_older_partial_file_that_is_no_beginning_of_the_log_is_altered(tmp_path):
    logs.written(tmp_path, logs.entries(10))
    logs.written(tmp_path, logs.entries(SIZE))
    assert checked(tmp_path).ok
    for path, now in (("tile/0/000.p/10", "tile/0/000"), ("tile/entries/000.p/10", "tile/entries/000")):
        flip(tmp_path / path, -1)
        assert lines(tmp_path) == [f"ALTERED {path}: it is not a beginning of {now}"]
        flip(tmp_path / path, -1)


def test_a_log_cut_back_to_an_older_bundle_is_told_by_what_is_left(tmp_path):
    logs.written(tmp_path, logs.entries(298))
    logs.written(tmp_path, logs.entries(SIZE))
    (tmp_path / "tile/entries/001.p/44").unlink()
    assert lines(tmp_path) == [
        "MISSING tile/entries/001.p/44",
        "TRUNCATED: the checkpoint promises 300 entries, 298 are there",
    ]


def test_a_medium_that_fails_is_not_taken_for_damage(log):
    read = verify.reader(log)

    def failing(path):
        if path == "tile/entries/000":
            raise PermissionError
        return read(path)

    report = verify.verify_log(failing, logs.KEY)
    assert [str(problem) for problem in report.problems] == ["UNREADABLE tile/entries/000: PermissionError"]

    def broken(_):
        raise TimeoutError

    report = verify.verify_log(broken, logs.KEY)
    assert str(report) == "UNREADABLE checkpoint: TimeoutError\nNOT OK"


def test_a_folder_that_is_not_there_is_not_ok(tmp_path):
    assert str(checked(tmp_path / "nowhere")) == "MISSING checkpoint\nNOT OK"


# ------------------------------------------------------------------------------------------------ checkpoints


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_of_a_checkpoint_goes_unnoticed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("log")
    logs.written(folder, logs.entries(3))
    length = (folder / "checkpoint").stat().st_size
    flip(folder / "checkpoint", data.draw(st.integers(0, length - 1)), 1 << data.draw(st.integers(0, 7)))
    (first, *_) = checked(folder).problems
    assert first.place == "checkpoint"
    assert first.kind.value in {"BAD_SIGNATURE", "WRONG_KEY", "MALFORMED"}


def test_a_checkpoint_signed_by_another_key_is_named_with_the_key_that_signed(log):
    stranger = logs.signer(seed=b"stranger")
    (log / "checkpoint").write_text(logs.signed(logs.entries(SIZE), stranger))
    (problem,) = lines(log)
    assert problem == (
        f"WRONG_KEY checkpoint: signed by {stranger.name}+{stranger.key_id.hex()}, "
        f"not by {logs.LOG.name}+{logs.LOG.key_id.hex()}"
    )


def test_a_signature_of_another_checkpoint_is_bad_and_what_lies_behind_is_still_checked(log):
    wrong = logs.signed(logs.entries(299)).rpartition("\n\n")[2]
    text = logs.signed(logs.entries(SIZE)).rpartition("\n\n")[0]
    (log / "checkpoint").write_text(f"{text}\n\n{wrong}")
    flip(log / "tile/0/000")
    assert lines(log) == [
        f"BAD_SIGNATURE checkpoint: the signature of {logs.ORIGIN} does not verify",
        "ALTERED tile/0/000",
    ]


def test_a_checkpoint_of_another_log_is_named_even_when_the_key_signed_it(log):
    other = note.origin(logs.OTHER_TENANT)
    (log / "checkpoint").write_text(logs.signed(logs.entries(SIZE), origin=other))
    assert lines(log) == [f"WRONG_ORIGIN checkpoint: it is of {other}, not of {logs.ORIGIN}"]
    found = lines(log, origin=other)
    assert len(found) == MAX_LISTED
    assert all(line.startswith("WRONG_TENANT") for line in found)


def test_an_origin_that_names_no_tenant_is_wrong_for_a_log_of_ours(tmp_path):
    key = logs.signer("example.com/log")
    logs.written(tmp_path, logs.entries(3), key=key, origin=key.name)
    report = verify.verify_folder(tmp_path, key.verifier())
    assert [str(problem) for problem in report.problems] == [
        "WRONG_ORIGIN checkpoint: The origin names no tenant's log."
    ]


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"credence\n1\n", b"a" * 1_000_001, b"a\n0\nx\n\n\xe2\x80\x94 a AAAA\n"]
)
def test_what_is_no_checkpoint_is_malformed(log, text):
    (log / "checkpoint").write_bytes(text)
    (problem,) = lines(log)
    assert problem.startswith("MALFORMED checkpoint: ")


def test_a_root_that_no_tile_or_entry_leads_to_is_wrong(log):
    (log / "checkpoint").write_text(logs.signed([*logs.entries(299), logs.entry(299, reason="other")]))
    (problem,) = lines(log)
    assert problem.startswith("WRONG_ROOT checkpoint: ")


def test_the_empty_log_has_the_root_of_the_empty_tree(tmp_path):
    logs.written(tmp_path, [])
    empty = note.Checkpoint(logs.ORIGIN, 0, bytes(32))
    (tmp_path / "checkpoint").write_text(note.sign_checkpoint(empty, [logs.LOG]))
    (problem,) = lines(tmp_path)
    assert problem.startswith("WRONG_ROOT checkpoint: ")


def test_a_checkpoint_that_promises_more_than_any_log_holds_is_answered_at_once(log):
    huge = note.Checkpoint(logs.ORIGIN, 2**63 - 1, bytes(32))
    (log / "checkpoint").write_text(note.sign_checkpoint(huge, [logs.LOG]))
    report = checked(log)
    assert f"TRUNCATED: the checkpoint promises {2**63 - 1} entries, 300 are there" in str(report)


def test_a_witness_that_should_have_cosigned_is_missed(log):
    witness = WITNESS.verifier()
    assert lines(log, witnesses=[witness]) == ["UNWITNESSED checkpoint: witness.example has not cosigned it"]
    text = note.parse_note((log / "checkpoint").read_bytes())
    (log / "checkpoint").write_text(note.sign_note(text.text, [WITNESS], text.unverified))
    assert checked(log, witnesses=[witness]).ok


# ------------------------------------------------------------------------------------------------ earlier checkpoints


def test_every_earlier_checkpoint_of_a_log_is_a_prefix(tmp_path):
    leaves = logs.entries(600)
    logs.written(tmp_path, leaves)
    sizes = (0, 1, 2, 100, 255, 256, 257, 300, 511, 512, 513, 599, 600)
    assert checked(tmp_path, earlier=[logs.signed(leaves[:size]) for size in sizes]).ok


def test_an_older_valid_checkpoint_with_its_log_is_caught_by_a_newer_one_that_was_kept(tmp_path):
    kept = logs.signed(logs.entries(SIZE))
    logs.written(tmp_path, logs.entries(298))
    assert checked(tmp_path).ok
    assert lines(tmp_path, earlier=[kept]) == [
        "ROLLED_BACK earlier checkpoint 1: it promises 300 entries, the log has 298"
    ]


@given(st.integers(1, 599), st.integers(1, 600))
@settings(max_examples=50, deadline=None)
def test_a_fork_is_caught_by_every_checkpoint_that_covers_it_and_by_no_other(tmp_path_factory, at, size):
    folder, leaves = tmp_path_factory.mktemp("log"), logs.entries(600)
    logs.written(folder, [*leaves[:at], logs.entry(at, reason="the other history"), *leaves[at + 1 :]])
    found = lines(folder, earlier=[logs.signed([]), logs.signed(leaves[:size])])
    fork = f"FORK earlier checkpoint 2: the checkpoint of size {size} is not a prefix"
    assert found == ([fork] if size > at else [])


def test_an_earlier_checkpoint_that_the_log_did_not_sign_is_no_evidence(log):
    stranger = logs.signer(seed=b"stranger")
    other = note.origin(logs.OTHER_TENANT)
    forged = logs.signed(logs.entries(3)).replace("\n3\n", "\n4\n")
    texts = [
        logs.signed(logs.entries(400), stranger),
        logs.signed(logs.entries(3), origin=other),
        forged,
        "nothing",
    ]
    kinds = [line.split(":")[0] for line in lines(log, earlier=texts)]
    assert kinds == [
        "WRONG_KEY earlier checkpoint 1",
        "WRONG_ORIGIN earlier checkpoint 2",
        "BAD_SIGNATURE earlier checkpoint 3",
        "MALFORMED earlier checkpoint 4",
    ]


def test_damage_is_not_taken_for_a_fork(log):
    earlier = [logs.signed(logs.entries(size)) for size in (100, 256, 300)]
    put_bundles(log, [logs.entry(0, reason="other"), *logs.entries(SIZE)[1:]])
    assert lines(log, earlier=earlier) == ["ALTERED entry 0"]
    (log / "tile/0/000").unlink()
    found = lines(log, earlier=earlier)
    assert found[-1] == "UNPROVEN earlier checkpoint 1: damage hides whether the checkpoint of size 100 is a prefix"
    assert not any("FORK" in line for line in found)


# ------------------------------------------------------------------------------------------------ anything at all


@given(st.integers(1, 600), st.data())
@settings(max_examples=100, deadline=None)
def test_no_change_of_any_file_goes_unnoticed(tmp_path_factory, size, data):
    folder = tmp_path_factory.mktemp("log")
    logs.written(folder, logs.entries(size))
    path = folder / data.draw(st.sampled_from(sorted(logs.contents(folder))))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.sampled_from(["flip", "cut", "insert", "remove", "empty"]))
    if change == "flip":
        flip(path, at)
    elif change == "remove":
        path.unlink()
    else:
        changed = {"cut": content[:at], "insert": content[:at] + b"\x00" + content[at:], "empty": b""}[change]
        path.write_bytes(changed)
    assert not checked(folder).ok


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_any_other_sequence_of_entries_is_found(tmp_path_factory, numbers, size):
    folder = tmp_path_factory.mktemp("log")
    logs.written(folder, logs.entries(size))
    others = [logs.entry(number) for number in numbers]
    put_bundles(folder, others)
    assert checked(folder).ok == (others == logs.entries(size))


def test_the_files_of_a_log_are_read_once_each_when_nothing_is_wrong(log):
    logs.written(log, logs.entries(1_000))
    read, seen = verify.reader(log), []

    def counting(path):
        seen.append(path)
        return read(path)

    report = verify.verify_log(counting, logs.KEY)
    assert report.ok
    assert all(one != other for one, other in pairwise(sorted(seen)))
    edge = Edge()
    assert len(seen) == 1 + sum(1 for _ in files.files_of(logs.entries(1_000), edge))
