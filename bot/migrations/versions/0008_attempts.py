"""The attempt that is under way is counted in the chat's row, which is written anyway."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add what bot/lanes.py counts."""
    op.add_column("chat", sa.Column("trying", sa.BigInteger(), nullable=True))
    op.add_column("chat", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
