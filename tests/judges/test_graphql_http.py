"""The published audits of GraphQL over HTTP, run by their own program against a server of ours."""

from __future__ import annotations

from tests.judges.programs import printed

AUDITS = 61
OFF = {"5A70", "D6D5", "6A70"}
"""What a server MAY do, and ours does not: queries by GET would leave personal data in addresses and logs."""


def test_every_audit_passes_but_for_queries_by_get(clients, demo):
    found = printed(clients, "audits.mjs", {"url": demo["url"] + "/graphql", "token": demo["tokens"]["auditor"]})
    assert len(found) == AUDITS
    assert {one["id"] for one in found if one["status"] != "ok"} == OFF
    assert {one["status"] for one in found} == {"ok", "notice"}
