"""What colleagues note of a customer."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the notes of customers."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "customer_note",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("customer_id", number, nullable=False),
        sa.Column("agent_id", number, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_note_customer_id"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_customer_note_agent_id"),
    )
    op.create_index("ix_customer_note_customer_id", "customer_note", ["customer_id"])


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
