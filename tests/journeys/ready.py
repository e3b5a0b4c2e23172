"""A process in which the command is imported already; each run is a fork of it, in an environment of its own.

Starting an interpreter and importing the product takes longer than most commands do. What is imported, and when, is
seen by the tests that start the command as people do.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache

LONGEST = 1 << 18
"""How long a request may be."""


class Ready:
    """The waiting process, as the tests have it."""

    def __init__(self, code, environment):
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._requests = own
        with theirs:
            words = [sys.executable, "-c", code, str(theirs.fileno())]
            self._process = subprocess.Popen(words, env=environment, pass_fds=[theirs.fileno()])
        atexit.register(self.close)

    def close(self):
        """Lets it end."""
        self._requests.close()
        self._process.wait()

    def run(self, words, environment, timeout):
        """The exit status of a command, and what it wrote to either stream."""
        told, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with told, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with other:
                request = json.dumps({"words": words, "environment": environment}).encode()
                socket.send_fds(self._requests, [request], [out.fileno(), err.fileno(), other.fileno()])
            told.settimeout(timeout)
            pid = int(told.recv(64))
            try:
                status = int(told.recv(64))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
            for stream in (out, err):
                stream.seek(0)
            return status, out.read().decode(), err.read().decode()


@cache
def ready(code, environment):
    """The waiting process of this run of tests; the environment is a tuple of pairs."""
    return Ready(code, dict(environment))


def wait(number):
    """Forks for every request that comes, and returns in the children; the process itself ends here."""
    requests = socket.socket(fileno=int(number))
    running = {}
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj in running:
                    selector.unregister(key.fileobj)
                    _reap(*running.pop(key.fileobj), key.fileobj)
                    continue
                request, fds, _, _ = socket.recv_fds(requests, LONGEST, 3)
                if not request:
                    sys.exit(0)
                out, err, reply = fds
                pid = os.fork()
                if pid == 0:
                    requests.close()
                    _become(**json.loads(request), streams=(out, err))
                    os.close(reply)
                    return
                os.close(out)
                os.close(err)
                os.write(reply, str(pid).encode())
                ended = os.pidfd_open(pid)
                running[ended] = (pid, reply)
                selector.register(ended, selectors.EVENT_READ)


def _reap(pid, reply, ended):
    _, status = os.waitpid(pid, 0)
    os.write(reply, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(reply)
    os.close(ended)


def _become(words, environment, streams):
    """Makes this process what one would be that had just been started."""
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["credence", *words]
