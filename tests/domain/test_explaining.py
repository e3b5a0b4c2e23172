"""A customer reads its grade and the reasons; what third parties report of it stays closed, in every form."""

from domain.actors import Rights
from domain.assessment.assessments import Assessment
from domain.reading import NOT_GRANTED, Labelled, Level, Purpose, Reading, Reveal, judge

OWN = {"assessment:read": "cs-07", "reveal:financial": "cs-16"}
STAFF = OWN | {"assessment:examine": "an-45"}
RECEIPT = Reveal(purpose=Purpose.CUSTOMER_REQUEST, fields=(Labelled("receipt", Assessment.receipt),))


def judged(allowed, *facts):
    level = Level(
        shape=Assessment.shape,
        facts=tuple(Labelled(name, name) for name in facts),
        reveals=(Labelled("confidential", RECEIPT),),
    )
    return judge(Reading((Labelled("assessment", level),)), Rights(id=1, version="g-1", allowed=allowed))


def closed(found):
    return found.reading.roots[0].what.reveals[0].what.closed


def test_a_customer_reads_grade_score_and_reasons():
    assert judged(OWN, "grade", "score", "reasons", "missing", "credit_limit").refused == ()


def test_the_bands_behind_its_points_are_not_told_to_a_customer():
    assert judged(OWN, "grade", "points").refused == ("Assessment.points",)
    assert judged(STAFF, "grade", "points").refused == ()


def test_nor_is_the_receipt_which_holds_the_same_values():
    assert closed(judged(OWN, "grade")) == (("receipt", NOT_GRANTED),)
    assert closed(judged(STAFF, "grade")) == ()
    assert closed(judged({"assessment:read": "x", "assessment:examine": "y"}, "grade")) == (("receipt", NOT_GRANTED),)
