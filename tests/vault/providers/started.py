"""Providers as fixtures, started for real where they are installed; absent ones skip, and say what is missing."""

from __future__ import annotations

import pytest

from tests.vault.providers import kept
from vault.providers import chosen

KINDS = ("file", "sealed", "pkcs11", "transit", "awskms")


@pytest.fixture(scope="session")
def tokens(tmp_path_factory):
    """A folder of tokens."""
    return kept.Tokens(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="session")
def bao(tmp_path_factory):
    """A server with a transit engine."""
    server = kept.Bao(tmp_path_factory.mktemp("bao"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto():
    """A stand-in for AWS."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    server = kept.Moto()
    yield server
    server.stop()


@pytest.fixture
def made(request, tmp_path):
    """Makes a provider of a kind, with no root yet."""
    with_server = {"pkcs11": ("tokens", kept.Hsm), "transit": ("bao", kept.Transit), "awskms": ("moto", kept.Kms)}
    begun = []

    def make(kind):
        folder = tmp_path / f"{kind}-{len(begun)}"
        folder.mkdir()
        if kind in with_server:
            name, cls = with_server[kind]
            begun.append(cls(folder, request.getfixturevalue(name)))
        else:
            begun.append({"file": kept.File, "sealed": kept.SealedFile}[kind](folder))
        return begun[-1]

    yield make
    for one in begun:
        one.close()


@pytest.fixture(params=KINDS)
def keeper(request, made):
    """A provider of each kind in turn, with its first root."""
    one = made(request.param)
    place = chosen.place(one.written)
    assert place.bare()
    place.found(1)
    assert not place.bare()
    one.learn()
    return one


@pytest.fixture
def provider(keeper):
    """The provider itself."""
    return keeper.provider()
