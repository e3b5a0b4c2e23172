"""Public vectors of tlog-proofs: three to write, eight to refuse."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from domain.errors import Malformed
from vault.audit import proof

PATH = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "notes" / "formats_tlog_proof.json"


def vectors():
    if not PATH.exists():
        pytest.skip(f"the public vectors are not beside the repository: {PATH.name}")
    return json.loads(PATH.read_text())


def test_proofs_are_written_and_read_as_published():
    cases = vectors()["marshal"]
    for case in cases:
        made = proof.LogProof(
            index=case["index"],
            hashes=tuple(b64decode(item) for item in case["hashes_base64"]),
            checkpoint=case["checkpoint"],
            extra=b64decode(case.get("extra_base64", "")),
        )
        assert made.text == case["want"], case["name"]
        assert proof.read_proof(case["want"].encode()) == made, case["name"]
    assert len(cases) == 3


def test_malformed_proofs_are_refused_as_published():
    cases = vectors()["unmarshal_errors"]
    for case in cases:
        parts = case.get("proof_template")
        text = case["proof"] if parts is None else parts["head"] + parts["repeat"] * parts["times"] + parts["tail"]
        with pytest.raises(Malformed):
            proof.read_proof(text.encode())
    assert len(cases) == 8
