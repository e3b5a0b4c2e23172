"""Public vectors of RFC 6962 trees: reference hashes, inclusion and consistency proofs, good and bad."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from vault.audit import merkle

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "merkle"


def vectors(name):
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the public vectors are not beside the repository: {path.name}")
    return json.loads(path.read_text())


def hashes(case):
    return [b64decode(item) for item in case["proof"] or ()]


def test_every_inclusion_proof_is_accepted_or_refused_as_published():
    cases = vectors("inclusion")
    verdicts = {
        name: merkle.verify_inclusion(
            case["leafIdx"], case["treeSize"], b64decode(case["leafHash"] or ""), hashes(case), b64decode(case["root"])
        )
        for name, case in cases.items()
    }
    assert verdicts == {name: not case["wantErr"] for name, case in cases.items()}
    assert (len(verdicts), sum(verdicts.values())) == (98, 6)


def test_every_consistency_proof_is_accepted_or_refused_as_published():
    cases = vectors("consistency")
    verdicts = {
        name: merkle.verify_consistency(
            case["size1"], case["size2"], hashes(case), b64decode(case["root1"]), b64decode(case["root2"])
        )
        for name, case in cases.items()
    }
    assert verdicts == {name: not case["wantErr"] for name, case in cases.items()}
    assert (len(verdicts), sum(verdicts.values())) == (98, 6)
    assert verdicts["additional/sizes-are-equal-zero-and-proof-is-empty.json"] is False


def test_leaves_nodes_and_roots_are_those_of_the_reference_tree():
    reference = vectors("rfc6962_reference")
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in reference["leaf_inputs_hex"]]
    nodes = merkle.nodes_over(leaves)
    for level, expected in enumerate(reference["node_hashes_hex_by_level"]):
        assert [nodes(level, index).hex() for index in range(len(expected))] == expected
    assert [merkle.root_of(leaves[:size]).hex() for size in range(9)] == reference["root_hashes_hex_by_size"]


def test_every_inclusion_in_a_subtree_is_accepted_or_refused_as_published():
    cases = vectors("subtree_inclusion")
    verdicts = {
        name: merkle.verify_subtree_inclusion(
            case["leafIdx"],
            case["start"],
            case["end"],
            b64decode(case["leafHash"] or ""),
            hashes(case),
            b64decode(case["root"] or ""),
        )
        for name, case in cases.items()
    }
    assert verdicts == {name: not case["wantErr"] for name, case in cases.items()}
    assert len(cases) == 204


def test_every_consistency_of_a_subtree_is_accepted_or_refused_as_published():
    cases = vectors("subtree_consistency")
    verdicts = {
        name: merkle.verify_subtree_consistency(
            case["start"],
            case["end"],
            case["size"],
            hashes(case),
            b64decode(case["root1"] or ""),
            b64decode(case["root2"] or ""),
        )
        for name, case in cases.items()
    }
    assert verdicts == {name: not case["wantErr"] for name, case in cases.items()}
    assert len(cases) == 118
