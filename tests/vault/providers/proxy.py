"""A line that misbehaves: it stands before a server and passes on, refuses, says nothing, or says half."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Proxy:
    """Passes bytes to a server on this machine. `how` is `pass`, `refuse`, `silent`, `half` or `trickle`."""

    def __init__(self, port):
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.how = "pass"
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Ends it."""
        self._listening.close()
        self.cut()

    def behave(self, how):
        """Behaves otherwise from now on, and ends what was open."""
        self.how = how
        self.cut()

    def cut(self):
        """Ends every connection."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self):
        while True:
            try:
                came, _ = self._listening.accept()
            except OSError:
                return
            self._open.add(came)
            if self.how == "refuse":
                came.close()
                continue
            threading.Thread(target=self._carry, args=(came,), daemon=True).start()

    def _carry(self, came):
        with contextlib.suppress(OSError), came:
            if self.how == "silent":
                while came.recv(65536):
                    pass
                return
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                self._open.add(server)
                threading.Thread(target=self._upstream, args=(came, server), daemon=True).start()
                while answer := server.recv(65536):
                    if self.how == "half":
                        came.sendall(answer[: len(answer) * 3 // 4])
                        return
                    if self.how == "trickle":
                        for place in range(len(answer)):
                            came.sendall(answer[place : place + 1])
                            time.sleep(0.1)
                        continue
                    came.sendall(answer)

    @staticmethod
    def _upstream(came, server):
        with contextlib.suppress(OSError):
            while asked := came.recv(65536):
                server.sendall(asked)
            server.shutdown(socket.SHUT_WR)
