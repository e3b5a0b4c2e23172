"""A real browser opens our pages: they run under their policies, ask nobody else, and show what they should."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.journeys.commands import run, started
from tests.vault.statements.conftest import AUDIENCE, NONCE, Scene

PATIENCE = 40
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
ASK = """
(token) => {
  document.getElementById("token").value = token;
  document.getElementById("who").requestSubmit();
}
"""
RUN = "(document.querySelector('.graphiql-execute-button') || {click() {}}).click()"
SHOWN = "(document.querySelector('.result-window') || {}).innerText || ''"


class Page:
    """A page in a browser, driven by its own protocol; what the browser tells meanwhile is kept."""

    def __init__(self, wire):
        self._wire = wire
        self._numbers = count(1)
        self.told = []

    def do(self, method, **parameters):
        """What the browser answers to one command."""
        number = next(self._numbers)
        self._wire.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._wire.recv(timeout=PATIENCE))
            if said.get("id") == number:
                assert "error" not in said, said
                return said["result"]
            self.told.append(said)

    def value(self, expression):
        """The value of an expression in the page."""
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression, holds):
        """The value of an expression once it holds."""
        end = time.monotonic() + PATIENCE
        while not holds(found := self.value(expression) or ""):
            assert time.monotonic() < end, found
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """A running demo with the page, as it tells itself."""
    folder = tmp_path_factory.mktemp("ide")
    try:
        run("ide", folder)
    except AssertionError:
        pytest.skip("The files of the page cannot be fetched.")
    running = started("demo", "--port", "0", "--json", CREDENCE_IDE=str(folder))
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)


@pytest.fixture
def page(tmp_path):
    """A page of headless Chromium."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("Chromium is not there.")
    words = [browser, *OPTIONS, f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", "about:blank"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(tmp_path / "DevToolsActivePort"), max_size=None) as wire:
            yield Page(wire)
    finally:
        running.terminate()
        running.wait(timeout=30)


def _address(told: Path) -> str:
    """Where the browser listens, which it writes into a file, and a new page of it."""
    end = time.monotonic() + PATIENCE
    while not told.exists() or not told.read_text().strip():
        assert time.monotonic() < end, "the browser does not start"
        time.sleep(0.1)
    port = told.read_text().split()[0]
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 - the browser that was started here
        return json.load(answer)["webSocketDebuggerUrl"]


def test_the_page_that_verifies_shows_a_verdict_by_keyboard_and_asks_nobody(demo, page):
    """A statement of a scene, whose keys stand in for the company's: what is judged is the page, not the demo."""
    scene, now = Scene(), datetime.now(UTC)
    text = scene.issued(issued_at=now, expires_at=now + timedelta(days=1))
    given = {
        "statement": scene.shown(text=text, now=int(now.timestamp())),
        "keys": json.dumps({"statements": scene.issuer.metadata()}),
        "status": scene.listed(issued=int(now.timestamp())),
        "audience": AUDIENCE,
        "nonce": NONCE,
    }
    for domain in ("Page", "Runtime", "Network", "Log"):
        page.do(f"{domain}.enable")
    page.do("Page.navigate", url=demo["url"] + "/statement")
    page.until("document.readyState", "complete".__eq__)
    for id_, value in given.items():
        page.value(f"document.getElementById({json.dumps(id_)}).value = {json.dumps(value)}; 1")
    page.value("document.getElementById('nonce').focus(); 1")
    for kind in ("keyDown", "keyUp"):
        page.do("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    assert "True" in page.until("document.getElementById('headline').textContent", bool)
    assert "Grade at least B" in page.value("document.getElementById('claims').textContent")
    assert page.value("document.activeElement.id") == "verdict"
    assert len(base64.b64decode(page.do("Page.captureScreenshot")["data"])) > 10_000
    assert base64.b64decode(page.do("Page.printToPDF")["data"]).startswith(b"%PDF")
    asked = [said["params"]["request"] for said in page.told if said["method"] == "Network.requestWillBeSent"]
    assert {one["method"] for one in asked} == {"GET"}
    assert [one["url"] for one in asked if not one["url"].startswith(demo["url"] + "/")] == []
    logged = [said["params"]["entry"]["text"] for said in page.told if said["method"] == "Log.entryAdded"]
    assert [text for text in logged if "Content Security Policy" in text or "Trusted" in text] == []


def changed(text):
    """A statement with a letter of its signature changed, so that it stays in its form."""
    at = text.index("~") - 10
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("expired", "EXPIRED"),
        ("revoked", "REVOKED"),
        ("altered", "BAD_SIGNATURE"),
        ("no list", ""),
        ("another company", "UNKNOWN_ISSUER"),
    ],
)
def test_the_page_tells_what_is_over_taken_back_changed_or_not_known_apart(demo, page, case, reason):
    scene, now = Scene(), datetime.now(UTC)
    begins, lasts = (now - timedelta(days=2), 1) if case == "expired" else (now - timedelta(minutes=1), 2)
    text = scene.issued(issued_at=begins, expires_at=begins + timedelta(days=lasts))
    shown = scene.shown(text=text, now=int(begins.timestamp()))
    keys = scene.issuer.metadata() | ({"issuer": "https://other.example/te_1"} if case == "another company" else {})
    given = {
        "statement": changed(shown) if case == "altered" else shown,
        "keys": json.dumps({"statements": keys}),
        "status": ""
        if case == "no list"
        else scene.listed(*([77] if case == "revoked" else []), issued=int(now.timestamp())),
        "audience": AUDIENCE,
        "nonce": NONCE,
    }
    for domain in ("Page", "Runtime"):
        page.do(f"{domain}.enable")
    page.do("Page.navigate", url=demo["url"] + "/statement")
    page.until("document.readyState", "complete".__eq__)
    for id_, value in given.items():
        page.value(f"document.getElementById({json.dumps(id_)}).value = {json.dumps(value)}; 1")
    page.value("document.querySelector('#ask button').click(); 1")
    headline = page.until("document.getElementById('headline').textContent", bool)
    whole = page.value("document.getElementById('verdict').innerText")
    assert len(base64.b64decode(page.do("Page.captureScreenshot")["data"])) > 10_000
    if reason:
        assert "True" not in headline
        assert reason in whole
        assert page.value("document.getElementById('claims').textContent") == ""
    else:
        assert "True" in headline
        assert "revoked" in whole.lower()
        assert "REVOKED" not in whole


def test_the_page_for_exploring_shows_an_answer_and_asks_nobody_else(explored, page):
    for domain in ("Page", "Runtime", "Network", "Log"):
        page.do(f"{domain}.enable")
    page.do("Page.navigate", url=explored["url"] + "/graphql")
    page.until("typeof GraphiQL + !!document.querySelector('.graphiql-execute-button')", "functiontrue".__eq__)
    page.value(f"({ASK})({json.dumps(explored['tokens']['auditor'])})")
    page.until("!!document.querySelector('.graphiql-execute-button')", bool)
    page.value(RUN)
    shown = page.until(SHOWN, lambda text: "totalCount" in text or "errors" in text)
    assert "totalCount" in shown
    asked = [said["params"]["request"]["url"] for said in page.told if said["method"] == "Network.requestWillBeSent"]
    foreign = [url for url in asked if not url.startswith((explored["url"], "data:", "blob:", "about:"))]
    assert asked
    assert foreign == []
    logged = [said["params"]["entry"]["text"] for said in page.told if said["method"] == "Log.entryAdded"]
    assert [text for text in logged if "Content Security Policy" in text] == []
