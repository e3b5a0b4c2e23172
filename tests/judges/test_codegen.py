"""GraphQL Code Generator makes types of our schema and of a front end's documents, and a strict compiler takes them."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.judges.programs import DOCUMENTS, HERE, SCHEMA, ran

SCALARS = dict.fromkeys(("CurrencyCode", "Date", "DateTime", "Decimal"), "string")
"""As the README says: all of them are text. With strict scalars one that is not named here fails."""
STYLE = {"strictScalars": True, "scalars": SCALARS, "enumsAsTypes": True, "useTypeImports": True}
GENERATED = {
    "schema": str(SCHEMA),
    "documents": [str(DOCUMENTS / "*.graphql")],
    "generates": {
        "generated/types.ts": {"plugins": ["typescript"], "config": STYLE},
        "generated/operations.ts": {"plugins": ["typescript-operations"], "config": STYLE},
        "generated/client/": {
            "preset": "client",
            "presetConfig": {"fragmentMasking": {"unmaskFunctionName": "getFragmentData"}},
            "config": STYLE,
        },
    },
}
STRICT = ("--noEmit", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "false")
MODULES = ("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom")


@pytest.fixture(scope="module")
def generated(tools):
    """The folder with what was generated."""
    (tools / "codegen.json").write_text(json.dumps(GENERATED))
    ended = ran(tools, "node_modules/.bin/graphql-codegen", "--config", "codegen.json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shutil.copy(HERE / "desk.ts", tools / "desk.ts")
    return tools


def compiled(folder, *words):
    """What the compiler has to say."""
    return ran(folder, "node_modules/.bin/tsc", *STRICT, *MODULES, *words).stdout


def test_the_types_of_the_whole_schema_and_of_every_document_compile(generated):
    assert compiled(generated, *(f"generated/{name}.ts" for name in ("types", "operations", "client/index"))) == ""


def test_a_program_over_them_compiles_and_wrong_ones_do_not(generated):
    assert compiled(generated, "desk.ts") == ""
    (generated / "wrong.ts").write_text((generated / "desk.ts").read_text().replace("row.name", "row.nmae"))
    assert "Property 'nmae' does not exist" in compiled(generated, "wrong.ts")
