"""Every provider of root keys."""

from tests.vault.providers.started import bao, keeper, made, moto, provider, tokens

__all__ = ["bao", "keeper", "made", "moto", "provider", "tokens"]
