import os
import shutil
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed, Tampered
from tests.vault import logs
from vault.audit import files, note, tiles, verify


def test_an_empty_log_is_a_checkpoint_alone(tmp_path):
    checkpoint = logs.written(tmp_path / "log", [])
    assert logs.contents(tmp_path / "log") == {"checkpoint": checkpoint.encode()}
    assert verify.verify_folder(tmp_path / "log", logs.KEY).ok


def test_a_log_of_70000_has_the_files_the_specification_counts(tmp_path):
    leaves = [b"%d" % number for number in range(70_000)]
    checkpoint = logs.signed(leaves)
    assert files.write_log(tmp_path, iter(leaves), checkpoint) == 274 + 274 + 2 + 1
    held = logs.contents(tmp_path)
    assert held.pop("checkpoint") == checkpoint.encode()
    assert {path for path in held if not path.startswith("tile/0/") and "entries" not in path} == {
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }
    assert {"tile/0/272", "tile/0/273.p/112", "tile/entries/272", "tile/entries/273.p/112"} <= held.keys()
    bundles = sorted(path for path in held if path.startswith("tile/entries/"))
    assert [entry for path in bundles for entry in tiles.decode_bundle(held[path])] == leaves


@given(st.lists(st.sampled_from([0, 1, 2, 254, 255, 256, 257, 300, 511, 512, 513]), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_writing_again_only_appends_and_ends_where_writing_once_does(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("log")
    states = [{}]
    for size in sorted(sizes):
        logs.written(folder, logs.entries(size))
        states.append(logs.contents(folder))
    for before, after in pairwise(states):
        assert before.items() - after.items() <= {("checkpoint", before.get("checkpoint"))}
    at_once = tmp_path_factory.mktemp("at_once")
    logs.written(at_once, logs.entries(max(sizes)))
    assert logs.contents(at_once).items() <= states[-1].items()
    assert verify.verify_folder(folder, logs.KEY).ok


def test_writing_the_same_log_again_changes_nothing(tmp_path):
    logs.written(tmp_path, logs.entries(300))
    before = logs.contents(tmp_path)
    assert files.write_log(tmp_path, logs.entries(300), logs.signed(logs.entries(300))) == 0
    assert logs.contents(tmp_path) == before


@pytest.mark.parametrize("held", [0, 1, 256, 300])
@pytest.mark.parametrize(
    "leaves",
    [
        logs.entries(299),
        logs.entries(301),
        logs.entries(600),
        [],
        [*logs.entries(299), logs.entry(777)],
        [logs.entry(777), *logs.entries(300)[1:]],
    ],
    ids=["fewer", "more", "many more", "none", "another last", "another first"],
)
def test_a_checkpoint_that_does_not_fit_the_entries_is_refused_and_the_folder_is_as_it_was(tmp_path, held, leaves):
    logs.written(tmp_path, logs.entries(held))
    before = logs.contents(tmp_path)
    with pytest.raises((Malformed, Tampered)):
        files.write_log(tmp_path, leaves, logs.signed(logs.entries(300)))
    assert logs.contents(tmp_path) == before


def test_what_is_no_checkpoint_is_refused_before_anything_is_written(tmp_path):
    for text in ("", "origin\n1\n", logs.signed([]).replace("\n0\n", "\n-1\n")):
        with pytest.raises(Malformed):
            files.write_log(tmp_path / "log", [], text)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/entries/001.p/44"])
def test_a_file_that_holds_other_bytes_is_never_overwritten(tmp_path, path):
    logs.written(tmp_path, logs.entries(300))
    (tmp_path / path).write_bytes((tmp_path / path).read_bytes()[:-1] + b"?")
    before = logs.contents(tmp_path)
    with pytest.raises(Tampered, match=f"holds another {path}"):
        logs.written(tmp_path, logs.entries(300))
    assert logs.contents(tmp_path) == before


def test_a_log_that_is_shorter_than_its_older_export_or_forks_from_it_is_refused(tmp_path):
    logs.written(tmp_path, logs.entries(100))
    before = logs.contents(tmp_path)
    with pytest.raises(Tampered, match="promises 100 entries, the log has 99"):
        logs.written(tmp_path, logs.entries(99))
    # The older export has only a partial tile, whose place the fork would not touch.
    with pytest.raises(Tampered, match="does not extend the 100 entries"):
        logs.written(tmp_path, [*logs.entries(50), logs.entry(777), *logs.entries(300)[51:]])
    with pytest.raises(Malformed, match="another log"):
        logs.written(tmp_path, logs.entries(100), origin=note.origin(logs.OTHER_TENANT))
    assert logs.contents(tmp_path) == before


def test_an_older_checkpoint_that_cannot_be_read_is_not_replaced(tmp_path):
    logs.written(tmp_path, logs.entries(3))
    (tmp_path / "checkpoint").write_text("nothing")
    with pytest.raises(Tampered, match="damaged"):
        logs.written(tmp_path, logs.entries(4))
    assert (tmp_path / "checkpoint").read_text() == "nothing"


def test_a_crash_at_any_step_leaves_a_sound_log_and_the_next_export_completes_it(tmp_path, monkeypatch):
    old, new = logs.entries(300), logs.entries(600)
    steps, goal = 0, None
    replace = Path.replace

    def failing(self, target):
        nonlocal steps
        steps += 1
        if steps == goal:
            raise OSError("the disk is gone")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    for goal in range(1, 50):
        folder = tmp_path / str(goal)
        steps = -1_000
        logs.written(folder, old)
        steps = 0
        try:
            logs.written(folder, new)
        except OSError:
            assert note.parse_checkpoint(note.parse_note((folder / "checkpoint").read_bytes()).text).size == 300
            report = verify.verify_folder(folder, logs.KEY)
            # What is already there of the new entries no checkpoint promises yet; nothing else is wrong.
            assert {problem.kind for problem in report.problems} <= {verify.Kind.EXTRA}
            logs.written(folder, new)
        else:
            break
        assert verify.verify_folder(folder, logs.KEY).ok
    assert 5 < steps < goal


def test_what_a_crash_left_beside_the_log_is_removed(tmp_path):
    logs.written(tmp_path, logs.entries(3))
    (tmp_path / ".new" / "tile").mkdir(parents=True)
    (tmp_path / ".new" / "tile" / "junk").write_bytes(b"junk")
    logs.written(tmp_path, logs.entries(300))
    assert not (tmp_path / ".new").exists()
    assert "tile/junk" not in logs.contents(tmp_path)
    assert verify.verify_folder(tmp_path, logs.KEY).ok


def test_a_file_of_somebody_else_beside_the_log_stays(tmp_path):
    (tmp_path / "README").write_text("how to check this log")
    logs.written(tmp_path, logs.entries(3))
    assert (tmp_path / "README").exists()
    assert verify.verify_folder(tmp_path, logs.KEY).ok


def test_one_bundle_of_entries_is_held_at_a_time(tmp_path):
    alive = most = 0

    class Counted(bytes):
        __slots__ = ()

        def __new__(cls, value):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, value)

        def __del__(self):
            nonlocal alive
            alive -= 1

    leaves = logs.entries(2_000)
    files.write_log(tmp_path, (Counted(leaf) for leaf in leaves), logs.signed(leaves))
    assert most < 2 * tiles.WIDTH
    shutil.rmtree(tmp_path)


def test_an_exported_log_is_readable_by_its_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        logs.written(tmp_path / "below" / "log", logs.entries(300))
    finally:
        os.umask(old)
    modes = {path.is_dir(): set() for path in (tmp_path / "below").rglob("*")}
    for path in (tmp_path / "below").rglob("*"):
        modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {True: {0o700}, False: {0o600}}
