"""What the pages about identity and access say to do is done, in their order, by the roles they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.settings import load
from tests.journeys.conftest import Installation

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```graphql as (\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ISSUERS = re.compile(r"CREDENCE_ISSUERS='(.*?)'", re.DOTALL)


def id_in(part):
    """The id that an answer shows."""
    if isinstance(part, dict):
        return part.get("id") or next(filter(None, map(id_in, part.values())), None)
    return None


@pytest.mark.parametrize("page", ["identity.md", "access.md"])
def test_what_a_page_asks_is_answered(sqlite_installation, page):
    installation, tenant = sqlite_installation
    clients, found = {}, None
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(blocks) > 4
    for role, text in blocks:
        client = clients.setdefault(role, installation.client(tenant, role))
        answer = client.ask(text, **({"id": found} if "$id" in text else {}))
        assert not any(part["errors"] for part in answer.values() if isinstance(part, dict) and "errors" in part), (
            answer
        )
        found = id_in(answer) or found


@pytest.fixture(scope="module")
def sqlite_installation(migrated_sqlite, tmp_path_factory):
    """An installation over a file, with a company."""
    folder = tmp_path_factory.mktemp("identity")
    (folder / "credence.db").write_bytes(migrated_sqlite.read_bytes())
    running = Installation(f"sqlite:///{folder / 'credence.db'}", folder / "data").start()
    yield running, running.open_tenant("Yunfan Networks")
    running.stop()


def test_the_issuer_of_the_page_is_one_that_can_be_set(tmp_path):
    (text,) = ISSUERS.findall((DOCS / "identity.md").read_text(encoding="utf-8"))
    settings = load({"CREDENCE_ISSUERS": text, "CREDENCE_DATA_DIR": str(tmp_path)})
    (issuer,) = settings.issuers
    assert (issuer.tenant_claim, issuer.mapped) == ("organization", True)
    assert issuer.names == {"yunfan": "te_00000000000000000000000000"}
