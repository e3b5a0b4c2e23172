"""The page that verifies statements gives, case by case, the verdict of `credence statement verify`."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from api.app import verify_statement
from tests.judges.programs import installed, printed
from tests.vault.statements.conftest import AUDIENCE, NONCE, NOW, SECONDS, Scene
from tests.vault.statements.test_verifying import again, disclosure, spoilt
from vault.statements.reasons import Reason, advice, sentence
from vault.statements.sdjwt import Compact
from vault.statements.verifying import VCT

PAGE = files("api.http") / "statement"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def scene():
    return Scene()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page's own scripts as modules of Node."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not there.")
    made = tmp_path_factory.mktemp("page")
    for name in ("verify", "page"):
        text = (PAGE / f"{name}.js").read_text(encoding="utf-8").replace("./verify.js", "./verify.mjs")
        (made / f"{name}.mjs").write_text(text, encoding="utf-8")
    return made


def case(scene, text=None, *, now=SECONDS, keys=None, **options):
    """What the page is given."""
    told = keys or {"issuer": None, "logs": [], "statements": scene.issuer.metadata()}
    return {"text": scene.text if text is None else text, "keys": told, "options": {"now": now, **options}}


def everything(scene):
    """Good ones, and every way that one can be wrong."""
    shown, whole = scene.shown(), Compact.read(scene.text)
    bound = {"audience": AUDIENCE, "nonce": NONCE}
    yield case(scene)
    yield case(scene, shown, **bound, status=scene.listed(3))
    yield case(scene, scene.text + "\n")
    yield case(scene, now=SECONDS - 2 * DAY)
    yield case(scene, now=SECONDS + 31 * DAY)
    yield case(scene, **bound)
    yield case(scene, shown, audience="x", nonce=NONCE)
    yield case(scene, shown, audience=AUDIENCE, nonce="x")
    yield case(scene, scene.shown(now=SECONDS + DAY))
    yield case(scene, Compact.read(scene.shown("grade")).presented + Compact.read(shown).binding)
    yield case(scene, scene.text + Compact.read(shown).signed)
    for changed in (
        {"header": {"typ": "jwt"}},
        {"header": {"kid": "x"}},
        {"iss": "https://x.example"},
        {"drop": ("exp",)},
        {"drop": ("cnf",)},
        {"exp": "x"},
        {"exp": 1.5},
        {"nbf": SECONDS + DAY},
        {"cnf": {"jwk": {"kty": "oct"}}},
        {"_sd_alg": "md5"},
        {"_sd": "x"},
        {"_sd": []},
        {"grade": "AAA"},
        {"nested": {"_sd": [1]}},
        {"nested": {"...": "x"}},
        {"list": [{"...": "x"}, {"a": 1}, 7]},
    ):
        yield case(scene, again(scene, **changed))
    for added in (disclosure("s", "grade", "A"), "!!", disclosure("s"), whole.disclosures[0]):
        yield case(scene, Compact(whole.signed, (*whole.disclosures, added)).presented)
    for status in (
        scene.listed(77),
        scene.listed(issuer=scene.other),
        scene.listed(number=2),
        scene.listed(issued=SECONDS - DAY),
        scene.listed(issued=SECONDS + DAY),
        scene.listed(size=8),
        "x",
        whole.signed,
    ):
        yield case(scene, status=status)
    for keys in ({}, [], {"issuer": "x", "jwks": {"keys": [{}]}}, {"statements": scene.other.metadata()}):
        yield case(scene, keys=keys)
    for text in ("", "~", "a.b.c~", "é~", "x" * 300_000 + "~", "~" * 1_000):
        yield case(scene, text or " ")
    yield from (case(scene, spoilt(shown, place), **bound) for place in range(0, len(shown), 5))


def python(one):
    """The verdict of the command on the same case."""
    options = one["options"]
    verdict = verify_statement(
        one["text"],
        one["keys"],
        options.get("status"),
        now=NOW + timedelta(seconds=options["now"] - SECONDS),
        audience=options.get("audience"),
        nonce=options.get("nonce"),
    )
    return (verdict.reason.value, None) if verdict.reason else (None, dict(verdict.claims))


def test_the_page_and_the_command_agree_on_every_case(scene, folder):
    cases = list(everything(scene))
    found = printed(folder, "statement.mjs", {"cases": cases})
    assert len(found) == len(cases) > 200
    for one, verdict in zip(cases, found, strict=True):
        reason, claims = python(one)
        assert verdict["reason"] == reason, one
        assert verdict.get("claims") == claims, one
    reasons = {verdict["reason"] for verdict in found}
    assert len(reasons) > 20


def test_the_page_says_each_reason_in_the_words_of_the_command():
    text = (PAGE / "page.js").read_text(encoding="utf-8")
    table = re.findall(r"^  ([A-Z_]+): (\[.*?\]),$", text, re.MULTILINE | re.DOTALL)
    said = {name: json.loads(re.sub(r",\s*\]", "]", pair)) for name, pair in table}
    assert said == {reason.value: [sentence(reason), advice(reason)] for reason in Reason}
    assert VCT in (PAGE / "verify.js").read_text(encoding="utf-8")


def test_the_page_shows_what_is_true_and_why_something_is_not(scene, folder):
    installed(folder, ("jsdom@26.1.0",))
    keys = json.dumps({"statements": scene.issuer.metadata()})
    shown, listed = fresh(scene)
    filled = [
        {"statement": shown, "keys": keys, "status": listed, "audience": AUDIENCE, "nonce": NONCE},
        {"nonce": "another"},
        {"keys": "{"},
    ]
    html = re.sub(r"<script.*?</script>", "", (PAGE / "index.html").read_text(encoding="utf-8"))
    true, replayed, keyless = printed(folder, "statement.mjs", {"page": {"html": html, "filled": filled}})
    assert (true["kind"], true["hidden"]) == ("true", False)
    assert "Grade at least B" in true["claims"]
    assert scene.issuer.name in true["claims"]
    assert (replayed["kind"], replayed["claims"]) == ("untrue", "")
    assert sentence(Reason.WRONG_NONCE) in replayed["why"]
    assert sentence(Reason.UNUSABLE_KEY) in keyless["why"]


def fresh(scene):
    """What is issued, presented and listed now: the page goes by the clock of its machine."""
    now = datetime.now(UTC)
    seconds = int(now.timestamp())
    text = scene.issued(issued_at=now, expires_at=now + timedelta(days=1))
    return scene.shown(text=text, now=seconds), scene.listed(issued=seconds)


def test_the_page_loads_nothing_from_elsewhere_and_writes_no_markup():
    whole = "".join(
        (PAGE / name).read_text(encoding="utf-8") for name in ("index.html", "page.js", "verify.js", "page.css")
    )
    assert re.findall(r"https?://(?!supplier)", whole) == []
    for word in (
        "innerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttpRequest",
        "localStorage",
    ):
        assert word not in whole
    assert re.search(r"\son\w+=", whole.replace("autocomplete", "")) is None
