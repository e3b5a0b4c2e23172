"""What is erased opens for nobody, lies nowhere, and is certified; a legal hold stops it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.jobs.erasing import finish
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent
from domain.consent.handover.recalling import Recall, RecallCause
from domain.custody.erasing import ApproveErasure, CertifyErasure, PendingErasures, ProposeErasure, RejectErasure
from domain.custody.erasures import CERTIFICATE, Erasure, ErasureReason, ErasureState
from domain.custody.holds import HoldState, LegalHold, LiftLegalHold, PlaceLegalHold
from domain.errors import Conflict, KeyUnavailable, Malformed, NotConsented, NotPermitted, Overloaded, Tampered
from domain.files.opening import BasicInformation, Contact, OpenCreditFile, UpdateBasicInformation
from domain.files.parties import ContactPerson, CreditFile, FileState, PartyKind
from domain.operations import OPERATIONS, Decided
from domain.reading import Purpose
from domain.records import DataClass
from tests.vault.keeping.asking import Asking
from tests.vault.test_store import Try
from tests.world import EMAIL, TENANT, USCC
from vault.audit import certificate
from vault.audit.handover import Keyholders
from vault.audit.note import Verifier
from vault.store import looks
from vault.store.keeping import residue
from vault.store.tables import audit_payload, blind_index, sealed_field, vault_dek, vault_dek_wrap, vault_key


@pytest.fixture
def pair(world):
    """Two files with sealed values of two classes, the first with a person in it."""
    origin = world.origin()
    first = world.do(
        OpenCreditFile(
            reference="C-1",
            name="Yunfan",
            kind=PartyKind.ENTERPRISE,
            origin=origin,
            basic=BasicInformation(unified_social_credit_code=USCC, phone="+8613800130001", email=EMAIL),
            contacts=(Contact(duty="CFO", name="Li", phone="13900139000"),),
        )
    )
    return first, world.file(origin, "C-2", BasicInformation(phone="+8613800130002"))


def propose(world, target, data_class=None):
    proposal = ProposeErasure(target=target, data_class=data_class and data_class.value, reason=ErasureReason.REQUEST)
    return world.do(proposal, world.actor("first"))


def approve(world, erasure):
    return world.do(ApproveErasure(erasure=erasure.id), world.actor("second"))


def finished(world):
    return world.loop(finish(world.gate, world.store, [TENANT], lambda _: world.actor("system:operator")))


def erase(world, target, data_class=None):
    approve(world, propose(world, target, data_class))
    (done,) = finished(world)
    return done


def rows(world, table, **equal):
    wanted = {"tenant": TENANT, **equal}
    select = sa.select(table).where(*(table.c[name] == value for name, value in wanted.items()))
    return world.look(lambda connection: connection.execute(select).mappings().all())


def wraps(world, subject):
    own = sa.select(vault_dek_wrap.c.wrapped).join(vault_dek, vault_dek.c.dek_id == vault_dek_wrap.c.dek_id)
    own = own.where(vault_dek.c.subject == subject)
    return world.look(lambda connection: [bytes(one) for one in connection.scalars(own)])


def verifier(world):
    return Verifier.read(world.look(looks.verifying_key(world.room, TENANT, "auditor")))


def test_a_file_that_is_erased_answers_what_it_held_as_withheld(world, pair):
    first, second = pair
    asking = Asking(world)
    before = {row["id"]: row for row in asking()}
    assert before[first.id]["confidential"]["email"] == EMAIL
    done = erase(world, first.id)
    after = {row["id"]: row for row in asking()}
    told = after[first.id]["confidential"]
    assert (told["phone"], told["email"], after[first.id]["phoneMasked"]) == (None, None, None)
    assert {(one["field"], one["reason"]) for one in told["withheld"]} == {
        ("phone", "ERASED"),
        ("email", "ERASED"),
        ("unified_social_credit_code", "ERASED"),
    }
    assert after[second.id] == before[second.id]
    assert (done.state, done.cells) == (ErasureState.ERASED, 5)
    (file,) = [file for file in world.current(CreditFile) if file.id == first.id]
    assert file.state is FileState.ERASED
    assert wraps(world, first.subject_id) == []
    assert len(wraps(world, second.subject_id)) == 1
    assert [row["record_id"] for row in rows(world, blind_index)] == [second.id]
    assert world.findings() == []
    later = BasicInformation(phone="+8613800130009")
    update = UpdateBasicInformation(credit_file=first.id, origin=world.origin("later"), basic=later)
    with pytest.raises(Malformed, match="not open"):
        world.do(update)
    with pytest.raises(Conflict, match="erased already"):
        propose(world, first.id)


def test_from_the_approval_on_nothing_opens_also_in_a_process_that_keeps_the_keys(world, pair):
    first, _ = pair
    asking = Asking(world)
    asking()
    erasure = approve(world, propose(world, first.id))
    assert erasure.state is ErasureState.DESTROYING
    row = next(row for row in asking() if row["id"] == first.id)
    assert row["confidential"]["phone"] is None
    own = {bytes(one["dek_id"]) for one in rows(world, sealed_field, subject=first.subject_id)}
    assert own.isdisjoint(key.dek_id for key in world.ring._deks._kept)
    assert world.findings() == []


def test_one_class_goes_and_the_others_stay(world, pair):
    first, _ = pair
    erase(world, first.id, DataClass.CONTACT)
    row = next(row for row in Asking(world)() if row["id"] == first.id)
    assert row["confidential"]["unified_social_credit_code"] == USCC
    assert {one["field"] for one in row["confidential"]["withheld"]} == {"phone", "email"}
    assert len(wraps(world, first.subject_id)) == 1
    assert world.findings() == []
    update = UpdateBasicInformation(
        credit_file=first.id, origin=world.origin("later"), basic=BasicInformation(email="a@b.example")
    )
    with pytest.raises(KeyUnavailable, match="destroyed"):
        world.do(update)


def test_a_person_is_erased_without_the_firm_and_with_it(world, pair):
    first, _ = pair
    (person,) = world.current(ContactPerson)
    done = erase(world, person.id)
    assert (done.person, done.subjects) == (person.id, (person.subject_id,))
    assert wraps(world, person.subject_id) == []
    row = next(row for row in Asking(world)() if row["id"] == first.id)
    assert row["confidential"]["email"] == EMAIL
    whole = erase(world, first.id)
    assert set(whole.subjects) == {first.subject_id, person.subject_id}
    assert world.findings() == []


def test_who_proposes_does_not_approve_and_what_is_rejected_stays(world, pair):
    first, _ = pair
    erasure = propose(world, first.id)
    with pytest.raises(NotPermitted, match="does not decide"):
        world.do(ApproveErasure(erasure=erasure.id), world.actor("first"))
    with pytest.raises(Conflict, match="waits for its decision already"):
        propose(world, first.id)
    with pytest.raises(Conflict, match="not approved"):
        world.do(CertifyErasure(erasure=erasure.id), world.actor("operator"))
    rejected = world.do(RejectErasure(erasure=erasure.id), world.actor("second"))
    assert rejected.state is ErasureState.REJECTED
    with pytest.raises(Conflict, match="does not wait"):
        approve(world, erasure)
    with pytest.raises(Malformed, match="contact person is erased"):
        propose(world, erasure.id)
    with pytest.raises(Malformed, match="no such class"):
        world.do(ProposeErasure(target=first.id, data_class="phone", reason=ErasureReason.REQUEST))
    assert len(wraps(world, first.subject_id)) == 2


def test_a_legal_hold_stops_an_erasure_until_it_is_lifted_or_over(world, pair):
    first, second = pair
    waiting = propose(world, first.id)
    place = PlaceLegalHold(credit_file=first.id, reason="Case 12", owner="counsel")
    hold = world.do(place, world.actor("legal"))
    (person,) = world.current(ContactPerson)
    for target, name in ((first.id, DataClass.CONTACT), (person.id, None)):
        with pytest.raises(Conflict, match="legal hold of counsel"):
            propose(world, target, name)
    with pytest.raises(Conflict, match="legal hold of counsel"):
        approve(world, waiting)
    assert len(wraps(world, first.subject_id)) == 2
    lifted = world.do(LiftLegalHold(hold=hold.id, reason="Settled"), world.actor("legal"))
    assert (lifted.state, lifted.lifted_because) == (HoldState.LIFTED, "Settled")
    with pytest.raises(Conflict, match="lifted already"):
        world.do(LiftLegalHold(hold=hold.id, reason="Again"), world.actor("legal"))
    assert approve(world, waiting).state is ErasureState.DESTROYING
    today = world.clock.now().date()
    world.do(replace(place, credit_file=second.id, until=today + timedelta(days=3)), world.actor("legal"))
    with pytest.raises(Conflict, match="until"):
        propose(world, second.id)
    with pytest.raises(Malformed):
        world.do(replace(place, until=today - timedelta(days=2)), world.actor("legal"))
    world.clock.move(days=5)
    assert propose(world, second.id).state is ErasureState.PROPOSED
    assert len(world.current(LegalHold)) == 2


def test_a_certificate_verifies_offline_and_says_when_backups_follow(world, pair):
    first, _ = pair
    done = erase(world, first.id)
    said = certificate.verified(done.certificate, Keyholders([verifier(world)]))
    assert said["creditFile"] == first.id
    assert said["subjects"][0] == first.subject_id
    assert (said["keysDestroyed"], said["valuesRemoved"], said["backupsEpoch"]) == (done.keys, 5, 1)
    assert said["effectiveAt"] == f"{world.clock.now() + timedelta(days=31 + 35):%Y-%m-%dT%H:%M:%SZ}"
    for text in (done.certificate[:-4] + "AAAA", done.certificate.replace(".", "..", 1), "", "{}"):
        with pytest.raises(Tampered):
            certificate.verified(text, Keyholders([verifier(world)]))
    head, body, signature = done.certificate.split(".")
    with pytest.raises(Tampered):
        certificate.verified(".".join((head, body[:-2] + "AA", signature)), Keyholders([verifier(world)]))
    with pytest.raises(Tampered, match="another kind"):
        certificate.verified(done.certificate, Keyholders([verifier(world)]), "another")
    with pytest.raises(Malformed):
        certificate.verified("x" * 70_000, Keyholders([verifier(world)]))
    other = Verifier(verifier(world).name, 1, bytes(32))
    with pytest.raises(Tampered):
        certificate.verified(done.certificate, Keyholders([other]), CERTIFICATE)
    assert world.do(CertifyErasure(erasure=done.id), world.actor("operator")) == done
    assert world.do(PendingErasures(), world.actor("operator")) == ()
    assert finished(world) == []


def test_side_payloads_of_the_log_go_with_their_subject_and_the_log_verifies(world, pair, monkeypatch):
    first, second = pair
    monkeypatch.setitem(OPERATIONS, "Try", Try)

    def noted(file):
        def how(unit):
            unit.get(CreditFile, file.id)
            return Decided(value=None, note="why")

        return Try(how=how)

    world.do(noted(first))
    world.do(noted(second))
    (hidden,) = rows(world, audit_payload, subject=first.subject_id)
    done = erase(world, first.id)
    assert rows(world, audit_payload, subject=first.subject_id) == []
    assert len(rows(world, audit_payload, subject=second.subject_id)) == 1
    assert places(scanned(world), [bytes(hidden["envelope"])]) == []
    assert world.findings() == []
    world.do(noted(first))  # the log goes on about it, under a key of its own
    assert len(rows(world, audit_payload, subject=first.subject_id)) == 1
    assert world.findings() == []
    told = [json.loads(leaf) for leaf in world.leaves()]
    own = [one["action"] for one in told if done.id in one["resources"]]
    assert own == ["erasure:propose", "erasure:approve", "erasure:finish", "erasure:finish"]


def test_a_value_that_was_emptied_without_an_erasure_is_found(world, pair):
    assert pair
    nothing = "zeroblob(0)" if world.database.dialect == "sqlite" else "''"
    where = "field_tag = 'contact.email'"
    world.database.execute(f"UPDATE sealed_field SET envelope = {nothing} WHERE {where}")  # noqa: S608 - words of our own
    assert {finding.kind for finding in world.findings()} == {"EMPTIED"}


def test_what_is_left_anywhere_stops_the_certificate(world, pair):
    first, _ = pair
    kept = rows(world, blind_index, record_id=first.id)
    erasure = approve(world, propose(world, first.id))
    world.database.insert("blind_index", dict(kept[0]))
    with pytest.raises(Conflict, match="1 keys, values or tokens"):
        finished(world)
    world.database.execute("DELETE FROM blind_index")
    (done,) = finished(world)
    assert done.id == erasure.id


def test_a_partner_is_told_to_delete_what_it_got_and_gets_nothing_more(world, pair):
    first, _ = pair
    partner = world.partner()
    tags = ("contact.phone", "identity.uscc")
    grant = GrantConsent(
        credit_file=first.id,
        partner=partner.id,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=tags,
        use=ConsentUse.STANDING,
        not_after=world.clock.now() + timedelta(days=9),
        notice_digest="ab" * 32,
        given_by="the board",
    )
    world.do(grant)
    asked = RequestDisclosure(
        credit_file=first.id, purpose=Purpose.PARTNER_CREDIT_DECISION, fields=tags, idempotency_key="k" * 8
    )
    bank = world.actor("bank", partner=partner.id)
    world.do(asked, bank)
    done = erase(world, first.id, DataClass.CONTACT)
    assert done.recipients == (partner.id,)
    (recall,) = world.current(Recall)
    assert (recall.partner, recall.fields, recall.cause) == (partner.id, ("contact.phone",), RecallCause.ERASURE)
    again = world.do(replace(asked, idempotency_key="n" * 8), bank)
    assert again.tags == ("identity.uscc",)
    assert [(one.field, one.reason) for one in again.disclosure.withheld] == [("contact.phone", "NOT_ON_FILE")]
    erase(world, first.id)
    with pytest.raises(NotConsented):
        world.do(replace(asked, idempotency_key="m" * 8), bank)
    assert world.findings() == []


def secrets(world, subject):
    """Bytes of a subject that must lie nowhere: wrapped keys, envelopes and tokens."""
    cells = [bytes(row["envelope"]) for row in rows(world, sealed_field, subject=subject)]
    tokens = [bytes(row["token"]) for row in rows(world, blind_index, subject=subject)]
    found = [*wraps(world, subject), *cells, *tokens]
    assert len(found) >= 5
    return found


def scanned(world):
    """Every file that the live data of the database lies in."""
    if world.database.dialect == "sqlite":
        path = Path(world.database.path)
        return {one.name: one.read_bytes() for one in path.parent.glob(path.name + "*")}
    world.database.execute("CHECKPOINT")
    folder = Path(world.database.fetch("SHOW data_directory")[0][0])
    own = world.database.fetch("SELECT oid FROM pg_database WHERE datname = current_database()")[0][0]
    return {one.name: one.read_bytes() for one in (folder / "base" / str(own)).iterdir() if one.is_file()}


def places(files, wanted):
    return [name for name, content in files.items() if any(one in content for one in wanted)]


def test_nothing_of_it_lies_in_the_files_of_the_database(world, pair):
    first, second = pair
    gone, kept = secrets(world, first.subject_id), wraps(world, second.subject_id)
    assert places(scanned(world), gone)
    erase(world, first.id)
    files = scanned(world)
    assert places(files, gone) == []
    assert places(files, kept)
    assert len(Asking(world)()) == 2
    assert world.findings() == []


def test_an_open_reader_keeps_an_erasure_from_being_certified(sqlite, loop, tmp_path, monkeypatch):
    from tests.stored import StoredWorld

    monkeypatch.setattr(residue, "TRIES", 2)
    with StoredWorld(sqlite, loop, tmp_path) as world:
        world.open_tenant()
        file = world.file(world.origin())
        gone = secrets(world, file.subject_id)
        approve(world, propose(world, file.id))
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as reader:
            reader.execute("BEGIN").close()
            reader.execute("SELECT count(*) FROM sealed_field").fetchall()
            world.file(world.origin("meanwhile"), "C-9", BasicInformation(phone="+8613800130009"))
            with pytest.raises(Overloaded, match="older state"):
                finished(world)
            assert world.current(Erasure)[0].state is ErasureState.DESTROYING
            reader.execute("COMMIT").close()
        (done,) = finished(world)
        assert done.state is ErasureState.ERASED
        assert places(scanned(world), gone) == []


def test_a_backup_opens_nothing_once_the_epoch_of_its_time_is_destroyed(world, pair):
    from api.jobs.rotating import Turning
    from vault.keys import BACKUP_DAYS, Keyring
    from vault.opening import VaultOpener
    from vault.providers.file import KeyFile

    first, _ = pair
    tables = (vault_dek_wrap, vault_dek, vault_key, sealed_field)
    backup = {table.name: [dict(row) for row in rows(world, table)] for table in tables}
    erase(world, first.id)
    turning = Turning(gate=world.gate, leading=TENANT, companies=[TENANT], act=lambda _: world.actor("system:operator"))
    world.loop(turning.rotate(lambda *_: None, fresh=True))
    world.clock.move(days=BACKUP_DAYS)
    world.loop(turning.destroy(1))
    for name, kept in backup.items():
        world.database.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own
        world.database.insert(name, *kept)
    ring = Keyring(KeyFile(world.folder / "keys.json"), lambda: 0.0)
    world.gate._opener = VaultOpener(replace(world.room, ring=ring))
    with pytest.raises(KeyUnavailable, match="Root key version 1 is destroyed"):
        Asking(world)()
