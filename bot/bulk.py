"""Many rows in one statement whose text never changes, so that it is prepared once, whatever the number of rows.

PostgreSQL gets an array per column; SQLite, to which a call costs nothing, a tuple per row.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Executable,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

Row = Mapping[str, Any]
_PARAMETER = re.compile(r"\$(\d+)\b")
insert = postgresql_insert  # can say ON CONFLICT; SQLite's compiler renders it just as well


class Bulk:
    """A statement for many rows.

    ``columns`` maps the names of a row's values to the columns whose types they have; ``write`` makes the statement
    from an expression for each of them.
    """

    def __init__(
        self, columns: Mapping[str, Column[Any]], write: Callable[[Mapping[str, ColumnElement[Any]]], Executable]
    ) -> None:
        self._columns, self._write = columns, write
        self._prepared: dict[str, tuple[str, list[Callable[[Sequence[Row]], Any]]]] = {}

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write the rows; none is fine."""
        if not rows:
            return
        dialect = connection.dialect
        statement, parameters = self.prepared(dialect)
        values = tuple(take(rows) for take in parameters)
        if dialect.name == "sqlite":
            _driver(connection).executemany(statement, zip(*values, strict=True))
        else:
            connection.exec_driver_sql(statement, values)

    def prepared(self, dialect: Any) -> tuple[str, list[Callable[[Sequence[Row]], Any]]]:
        """The statement, and how each of its parameters is taken from the rows."""
        return self._prepared.get(dialect.name) or self._prepare(dialect)

    def _prepare(self, dialect: Any) -> Any:
        types = {name: _type(column, dialect) for name, column in self._columns.items()}
        if dialect.name == "sqlite":
            new: Any = {name: bindparam(name, type_=type_) for name, type_ in types.items()}
        else:
            arrays = [func.unnest(bindparam(name, type_=ARRAY(type_))).label(name) for name, type_ in types.items()]
            new = select(*arrays).subquery("new").c
        compiled: Any = self._write(new).compile(dialect=dialect)  # type: ignore[attr-defined]
        taken = [
            _taken(name, types[name], dialect) if name in types else _constant(compiled.params[name], dialect)
            for name in compiled.positiontup
        ]
        self._prepared[dialect.name] = prepared = (str(compiled), taken)
        return prepared


class Together:
    """Statements for many rows that do not look at each other's: to PostgreSQL they go as one, and cost one round trip.

    Called with a connection and the rows of each, in order.
    """

    def __init__(self, *parts: Bulk) -> None:
        self._parts = parts
        self._statement = ""

    def __call__(self, connection: Connection, *rows: Sequence[Row]) -> None:
        """Write the rows; none is fine."""
        given = [(part, its) for part, its in zip(self._parts, rows, strict=True) if its]
        if connection.dialect.name == "sqlite" or len(given) < 2:
            for part, its in given:
                part(connection, its)
            return
        prepared = [part.prepared(connection.dialect) for part in self._parts]
        if not self._statement:
            self._statement = _joined([statement for statement, _ in prepared])
        values = [take(its) for (_, parameters), its in zip(prepared, rows, strict=True) for take in parameters]
        connection.exec_driver_sql(self._statement, tuple(values))


def _joined(statements: Sequence[str]) -> str:
    """One statement that does all of them; their parameters in one row."""
    passed, found = 0, []
    for statement in statements:
        own = {int(n) for n in _PARAMETER.findall(statement)}
        found.append(_PARAMETER.sub(lambda m, before=passed: f"${int(m[1]) + before}", statement))  # type: ignore[misc]
        passed += len(own)
    *first, last = found
    named = ", ".join(f"part{n} AS ({statement} RETURNING 1)" for n, statement in enumerate(first))
    return f"WITH {named} {last}"


class Query:
    """A question, or a change, that is asked again and again: compiled once, its rows made without detours.

    Called with a connection and the values of its parameters; returns the rows, with the columns as attributes.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._prepared: dict[str, tuple[str, list[Callable[[Row], Any]]]] = {}
        self._made: dict[str, Callable[[Sequence[Any]], Any]] = {}

    def __call__(self, connection: Connection, **values: Any) -> list[Any]:
        """Ask."""
        dialect = connection.dialect
        sql, parameters = self._prepared.get(dialect.name) or self._prepare(dialect)
        given = tuple([take(values) for take in parameters])
        if dialect.name == "sqlite":
            cursor: Any = _driver(connection).execute(sql, given)
        else:
            cursor = connection.exec_driver_sql(sql, given).cursor
        if cursor is None or not cursor.description:  # it was a change
            return []
        made = self._made.get(dialect.name) or self._make(dialect, cursor.description)
        rows = [made(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def _prepare(self, dialect: Any) -> Any:
        compiled: Any = self._statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        processors = compiled._bind_processors
        taken = [_given(compiled.binds[name], processors.get(name)) for name in compiled.positiontup]
        self._prepared[dialect.name] = prepared = (str(compiled), taken)
        return prepared

    def _make(self, dialect: Any, description: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
        """How a row of ours is made from the driver's."""
        columns = self._statement.compile(dialect=dialect)._result_columns  # type: ignore[attr-defined]
        row: Any = namedtuple("Row", [column.keyname for column in columns])  # type: ignore[misc]
        kinds = zip(columns, description, strict=True)
        found = [column.type.dialect_impl(dialect).result_processor(dialect, its[1]) for column, its in kinds]
        processed = [(n, process) for n, process in enumerate(found) if process]

        def made(values: Sequence[Any]) -> Any:
            own = list(values)
            for n, process in processed:
                own[n] = process(own[n])
            return row._make(own)

        self._made[dialect.name] = making = made if processed else row._make
        return making


def _driver(connection: Connection) -> Any:
    """The driver's own connection: on SQLite what a layer does around a statement takes longer than the statement."""
    return connection.connection.driver_connection


def _given(parameter: BindParameter[Any], bind: Callable[[Any], Any] | None) -> Callable[[Row], Any]:
    """How a parameter's value is found: among what the caller gives, or in the statement itself."""
    name, own = parameter.key, parameter.effective_value
    if not parameter.required:
        constant = bind(own) if bind else own
        return lambda _: constant
    return (lambda values: bind(values[name])) if bind else (lambda values: values[name])


def inserts(table: Table, columns: str, also: Callable[[Insert], Insert] = lambda one: one) -> Bulk:
    """INSERT of these columns, named in one string; ``also`` adds what to do about conflicts."""
    names = columns.split()
    return Bulk(
        {name: table.c[name] for name in names},
        lambda new: also(insert(table).from_select(names, select(*(new[name] for name in names)))),
    )


def _type(column: Column[Any], dialect: Any) -> TypeEngine[Any]:
    """The column's type on this database; a text is never cut to a column's length, it is refused."""
    own: TypeEngine[Any] = column.type.dialect_impl(dialect)
    return Text() if isinstance(own, String) else own


def _taken(name: str, type_: TypeEngine[Any], dialect: Any) -> Callable[[Sequence[Row]], list[Any]]:
    """How a parameter's values are taken from the rows; None is always NULL, also as JSON."""
    bind = type_.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return lambda rows: [row[name] for row in rows]
    return lambda rows: [None if (value := row[name]) is None else bind(value) for row in rows]


def _constant(value: Any, dialect: Any) -> Callable[[Sequence[Row]], Any]:
    """A value that is part of the statement, such as a state it asks for."""
    return (lambda rows: [value] * len(rows)) if dialect.name == "sqlite" else (lambda _: value)


# ---------------------------------------------------------------- sets of numbers and names


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
        """It is a condition as it stands: as ``… = 1`` no index would serve it."""
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
