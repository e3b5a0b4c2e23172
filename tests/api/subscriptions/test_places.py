"""Places are counted for each token and each company, and given back."""

from __future__ import annotations

import pytest

from api.graphql.subscriptions.places import Places
from domain.errors import Overloaded


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [(("a", "one"), ("a", "two"), "token"), (("a", "one"), ("b", "one"), "company")],
)
def test_a_place_that_is_taken_is_given_to_nobody_else_until_it_is_free(first, second, told):
    places = Places("streams", per_token=1, per_company=1)
    with places.taken(*first):
        with pytest.raises(Overloaded, match=told), places.taken(*second):
            pass
        with places.taken("c", "three"):
            assert places._taken
    assert not places._taken
    with places.taken(*second):
        pass
