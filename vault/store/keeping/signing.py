"""The keys that a tenant signs with are replaced inside one transaction: the former is gone when the next one is there.

For the log it holds what the sequencer holds, so that no checkpoint is signed by the former key after the handover.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from domain import ids
from domain.custody.keeping import Replaced, SigningUse, Signs
from vault.audit.handover import hand_over
from vault.audit.note import Checkpoint, Verifier, origin
from vault.providers.port import Purpose
from vault.statements import compact
from vault.statements.publishing import issuer_of, published
from vault.store.ledger.logbook import hold_log, last_range, signer_of
from vault.store.tenantkeys import TenantKeys


class SigningKeys:
    """Replaces the keys that one tenant signs with, in the transaction of a unit."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys) -> None:
        self._connection = connection
        self._keys = keys
        self._tenant = keys.tenant

    def replace(self, use: SigningUse, ended: datetime, *, compromised: bool) -> Replaced | None:
        """Ends a key and makes the next one; the private half of the former is gone with the transaction.

        None where the tenant has no key for this use yet. Raises KeyUnavailable; Tampered.
        """
        hold_log(self._connection, self._tenant)
        self._keys.alone()
        if use is SigningUse.LOG:
            return self._of_log(ended, compromised=compromised)
        return self._of_statements()

    def _of_log(self, ended: datetime, *, compromised: bool) -> Replaced:
        head = last_range(self._connection, self._tenant)
        row = self._keys.ring.mint_signing_key(self._keys.rows[Purpose.KEK])
        with self._keys.signing_key() as old, self._keys.ring.signing_key(row) as new:
            former, following = signer_of(old, self._tenant), signer_of(new, self._tenant)
            state = Checkpoint(origin(self._tenant), head.size, head.root())
            text = hand_over(state, former, following, ended, compromised=compromised)
        self._keys.swap(row)
        return Replaced(former=_pinned(former.verifier()), following=_pinned(following.verifier()), handover=text)

    def _of_statements(self) -> Replaced | None:
        if Purpose.STATEMENT not in self._keys.rows:
            return None
        former = self._of_root()
        self._keys.swap(self._keys.ring.mint_root(Purpose.STATEMENT, self._keys.rows[Purpose.KEK]))
        return Replaced(former=former, following=self._of_root(), handover=None)

    def _of_root(self) -> Signs:
        with self._keys.root_anew(Purpose.STATEMENT) as root:
            issuer = issuer_of(root, ids.raw(self._tenant), self._tenant)
        return Signs(kid=issuer.kid, public=compact.written(published(issuer.key)).decode())


def _pinned(key: Verifier) -> Signs:
    return Signs(kid=f"{key.name}+{key.key_id.hex()}", public=str(key))
