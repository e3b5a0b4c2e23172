"""Threads that talk to one provider, so that whoever asks waits a bounded time, however the provider behaves.

A call that does not come back costs a thread and nobody else: who waits for it is refused in time. From then on
everybody is refused at once, while a thread tries now and then whether the provider serves again.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from domain.errors import KeyUnavailable

WAIT_SECONDS: Final = 2.5
"""How long one call may take; less than readiness waits for a part."""
THREADS: Final = 8
REST_SECONDS: Final = 1.0
"""How long a provider that is out is left alone between two tries."""

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    """One call, and what comes of it."""

    call: Callable[[], Any] | None
    put_at: float
    begun_at: float | None = None
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class _Desk:
    """What callers and threads share: the calls that wait, and when one last came to its end."""

    jobs: SimpleQueue[_Job | None] = field(default_factory=SimpleQueue)
    ended_at: float = float("-inf")


class Silent(KeyUnavailable):
    """The provider as a whole does not serve: whoever asks next need not wait to learn it."""


class Crew:
    """Carries out calls to one provider; more than a few are carried out side by side."""

    def __init__(
        self, name: str, probe: Callable[[], object], *, seconds: float = WAIT_SECONDS, threads: int = THREADS
    ) -> None:
        """Takes the name that refusals show, and the call that tells whether the provider serves again."""
        self._name, self._probe = name, probe
        self._seconds, self._threads = seconds, threads
        self._desk = _Desk()
        self._lock = threading.Lock()
        self._begun = False
        self._out: Silent | None = None
        self._tried_at = 0.0
        weakref.finalize(self, _dismiss, self._desk, threads)

    def silent(self, how: str) -> Silent:
        """The provider is out; how that shows."""
        return Silent(
            f"The key provider does not serve: {self._name} {how}.",
            advice="Bring it back, or check CREDENCE_KEYS; `credence keys status` tells when it serves.",
        )

    def run(self, calls: Sequence[Callable[[], T]], *, though_out: bool = False) -> list[T]:
        """What each call returns, in their order; the first that raises ends the rest.

        Raises: Silent when one takes too long, and at once while the provider is known to be out.
        """
        if self._out is not None and not though_out:
            self._try_again()
            raise Silent(self._out.message, advice=self._out.advice)
        jobs = [self._put(call) for call in calls]
        try:
            found = [self._waited(job) for job in jobs]
        except Silent as silent:
            self._tried_at, self._out = time.monotonic(), silent
            raise
        finally:
            for job in jobs:
                job.future.cancel()
        if jobs:
            self._out = None
        return found

    def _waited(self, job: _Job) -> Any:
        """What comes of a call: it may take its time from when it begins, and waits while others come to their ends."""
        while not job.future.done():
            since = max(job.put_at, self._desk.ended_at) if job.begun_at is None else job.begun_at
            left = since + self._seconds - time.monotonic()
            if left <= 0:
                raise self.silent(f"gives no answer within {self._seconds:g} seconds")
            with suppress(TimeoutError):
                return job.future.result(left)
        return job.future.result()

    def _put(self, call: Callable[[], object]) -> _Job:
        with self._lock:
            if not self._begun:
                for number in range(self._threads):
                    name = f"keys-{number}"
                    threading.Thread(target=_serve, args=(self._desk,), name=name, daemon=True).start()
                self._begun = True
        job = _Job(call, time.monotonic())
        self._desk.jobs.put(job)
        return job

    def _try_again(self) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._tried_at < max(REST_SECONDS, self._seconds):
                return
            self._tried_at = now
        self._put(self._tried)

    def _tried(self) -> None:
        self._probe()
        self._out = None


def _serve(desk: _Desk) -> None:
    while (job := desk.jobs.get()) is not None:
        call, job.call = job.call, None
        if call is None or not job.future.set_running_or_notify_cancel():
            continue
        job.begun_at = time.monotonic()
        try:
            job.future.set_result(call())
        except BaseException as failure:  # noqa: BLE001 - whoever waits is told
            job.future.set_exception(failure)
        desk.ended_at = time.monotonic()
        # What was asked and answered may be keys: nothing of it stays until the next call.
        del job, call


def _dismiss(desk: _Desk, threads: int) -> None:
    for _ in range(threads):
        desk.jobs.put(None)
