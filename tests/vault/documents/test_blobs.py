"""What every store of documents keeps to: nothing is found before it is kept, and what is kept is found whole."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import Tampered, Unavailable
from domain.ids import encode
from vault.documents.blobs import Name
from vault.documents.bucket import PART_BYTES, BucketBlobs
from vault.documents.folder import FolderBlobs

TENANT, OTHER = encode("te", b"t" * 16), encode("te", b"u" * 16)
SUBJECT, NAMESAKE = encode("cu", b"s" * 16), encode("cu", b"r" * 16)
NAME = Name(TENANT, SUBJECT, encode("do", b"d" * 16), 2)


def kept(blobs, name=NAME, *pieces):
    """A blob that was kept."""
    sink = blobs.create(name)
    for piece in pieces or (b"some bytes",):
        sink.write(piece)
    sink.keep()


def held(blobs, name=NAME):
    """The bytes of a blob, or None."""
    source = blobs.open(name)
    if source is None:
        return None
    try:
        return b"".join(iter(lambda: source.read(1000), b""))
    finally:
        source.close()


def test_nothing_is_found_before_it_is_kept(blobs):
    sink = blobs.create(NAME)
    sink.write(b"x" * (PART_BYTES + 7))
    assert blobs.open(NAME) is None
    assert list(blobs.names(TENANT)) == []
    sink.keep()
    assert held(blobs) == b"x" * (PART_BYTES + 7)
    assert list(blobs.names(TENANT)) == [NAME]


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 9])
def test_what_is_kept_is_found_whole(blobs, size):
    content = os.urandom(size)
    kept(blobs, NAME, content[: size // 3], content[size // 3 :])
    source = blobs.open(NAME)
    assert source.size == size
    assert source.read(size + 1) == content
    assert source.read(1) == b""
    source.rewind()
    assert source.read(5) == content[:5]
    source.close()


def test_what_is_dropped_leaves_nothing(blobs):
    sink = blobs.create(NAME)
    sink.write(b"x" * (PART_BYTES + 7))
    sink.drop()
    sink.drop()
    assert blobs.open(NAME) is None
    assert blobs.sweep(datetime.now(UTC) + timedelta(days=1)) == 0


def test_dropping_what_is_kept_changes_nothing(blobs):
    sink = blobs.create(NAME)
    sink.write(b"some bytes")
    sink.keep()
    sink.drop()
    assert held(blobs) == b"some bytes"


def test_what_is_kept_takes_the_place_of_what_had_its_name(blobs):
    kept(blobs, NAME, b"old")
    kept(blobs, NAME, b"new")
    assert held(blobs) == b"new"


def test_what_is_removed_is_gone_and_can_be_removed_again(blobs):
    kept(blobs)
    blobs.remove(NAME)
    blobs.remove(NAME)
    assert blobs.open(NAME) is None


def test_names_are_those_of_one_company_or_one_subject(blobs):
    others = [NAME._replace(tenant=OTHER), NAME._replace(subject=NAMESAKE), NAME._replace(version=3)]
    for name in (NAME, *others):
        kept(blobs, name)
    assert set(blobs.names(TENANT)) == {NAME, others[1], others[2]}
    assert set(blobs.names(TENANT, SUBJECT)) == {NAME, others[2]}
    assert set(blobs.names(OTHER)) == {others[0]}


def test_forgetting_a_subject_leaves_nothing_of_it_and_everything_of_others(blobs):
    others = [NAME._replace(tenant=OTHER), NAME._replace(subject=NAMESAKE)]
    for name in (NAME, NAME._replace(version=3), *others):
        kept(blobs, name)
    begun = blobs.create(NAME._replace(version=4))
    begun.write(b"x" * (PART_BYTES + 1))
    assert blobs.forget(TENANT, SUBJECT) == 3
    assert list(blobs.names(TENANT, SUBJECT)) == []
    assert {*blobs.names(TENANT), *blobs.names(OTHER)} == set(others)
    assert blobs.sweep(datetime.now(UTC) + timedelta(days=1)) == 0
    assert blobs.forget(TENANT, SUBJECT) == 0


def test_only_what_was_not_written_to_since_is_swept(blobs):
    kept(blobs)
    sink = blobs.create(NAME._replace(version=3))
    sink.write(b"x" * (PART_BYTES + 1))
    # The store of the tests says of every upload that it began in 2010.
    assert blobs.sweep(datetime(2009, 1, 1, tzinfo=UTC)) == 0
    assert blobs.sweep(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert held(blobs) == b"some bytes"
    assert blobs.open(NAME._replace(version=3)) is None


def test_a_blob_is_named_by_ids_alone(blobs):
    for wrong in ("../etc", "", "cu_1", SUBJECT + "/x"):
        with pytest.raises(ValueError, match="named by ids"):
            blobs.create(NAME._replace(subject=wrong)).keep()
        with pytest.raises(ValueError, match="named by ids"):
            blobs.open(NAME._replace(document=wrong))
    assert Name.read(NAME.path) == NAME
    for path in ("", "x", NAME.path + "0" * 20, NAME.path.replace(".", "/"), "x/" + NAME.path, NAME.path + ".part"):
        assert Name.read(path) is None


# A folder.


@pytest.fixture
def folder(tmp_path):
    return FolderBlobs(tmp_path / "documents")


def test_files_and_folders_are_for_their_owner_alone(folder, tmp_path):
    before = os.umask(0)
    try:
        kept(folder)
    finally:
        os.umask(before)
    for path in (tmp_path / "documents").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "documents").stat().st_mode) == 0o700


def test_bytes_and_names_are_on_the_disk_before_the_blob_counts_as_kept(folder, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda file: done.append(("fsync", stat.S_ISDIR(os.fstat(file).st_mode))))
    replace = type(folder._root).replace
    monkeypatch.setattr(
        type(folder._root), "replace", lambda self, target: (done.append("named"), replace(self, target))[1]
    )
    sink = folder.create(NAME)
    done.clear()
    sink.write(b"some bytes")
    sink.keep()
    assert done == [("fsync", False), "named", ("fsync", True)]


def test_a_link_in_the_place_of_a_blob_is_not_followed(folder, tmp_path):
    kept(folder)
    secret = tmp_path / "secret"
    secret.write_bytes(b"not a blob")
    path = tmp_path / "documents" / NAME.path
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(Unavailable):
        folder.open(NAME)


def test_what_takes_the_name_while_a_blob_is_read_is_not_read(folder):
    kept(folder, NAME, b"old bytes")
    source = folder.open(NAME)
    assert source.read(3) == b"old"
    kept(folder, NAME, b"new bytes")
    source.rewind()
    assert source.read(9) == b"old bytes"
    source.close()


def test_a_folder_that_cannot_be_written_is_told_without_its_path(tmp_path):
    (tmp_path / "documents").write_text("a file")
    with pytest.raises(Unavailable) as told:
        FolderBlobs(tmp_path / "documents").create(NAME)
    assert str(tmp_path) not in told.value.message + told.value.advice
    assert told.value.__cause__ is None


def test_a_full_disk_leaves_nothing_once_it_is_dropped(folder, monkeypatch, tmp_path):
    sink = folder.create(NAME)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unavailable):
        sink.write(b"x")
    sink.drop()
    assert [path for path in (tmp_path / "documents").rglob("*") if path.is_file()] == []


# A bucket.


@pytest.fixture
def bucket(bucket_server):
    from tests.bucket import emptied

    with emptied(bucket_server) as name:
        yield BucketBlobs(bucket_server, name, "")


def test_an_object_that_changed_is_not_read_as_the_same(bucket):
    kept(bucket, NAME, b"old bytes")
    source = bucket.open(NAME)
    assert source.read(3) == b"old"
    kept(bucket, NAME, b"new bytes")
    with pytest.raises(Tampered):
        source.rewind()


def test_an_object_that_goes_while_it_is_read_is_not_read_again(bucket):
    kept(bucket)
    source = bucket.open(NAME)
    source.read(3)
    bucket.remove(NAME)
    with pytest.raises(Tampered):
        source.rewind()


def test_a_bucket_that_is_not_there_is_told_without_the_words_of_the_store(bucket_server):
    nowhere = BucketBlobs(bucket_server, "no-such-bucket", "")
    sink = nowhere.create(NAME)
    sink.write(b"x")
    for work in (sink.keep, lambda: list(nowhere.names(TENANT))):
        with pytest.raises(Unavailable) as told:
            work()
        assert "no-such-bucket" not in told.value.message
        assert told.value.__cause__ is None
