"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.store import guards
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """A new table gets its guards here."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """There is no way back: it would delete what may only be added to."""
    raise RuntimeError("Revisions only lead forward: restore a backup instead.")
