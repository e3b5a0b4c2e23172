"""A customer takes a credit statement along, on both databases: signed, recorded without a value, and taken back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from api.jobs.rotating import Turning
from domain.assessment.assessments import AssessmentState
from domain.audit import Outcome
from domain.custody.erasing import ApproveErasure, ProposeErasure
from domain.custody.erasures import ErasureReason
from domain.custody.keeping import SigningUse
from domain.custody.signing import ReplaceSigningKey, SigningKey
from domain.errors import KeyUnavailable, Malformed, NotFound, NotInForce, NotPermitted
from domain.files.correcting import CorrectTransaction, DocumentCorrection
from domain.files.history import DefaultKind, LitigationSeverity, TradeTransaction
from domain.files.parties import FileState
from domain.statements import issuing, places
from domain.statements.holders import HolderKey
from domain.statements.issuing import IssueCreditStatement, RevokeCreditStatement
from domain.statements.statements import (
    CreditStatement,
    RevokedBecause,
    StatementClaim,
    StatementState,
    StatusList,
)
from tests.firms import TODAY, Bill, Desk
from tests.stored import StoredWorld
from tests.world import TENANT, USCC
from vault.statements import presenting
from vault.statements.publishing import Trusted
from vault.statements.sdjwt import Compact
from vault.statements.verifying import verify
from vault.store.tables import vault_key

ALL = tuple(StatementClaim)


def furnished(desk, file):
    """A good customer with an assessment in force."""
    desk.bill(file, *(Bill(date(2026, month, 1), 30_000, 0) for month in range(1, 11)))
    figures = {"current_assets": 3_000_000, "total_liabilities": 1_000_000, "net_profit": 500_000}
    desk.statement(file, date(2026, 6, 30), audited=True, **figures)
    desk.case(file, LitigationSeverity.NONE, date(2026, 10, 1))
    settled(desk, file)


def settled(desk, file):
    """An assessment in force, whoever had to decide on it."""
    waiting = desk.assess(file)
    return desk.approve(waiting) if waiting.state is AssessmentState.IN_REVIEW else waiting


class Office:
    """A company with one graded customer, and that customer with a key of its own."""

    def __init__(self, database, loop, folder, code=USCC):
        self.world = StoredWorld(database, loop, folder)
        self.desk = Desk(self.world)
        words = {"established_on": date(2010, 5, 1), "industry_code": "I6513"}
        self.file = self.desk.open("Acme", unified_social_credit_code=code, **words)
        furnished(self.desk, self.file)
        self.file = self.desk.file(self.file)
        self.customer = self.world.actor("li", "customer_self", subject=self.file.subject_id)
        self.key = presenting.new_key()

    def assessed(self):
        """An assessment in force."""
        return settled(self.desk, self.file)

    @property
    def holder(self):
        """The public key of the customer's tool."""
        told = self.key.as_dict(private=False)
        return HolderKey(x=told["x"], y=told["y"])

    def asking(self, *claims, **more):
        """What the customer asks for."""
        words = {"credit_file": self.file.id, "claims": claims or ALL, "holder_key": self.holder} | more
        return IssueCreditStatement(**words)

    def issue(self, *claims, actor=None, **more):
        """A statement that was issued."""
        return self.world.perform(self.asking(*claims, **more), actor or self.customer)

    def refused(self, kind, *claims, actor=None, **more):
        """Why none was issued."""
        with pytest.raises(kind) as refused:
            self.issue(*claims, actor=actor, **more)
        return refused.value

    def keys(self):
        """What others verify with."""
        return Trusted.read(self.world.loop(self.world.board.metadata(TENANT)))

    def verdict(self, text, **more):
        """What others find."""
        return verify(text, self.keys(), self.world.clock.now(), **more)

    def listed(self, number=1):
        """A status list, made now."""
        self.world.moment += 60
        return self.world.loop(self.world.board.status_list(TENANT, number))

    def said(self):
        """The last entry of the log."""
        return json.loads(self.world.leaves()[-1])


@pytest.fixture
def office(database, loop, tmp_path):
    made = Office(database, loop, tmp_path)
    yield made
    made.world.close()


def test_a_customer_takes_its_standing_along_and_others_verify_it(office):
    ended = office.issue()
    verdict = office.verdict(ended.signed, status=office.listed())
    assert verdict.ok
    said = dict(verdict.claims)
    grade = office.file.grade.value
    assert (said["name"], said["unified_social_credit_code"], said["grade"]) == ("Acme", USCC, grade)
    assert (said["grade_at_least_CCC"], said["grade_at_least_AAA"]) == (True, grade == "AAA")
    low, high = map(int, said["score_band"].split("-"))
    assert low <= office.file.score <= high
    assert (said["credit_policy"], said["as_of"]) == (1, TODAY.isoformat())
    record = ended.value
    assert (record.holder, record.claims) == (office.key.thumbprint(), ALL)
    assert office.world.findings() == []


def test_the_entry_names_what_was_issued_and_no_value_of_it_is_stored_in_clear(office):
    ended = office.issue(StatementClaim.UNIFIED_SOCIAL_CREDIT_CODE, StatementClaim.GRADE_AT_LEAST)
    entry = office.said()
    assert entry["action"] == "credit_statement:issue"
    assert entry["purpose"] == "CUSTOMER_REQUEST"
    assert set(entry["fields"]) == {
        "identity.uscc",
        "credit_statement.grade_at_least",
        "credit_statement.unified_social_credit_code",
    }
    assert ended.value.id in entry["resources"]
    whole = b"".join(office.world.leaves()).decode()
    parts = Compact.read(ended.signed)
    for secret in (USCC, parts.signed, *parts.disclosures):
        assert secret not in whole
    rows = office.world.look(
        lambda connection: str(connection.execute(sa.text("SELECT * FROM credit_statement")).all())
    )
    assert USCC not in rows
    assert not any(part in rows for part in (parts.signed.split(".")[2], *parts.disclosures))


def test_only_the_customer_itself_is_given_one(office):
    refusal = office.refused(NotPermitted, actor=office.desk.board)
    assert "customer itself" in refusal.message
    stranger = office.world.actor("x", "customer_self", subject=office.desk.open("Other").subject_id)
    assert office.refused(NotFound, actor=stranger).cause == "NOT_OWN_FILE"
    assert office.said()["outcome"] == Outcome.INVALID.value


@pytest.mark.parametrize(("days", "counts"), [(1, 1), (30, 30), (90, 90)])
def test_it_counts_as_long_as_asked(office, days, counts):
    statement = office.issue(StatementClaim.GRADE, days=days).value
    assert statement.expires_at - statement.issued_at == timedelta(days=counts)


@pytest.mark.parametrize("days", [0, -1, 91])
def test_nobody_is_given_one_for_longer_or_for_no_time(office, days):
    assert office.refused(Malformed, days=days).path == ("days",)


def test_it_ends_with_the_day_before_the_next_review(office):
    due = office.file.review_due_on
    office.world.clock.move(days=(due - TODAY).days - 5)
    statement = office.issue(StatementClaim.GRADE).value
    left = statement.expires_at - office.world.clock.now()
    assert timedelta(days=4) < left < timedelta(days=5)
    office.world.clock.move(days=6)
    assert "due for review" in office.refused(NotInForce).message


def test_there_is_none_without_a_grade(office):
    bare = office.desk.open("Bare")
    actor = office.world.actor("b", "customer_self", subject=bare.subject_id)
    assert "No grade" in office.refused(NotInForce, actor=actor, credit_file=bare.id).message
    assert office.world.current(CreditStatement) == []


def test_there_is_none_of_a_closed_file_and_what_was_issued_can_still_be_taken_back(office):
    desk = Desk()
    file = desk.open("Acme", established_on=date(2010, 5, 1), industry_code="I6513")
    furnished(desk, file)
    actor = desk.world.actor("li", "customer_self", subject=file.subject_id)
    asked = office.asking(StatementClaim.GRADE, credit_file=file.id)
    issued = desk.world.perform(asked, actor)
    assert json.loads(issued.signed)["claims"]["grade"] == desk.file(file).grade.value
    desk.world.put(replace(desk.file(file), state=FileState.RESTRICTED))
    with pytest.raises(Malformed, match="not open"):
        desk.world.do(asked, actor)
    revoked = desk.world.do(RevokeCreditStatement(statement=issued.value.id), actor)
    assert revoked.state is StatementState.REVOKED


def test_a_code_that_is_not_on_file_cannot_be_shown(database, loop, tmp_path):
    office = Office(database, loop, tmp_path, code=None)
    with office.world:
        assert "not on file" in office.refused(Malformed).message
        assert office.issue(StatementClaim.GRADE).signed


def test_a_key_that_is_no_point_of_the_curve_is_refused(office):
    for x, y in (("A" * 43, "A" * 43), ("short", office.holder.y), (office.holder.x, office.holder.y[:-1] + "_")):
        refusal = office.refused(Malformed, holder_key=HolderKey(x=x, y=y))
        assert refusal.path[0] == "holderKey"


def test_nothing_chosen_is_refused(office):
    with pytest.raises(Malformed):
        office.world.perform(replace(office.asking(), claims=()), office.customer)


def test_a_customer_takes_it_back_and_the_list_says_so(office):
    first, second = office.issue(StatementClaim.GRADE), office.issue(StatementClaim.GRADE)
    assert office.verdict(first.signed, status=office.listed()).ok
    revoked = office.world.do(RevokeCreditStatement(statement=first.value.id), office.customer)
    assert (revoked.state, revoked.revoked_because) == (StatementState.REVOKED, RevokedBecause.CUSTOMER)
    again = office.world.do(RevokeCreditStatement(statement=first.value.id), office.customer)
    assert again.stamp.version == revoked.stamp.version
    listed = office.listed()
    assert office.verdict(first.signed, status=listed).reason.value == "REVOKED"
    assert office.verdict(second.signed, status=listed).ok


def test_nobody_else_takes_it_back(office):
    statement = office.issue(StatementClaim.GRADE).value
    other = office.world.actor("x", "customer_self", subject=office.desk.open("Other").subject_id)
    for actor in (other, office.desk.board):
        with pytest.raises(NotFound):
            office.world.do(RevokeCreditStatement(statement=statement.id), actor)
    assert office.world.current(CreditStatement)[0].state is StatementState.ISSUED


def test_a_lower_grade_revokes_what_rests_on_the_better_one(office):
    statement = office.issue(StatementClaim.GRADE)
    office.world.clock.move(minutes=5)
    office.desk.default(office.file, DefaultKind.INSOLVENCY, TODAY)
    office.assessed()
    now = office.world.current(CreditStatement)[0]
    assert (now.id, now.state, now.revoked_because) == (
        statement.value.id,
        StatementState.REVOKED,
        RevokedBecause.LOWER_GRADE,
    )
    assert office.verdict(statement.signed, status=office.listed()).reason.value == "REVOKED"
    assert office.world.findings() == []


def test_an_erased_file_has_no_statement_that_counts(office):
    statement = office.issue(StatementClaim.UNIFIED_SOCIAL_CREDIT_CODE)
    proposal = ProposeErasure(target=office.file.id, reason=ErasureReason.REQUEST)
    proposed = office.world.do(proposal, office.world.actor("first"))
    office.world.do(ApproveErasure(erasure=proposed.id), office.world.actor("second"))
    now = office.world.current(CreditStatement)[0]
    assert (now.state, now.revoked_because) == (StatementState.REVOKED, RevokedBecause.FILE_ERASED)
    assert office.verdict(statement.signed, status=office.listed()).reason.value == "REVOKED"


def test_statements_verify_as_before_when_the_keys_of_the_company_turned(office):
    before, metadata = office.issue(StatementClaim.GRADE), office.world.loop(office.world.board.metadata(TENANT))
    turning = Turning(
        gate=office.world.gate,
        leading=TENANT,
        companies=(TENANT,),
        act=lambda tenant: office.world.actor("system:operator", tenant=tenant),
    )
    done = office.world.loop(turning.rotate(lambda *_: None, fresh=True))
    assert (done.epoch, done.retired) == (2, (1,))
    assert office.world.loop(office.world.board.metadata(TENANT)) == metadata
    assert office.verdict(before.signed, status=office.listed()).ok
    assert office.verdict(office.issue(StatementClaim.GRADE).signed).ok


def replaced(office, **given):
    """The company's key for statements is replaced now."""
    asked = {"use": SigningUse.STATEMENT, "before": office.world.clock.now()} | given
    return office.world.do(ReplaceSigningKey(**asked), office.world.actor("system:operator"))


def test_statements_of_a_former_key_verify_on_and_new_ones_by_the_next(office):
    before, listed = office.issue(StatementClaim.GRADE), office.listed()
    office.world.clock.move(hours=1)
    new = replaced(office)
    after = office.issue(StatementClaim.GRADE)
    keys = office.world.loop(office.world.board.metadata(TENANT))["jwks"]["keys"]
    assert [key["kid"] for key in keys] == [new.kid, office.world.current(SigningKey)[0].kid]
    assert "exp" not in keys[0]
    assert keys[1]["exp"] == int(new.began_at.timestamp()) + 60
    for statement in (before, after):
        assert office.verdict(statement.signed, status=office.listed()).ok
    assert office.verdict(before.signed, status=listed).ok
    assert office.world.findings() == []


def test_what_a_compromised_key_signed_after_its_end_is_not_believed(office):
    early = office.issue(StatementClaim.GRADE)
    office.world.clock.move(hours=2)
    late, listed = office.issue(StatementClaim.GRADE), office.listed()
    office.world.clock.move(hours=1)
    replaced(office, compromised=True, since=office.world.clock.now() - timedelta(hours=2))
    told = office.world.loop(office.world.board.metadata(TENANT))
    assert len(told["jwks"]["keys"]) == 1
    (apart,) = told["compromised"]["keys"]
    assert apart["revoked"]["reason"] == "compromised"
    assert office.verdict(early.signed, status=office.listed()).ok
    assert office.verdict(late.signed).reason.value == "KEY_ENDED"
    assert office.verdict(early.signed, status=listed).reason.value == "BAD_STATUS_LIST"
    new = office.issue(StatementClaim.GRADE)
    assert office.verdict(new.signed, status=office.listed()).ok


def test_a_company_without_a_key_for_statements_has_none_to_replace(office):
    office.world.database.execute("DELETE FROM vault_key WHERE purpose = 'statement'")
    office.world.clock.move(hours=1)
    assert replaced(office) is None
    assert office.world.current(SigningKey) == []


def test_a_company_without_a_key_gets_it_after_its_keys_turned(office):
    office.world.database.execute("DELETE FROM vault_key WHERE purpose = 'statement'")
    turning = Turning(
        gate=office.world.gate,
        leading=TENANT,
        companies=(TENANT,),
        act=lambda tenant: office.world.actor("system:operator", tenant=tenant),
    )
    office.world.loop(turning.rotate(lambda *_: None, fresh=True))
    assert office.world.loop(office.world.board.metadata(TENANT)) is None
    assert office.verdict(office.issue(StatementClaim.GRADE).signed).ok


def test_an_equal_grade_leaves_them_alone(office):
    office.issue(StatementClaim.GRADE)
    office.world.clock.move(days=1)
    office.assessed()
    assert office.world.current(CreditStatement)[0].state is StatementState.ISSUED


def test_a_statement_s_places_are_drawn_apart_and_full_lists_are_followed_by_others(office, monkeypatch):
    monkeypatch.setattr(places, "SIZE", 8)
    made = [office.issue(StatementClaim.GRADE).value for _ in range(20)]
    spots = [(each.status_list, each.status_index) for each in made]
    assert len(set(spots)) == 20
    numbers = {number for number, _ in spots}
    assert len(numbers) > 2
    assert {each.number for each in office.world.current(StatusList)} == numbers
    assert all(index < 8 for _, index in spots)
    assert [index for _, index in spots] != sorted(index for _, index in spots)


def test_one_customer_does_not_fill_the_lists_of_the_others(office, monkeypatch):
    monkeypatch.setattr(issuing, "MAX_LIVE", 2)
    first = office.issue(StatementClaim.GRADE, days=1).value
    office.issue(StatementClaim.GRADE)
    assert office.refused(Malformed).path == ("creditFile",)
    office.world.do(RevokeCreditStatement(statement=first.id), office.customer)
    office.issue(StatementClaim.GRADE, days=1)
    office.world.clock.move(days=2)
    assert office.issue(StatementClaim.GRADE).value.state is StatementState.ISSUED


def test_a_company_from_before_there_were_statements_gets_its_key_with_the_first(office):
    office.world.database.execute("DELETE FROM vault_key WHERE purpose = 'statement'")
    assert office.world.loop(office.world.board.metadata(TENANT)) is None
    signed = office.issue(StatementClaim.GRADE).signed
    assert office.verdict(signed).ok
    kept = office.issue(StatementClaim.GRADE).signed
    assert office.verdict(kept).ok
    count = sa.select(sa.func.count()).where(vault_key.c.purpose == "statement")
    assert office.world.look(lambda connection: connection.scalar(count)) == 1


def test_a_key_that_is_out_leaves_no_statement_and_a_failed_entry(office):
    office.world.board.sign = out
    with pytest.raises(KeyUnavailable):
        office.issue(StatementClaim.GRADE)
    done, failed = (json.loads(leaf) for leaf in office.world.leaves()[-2:])
    assert (done["outcome"], failed["outcome"]) == ("DONE", "FAILED")
    assert (failed["code"], failed["fields"]) == ("KEY_UNAVAILABLE", ["credit_statement.grade"])


async def out(warrant, statement):
    """A signer whose keys cannot be reached."""
    del warrant, statement
    raise KeyUnavailable("The key file cannot be used.")


def test_many_at_once_get_places_of_their_own(office):
    async def work():
        asked = office.asking(StatementClaim.GRADE)
        return await asyncio.gather(
            *(office.world.gate.perform(asked, office.customer, request=f"rq-{n}") for n in range(8))
        )

    made = office.world.loop(work())
    assert len({(each.value.status_list, each.value.status_index) for each in made}) == 8
    assert all(office.verdict(each.signed).ok for each in made)
    assert len(office.world.current(StatusList)) == 1


def test_a_wrong_input_put_right_revokes_what_rested_on_it(office):
    statement = office.issue(StatementClaim.GRADE)
    document = office.world.current(TradeTransaction)[0]
    office.world.clock.move(days=1)
    changes = DocumentCorrection(settled_on=date(2026, 11, 20))
    office.world.do(CorrectTransaction(record=document.id, changes=changes, reason="Misread"))
    now = office.world.current(CreditStatement)[0]
    assert (now.state, now.revoked_because) == (StatementState.REVOKED, RevokedBecause.INPUT_CORRECTED)
    assert office.verdict(statement.signed, status=office.listed()).reason.value == "REVOKED"
    assert "No grade" in office.refused(NotInForce).message
