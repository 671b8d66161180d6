"""What tables are written with: the same on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, JSON, BigInteger, CheckConstraint, Column, Index, Integer, MetaData, Table, event, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")


def identifier() -> Column[int]:
    """A number that the database gives."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def only(column: str, *values: str) -> CheckConstraint:
    """The column holds one of these words."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=column)


def open_rows(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that still matter, so that it stays small whatever the history."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def empty(name: str) -> Column[Any]:
    """JSON that starts as ``{}``."""
    return Column(name, Json, nullable=False, server_default="{}")


def many(name: str) -> Column[Any]:
    """JSON that starts as ``[]``."""
    return Column(name, Json, nullable=False, server_default="[]")


def beside(table: Table, dialect: str, *statements: str) -> None:
    """What a new database is given with a table in its own words, after it."""
    for statement in statements:
        made = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", made)
