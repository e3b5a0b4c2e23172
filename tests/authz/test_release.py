"""The tests of the product's own grants hold, and every rule decides in one of them."""

from authz.release import Release
from domain.grants.cases import run
from domain.grants.separation import breaches


def test_the_tests_of_the_product_hold_and_every_rule_decides_in_one_of_them(table):
    ended = run(Release(table.actions).cases(), table)
    assert ended.failures == ()
    assert ended.untested == (), "say in authz/tests what this rule is for"
    assert ended.green


def test_the_product_says_nothing_that_no_version_may_say(table):
    assert list(breaches(table)) == []
