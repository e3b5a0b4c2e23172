"""Clairvoyance, which recovers a schema from refusals, is given our own names to guess from and recovers none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from graphql import build_schema, is_object_type

from tests.judges.programs import SCHEMA

PROGRAM = "clairvoyance==2.5.5"
SECONDS = 60
"""How long it may guess."""
DECOYS = ("guess", "users", "password", "zz")


@pytest.fixture(scope="module")
def clairvoyance(tmp_path_factory):
    """The program, in a venv of its own: it wants older packages than ours."""
    folder = tmp_path_factory.mktemp("clairvoyance")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    pip = [folder / "bin" / "pip", "install", "--quiet", "--retries", "1", "--timeout", "10", PROGRAM]
    if subprocess.run(pip, check=False, capture_output=True).returncode:
        pytest.skip(f"PyPI does not deliver {PROGRAM}.")
    return folder / "bin" / "clairvoyance"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A list of words: every field of our roots and of the records they lead to, and some that are none of ours."""
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
    roots = {*schema.query_type.fields, *schema.mutation_type.fields, *schema.subscription_type.fields}
    types = [schema.type_map[name] for name in ("CreditFile", "AuditEntry", "Me")]
    deeper = {name for type_ in types if is_object_type(type_) for name in type_.fields}
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(sorted({*roots, *deeper, *DECOYS})), encoding="utf-8")
    return path


def recovered(program, names, demo, role, kind, found):
    """The fields that are recovered with a role's token, with their types."""
    words = [program, "-H", f"Authorization: Bearer {demo['tokens'][role]}", "-c", "4", "-m", "2"]
    words += ["-w", names, "-d", f"{kind} {{ FUZZ }}", "-o", found, f"{demo['url']}/graphql"]
    try:
        subprocess.run(words, check=False, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"Clairvoyance had not ended after {SECONDS} seconds.")
    told = json.loads(found.read_text(encoding="utf-8")) if found.exists() else {}
    types = told.get("data", {}).get("__schema", {}).get("types", [])
    return {(type_["name"], field["name"]) for type_ in types for field in type_.get("fields") or []}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["query", "mutation", "subscription"])
def test_no_field_is_recovered_by_who_may_not_read_the_schema(clairvoyance, names, demo, tmp_path, kind):
    # A customer: a partner, who may not either, proves its key anew for each request, which the program cannot.
    assert not recovered(clairvoyance, names, demo, "customer_self", kind, tmp_path / "schema.json")


@pytest.mark.timeout(180)
def test_fields_are_recovered_by_who_may_read_the_schema_so_the_judge_can_see(clairvoyance, demo, tmp_path):
    names = tmp_path / "words.txt"
    names.write_text("\n".join(("creditFiles", "consents", *DECOYS)), encoding="utf-8")
    found = recovered(clairvoyance, names, demo, "auditor", "query", tmp_path / "schema.json")
    assert ("Query", "creditFiles") in found
    assert not {name for _, name in found} & set(DECOYS)
