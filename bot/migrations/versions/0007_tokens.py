"""Tokens of integrations act for an account."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table anew: until now nothing could be in it."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    data = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    op.drop_table("api_token")
    op.create_table(
        "api_token",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("agent_id", number, nullable=False),
        sa.Column("scopes", data, nullable=False, server_default="[]"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double()),
        sa.Column("expires_at", sa.Double()),
        sa.Column("revoked_at", sa.Double()),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_api_token_agent_id"),
        sa.UniqueConstraint("name", name="uq_api_token_name"),
    )
    op.create_index("ix_api_token_agent_id", "api_token", ["agent_id"])


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
