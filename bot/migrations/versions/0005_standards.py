"""Service standards: what is promised on a ticket, and with whose authority an alarm is to be seen to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    """Add what handoff/standards.py and its alarms keep."""
    op.add_column("ticket", sa.Column("clocks", JSON, server_default="{}", nullable=False))
    op.add_column("alarm", sa.Column("role", sa.String(12), server_default="", nullable=False))
    op.add_column("alarm", sa.Column("ticket_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_alarm_ticket_id", "alarm", ["ticket_id"])


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
