"""The benchmark of grants stays able to run: what it measures decides as `enforce` does."""

from bench.grants import decisions


def test_what_is_measured_decides_as_enforce_does():
    found = decisions.measured(decisions.COUNTS[0])
    assert found["enforce"] > 1
    assert found["below"] in {True, False}
