"""Search; the course of a conversation; an audit that can only grow."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COURSE = sa.text("kind IN ('owner', 'closed', 'reopened')")
SQLITE = (
    "CREATE VIRTUAL TABLE search_words USING fts5(words, content='', tokenize=\"unicode61 remove_diacritics 0\")",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END",
    "CREATE TRIGGER audit_is_not_emptied BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END",
)
POSTGRES = (
    "ALTER TABLE search ADD COLUMN words tsvector NOT NULL",
    "CREATE INDEX ix_search_words ON search USING gin (words)",
    "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit only grows'; END $$",
    "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
)


def upgrade() -> None:
    """Make the tables of handoff/search.py, and what the two databases do each in its own way."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "search",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger()),
        sa.Column("ticket_id", sa.BigInteger()),
        sa.UniqueConstraint("kind", "chat_id", "ref", name="uq_search_kind_chat_id_ref"),
    )
    op.create_table(
        "search_progress", sa.Column("name", sa.String(20), primary_key=True), sa.Column("mark", number, nullable=False)
    )
    course = ["conversation_id", "id"]
    op.create_index("ix_fact_course", "fact", course, sqlite_where=COURSE, postgresql_where=COURSE)
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Nothing is taken away: restore a backup instead."""
