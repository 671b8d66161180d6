"""Lists of numbers and names as one parameter, so that a statement's text does not change with their length."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, ColumnElement, String, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Array(TypeDecorator[Any]):
    """A list as one parameter."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """An array, or JSON where there are none."""
        own: TypeEngine[Any] = ARRAY(self.of) if dialect.name == "postgresql" else JSON()
        return own


class _Among(FunctionElement[bool]):
    """``column = ANY(list)``."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Keep it a condition as it stands: for ``… = 1`` no index would serve."""
        return self


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the list given as the parameter ``name``: IN, with one text for all lengths."""
    of = Text() if isinstance(column.type, String) else BigInteger()
    return _Among(column, bindparam(name, type_=_Array(of)))


@compiles(_Among, "postgresql")
def _any(element: Any, compiler: Any, **more: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **more)} = ANY ({compiler.process(values, **more)})"


@compiles(_Among, "sqlite")
def _in(element: Any, compiler: Any, **more: Any) -> str:
    column, values = element.clauses
    one, all_ = compiler.process(column, **more), compiler.process(values, **more)
    return f"{one} IN (SELECT value FROM json_each({all_}))"  # noqa: S608 - both are SQL that SQLAlchemy compiled
