"""Whoever asks a provider waits a bounded time, however the provider behaves."""

import gc
import threading
import time

import pytest

from domain.errors import KeyUnavailable
from vault.providers import crew
from vault.providers.crew import Crew, Silent


@pytest.fixture
def free():
    """Lets calls that hang come back when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def crewed(probe=lambda: None, **how):
    return Crew("the box", probe, **{"seconds": 0.1, **how})


def test_calls_come_back_in_their_order_and_run_side_by_side():
    together = threading.Barrier(4, timeout=2)

    def call(number):
        together.wait()
        return number

    assert crewed(threads=4, seconds=3).run([lambda n=n: call(n) for n in range(4)]) == [0, 1, 2, 3]


def test_more_calls_than_threads_each_have_their_time():
    assert crewed(threads=1).run([lambda n=n: time.sleep(0.03) or n for n in range(8)]) == list(range(8))


def test_whoever_waits_behind_the_calls_of_others_is_not_refused_while_those_come_to_their_ends():
    one = crewed(threads=1)
    others = threading.Thread(target=one.run, args=([lambda: time.sleep(0.03)] * 15,))
    others.start()
    time.sleep(0.01)
    assert one.run([lambda: 1]) == [1]
    others.join()


def test_a_call_that_hangs_is_refused_in_time_though_others_go_on(free):
    one = crewed(threads=2)
    busy = threading.Thread(target=one.run, args=([lambda: time.sleep(0.03)] * 30,))
    started = time.monotonic()
    waited = []
    busy.start()
    try:
        one.run([free.wait])
    except Silent:
        waited.append(time.monotonic() - started)
    busy.join()
    assert waited
    assert waited[0] < 0.6


def test_an_error_of_a_call_that_is_a_timeout_of_its_own_is_raised_as_it_is():
    def late():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        crewed().run([late])


def test_a_call_that_hangs_is_refused_in_time_and_the_rest_is_not_begun(free):
    begun = []
    one = crewed(threads=1)
    started = time.monotonic()
    with pytest.raises(Silent, match=r"the box gives no answer within 0\.1 seconds"):
        one.run([free.wait, lambda: begun.append(1)])
    assert time.monotonic() - started < 1
    free.set()
    time.sleep(0.05)
    assert begun == []


def test_while_it_is_out_nobody_waits_and_it_is_tried_beside_until_it_serves(free, monkeypatch):
    monkeypatch.setattr(crew, "REST_SECONDS", 0.05)
    tries = []

    def probe():
        tries.append(1)
        if not free.is_set():
            raise Silent("still out")

    one = crewed(probe, threads=2)
    with pytest.raises(Silent):
        one.run([free.wait])
    started = time.monotonic()
    for _ in range(1_000):
        with pytest.raises(Silent, match="the box"):
            one.run([lambda: 1])
    assert time.monotonic() - started < 1
    assert len(tries) <= 11
    free.set()
    until = time.monotonic() + 5
    while True:
        try:
            assert one.run([lambda: 1]) == [1]
        except Silent:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            break
    assert tries


def test_asking_though_it_is_out_really_asks_and_brings_it_back(free):
    one = crewed()
    with pytest.raises(Silent):
        one.run([free.wait])
    assert one.run([lambda: 1], though_out=True) == [1]
    assert one.run([lambda: 2]) == [2]


def test_a_refusal_that_says_nothing_of_the_whole_does_not_put_it_out():
    def refuse():
        raise KeyUnavailable("This one may not.")

    one = crewed()
    with pytest.raises(KeyUnavailable, match="may not"):
        one.run([refuse])
    assert one.run([lambda: 1]) == [1]


def test_a_bug_in_a_call_is_raised_as_it_is_and_the_thread_goes_on():
    one = crewed(threads=1)
    with pytest.raises(ZeroDivisionError):
        one.run([lambda: 1 // 0])
    assert one.run([lambda: 1]) == [1]


def test_nothing_is_started_before_it_is_needed_and_nothing_stays_afterwards():
    before = set(threading.enumerate())
    one = crewed(threads=3)
    assert one.run([]) == []
    assert set(threading.enumerate()) <= before
    one.run([lambda: 1])
    assert len(set(threading.enumerate()) - before) == 3
    del one
    gc.collect()
    until = time.monotonic() + 5
    while set(threading.enumerate()) - before:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_no_answer_stays_with_a_thread_until_the_next_call():
    class Answer:
        """Something that may be weakly referred to."""

    import weakref

    one = crewed(threads=1)
    (answer,) = one.run([Answer])
    gone = weakref.ref(answer)
    del answer
    gc.collect()
    assert gone() is None
