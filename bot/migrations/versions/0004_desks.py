"""Desks on platforms: what was written there, and how far each thread was told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
WAITING = sa.text("outcome = ''")
LIVE = sa.text("live")


def upgrade() -> None:
    """Add what handoff/desks keeps."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("desk_place", sa.Column("shown", JSON, server_default="{}", nullable=False))
    op.add_column("desk_place", sa.Column("live", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.create_index("ix_desk_place_live", "desk_place", ["channel"], sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_table(
        "desk_word",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("thread", sa.String(255), nullable=False),
        sa.Column("sender", sa.String(255), nullable=False),
        sa.Column("native", sa.String(255), nullable=False),
        sa.Column("body", JSON, server_default="{}", nullable=False),
        sa.Column("outcome", sa.String(20), server_default="", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("ready_at", sa.Double(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.UniqueConstraint("channel", "key", name="uq_desk_word_channel_key"),
    )
    op.create_index("ix_desk_word_native", "desk_word", ["channel", "native"])
    op.create_index(
        "ix_desk_word_waiting", "desk_word", ["channel", "id"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
