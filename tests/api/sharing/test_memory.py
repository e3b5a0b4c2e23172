from __future__ import annotations

from api.graphql.sharing.memory import OWNERS, Lru


def test_what_was_not_asked_for_longest_goes_first():
    memory: Lru[int] = Lru(2 * OWNERS)
    for number in (1, 2, 1, 3):
        memory.get(number, lambda number=number: number)
    assert len(memory) == 2
    assert memory.get(1, lambda: 10) == 1
    assert memory.get(2, lambda: 20) == 20


def test_a_flood_of_one_owner_pushes_out_only_its_own():
    memory: Lru[int] = Lru(100)
    memory.keep("mine", 1, "us", 20)
    for number in range(10_000):
        memory.keep(number, number, "them", 5)
    assert memory.find("mine") == 1
    assert memory.weight == 20 + 100 // OWNERS
    assert memory.find(9_999) == 9_999


def test_who_fills_most_gives_first_when_all_together_are_too_much():
    memory: Lru[int] = Lru(100)
    memory.keep("small", 1, "quiet", 5)
    for owner in range(10):
        for number in range(10):
            memory.keep((owner, number), number, str(owner), 5)
    assert memory.weight <= 100
    assert memory.find("small") == 1


def test_what_is_heavier_than_a_share_is_not_remembered():
    memory: Lru[int] = Lru(100)
    memory.keep("huge", 1, "us", 26)
    assert memory.find("huge") is None
    assert memory.weight == 0


def test_keeping_again_replaces_what_was_there_and_its_weight():
    memory: Lru[int] = Lru(100)
    memory.keep("one", 1, "us", 20)
    memory.keep("one", 2, "them", 10)
    assert (memory.find("one"), memory.weight, len(memory)) == (2, 10, 1)
