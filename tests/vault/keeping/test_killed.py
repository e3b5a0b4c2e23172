"""`kill -9` at every step: what was begun goes on, nothing is lost, and nobody who reads notices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.custody.erasures import Erasure, ErasureState
from domain.custody.signing import SigningKey, SigningState
from domain.files.opening import BasicInformation
from tests.stored import StoredWorld
from tests.vault.keeping.asking import Asking
from tests.vault.providers.started import bao, made, moto, tokens
from tests.world import OTHER_TENANT, TENANT
from vault.audit.note import Verifier
from vault.audit.verify import verify_folder
from vault.store import looks
from vault.store.tables import DESTROYED, sealed_field, vault_dek, vault_dek_wrap, vault_key

__all__ = ["bao", "made", "moto", "tokens"]
FILES = 30
ROOT = Path(__file__).parents[3]
STRIDE = {"sqlite": "7", "postgresql": "29"}
"""Every seventh step and every twenty-ninth: where a round is killed also shifts with what earlier ones left undone."""


def started(world, kind, stride=""):
    arguments = [kind, world.database.url, world.keys, str(world.folder), stride or STRIDE[world.database.dialect]]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.vault.keeping.killed", *arguments, TENANT, OTHER_TENANT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_rotation_killed_at_any_step_goes_on_and_no_reader_is_refused(world):
    rotated(world)


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param("pkcs11", "postgresql", marks=pytest.mark.postgres), ("transit", "sqlite"), ("awskms", "sqlite")],
)
def test_a_rotation_killed_over_a_provider_elsewhere_goes_on(kind, name, made, loop, tmp_path, request):
    keys = made(kind).written
    with StoredWorld(request.getfixturevalue(name), loop, tmp_path, keys=keys) as world:
        world.open_tenant()
        rotated(world, stride={"pkcs11": "61"}.get(kind, "29"), least=1)


def rotated(world, stride="", least=7):
    world.open_tenant(OTHER_TENANT, "Leading")
    origin = world.origin()
    for number in range(4):
        world.file(origin, f"C-{number}", BasicInformation(phone=f"+861380013{number:04}"))
    asking = Asking(world)
    before, reads = asking(), 0
    process = started(world, "rotate", stride)
    try:
        while process.poll() is None:
            assert asking() == before
            reads += 1
        told, wrong = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, wrong
    assert int(told) > least
    assert reads > int(told)

    def epochs(connection):
        columns = (vault_key.c.epoch, vault_dek.c.kek_epoch, vault_dek_wrap.c.kek_epoch)
        return [set(connection.scalars(sa.select(column).where(column.table.c.tenant == TENANT))) for column in columns]

    own, named, wrapped = world.look(epochs)
    assert own == named == wrapped
    assert len(own) == 1
    assert own.pop() > int(told)
    assert world.findings() == []
    assert world.findings(OTHER_TENANT) == []


def test_an_erasure_killed_at_any_step_is_finished_by_running_it_again(world):
    origin = world.origin()
    for number in range(FILES):
        world.file(origin, f"C-{number:02}", BasicInformation(phone=f"+861380013{number:04}"))
    asking, reads = Asking(world), 0
    last = asking()[-1]
    process = started(world, "shred")
    try:
        while process.poll() is None:
            rows = asking()
            assert len(rows) == FILES
            assert rows[-1] == last
            reads += 1
        told, wrong = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, wrong
    assert 3 < int(told) < FILES - 1
    assert reads > int(told)
    erasures = world.current(Erasure)
    assert {one.state for one in erasures} == {ErasureState.ERASED}
    assert all(one.certificate for one in erasures)
    gone = [row for row in asking() if row["confidential"]["withheld"]]
    assert len(gone) == len(erasures) >= int(told)
    assert world.findings() == []


def test_keys_that_sign_killed_at_any_step_are_the_old_or_the_new_and_the_log_verifies(world, tmp_path):
    world.open_tenant(OTHER_TENANT, "Leading")
    asking = Asking(world)
    world.file(world.origin(), "C-1", BasicInformation(phone="+8613800130001"))
    first = Verifier.read(world.look(looks.verifying_key(world.room, TENANT, "auditor")))
    world.leaves()
    kept = [world.loop(world.store.checkpoint(TENANT))]
    before = asking()
    process = started(world, "replace")
    try:
        while process.poll() is None:
            assert asking() == before
            kept.append(world.loop(world.store.checkpoint(TENANT)))
        told, wrong = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, wrong
    assert int(told) >= 3
    keys = world.current(SigningKey)
    assert [one.state for one in keys[:-1]] == [SigningState.RETIRED] * (len(keys) - 1)
    assert keys[-1].state is SigningState.SIGNING
    assert len(keys) > int(told)
    world.leaves()
    folder, told_keys = tmp_path / "log", world.look(looks.log_keys(world.room, TENANT, "auditor"))
    checkpoint = world.loop(world.store.checkpoint(TENANT))
    world.look(looks.exported(TENANT, checkpoint, folder))
    (folder / "handover").mkdir()
    for number, text in enumerate(told_keys.handovers, 1):
        (folder / "handover" / str(number)).write_text(text, encoding="utf-8")
    for pinned in (first, Verifier.read(told_keys.pinned[0])):
        report = verify_folder(folder, pinned, earlier=kept)
        assert report.ok, report
    assert world.findings() == []


def test_data_keys_killed_at_any_step_are_renewed_and_no_reader_is_refused(world):
    origin = world.origin()
    for number in range(3):
        world.file(origin, f"C-{number}", BasicInformation(phone=f"+861380013{number:04}", email="a@b.example"))
    asking, reads = Asking(world), 0
    before = asking()
    process = started(world, "renew")
    try:
        while process.poll() is None:
            assert asking() == before
            reads += 1
        told, wrong = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, wrong
    assert int(told) >= 3
    assert reads > int(told)

    def left(connection):
        dek, cell = vault_dek.c, sealed_field.c
        own = sa.select(dek.dek_id).where(dek.tenant == TENANT, dek.kek_epoch != DESTROYED, dek.data_class == "contact")
        used = sa.select(cell.dek_id).where(cell.tenant == TENANT, cell.data_class == "contact").distinct()
        wraps = sa.select(vault_dek_wrap.c.dek_id).where(vault_dek_wrap.c.tenant == TENANT)
        return [{bytes(one) for one in connection.scalars(select)} for select in (own, used, wraps)]

    living, used, wraps = world.look(left)
    assert living == used
    assert len(living) == 3
    assert living <= wraps
    assert world.findings() == []
