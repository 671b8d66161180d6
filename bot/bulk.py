"""Many rows in one statement whose text hardly ever changes, so that it is prepared once; spoken to the driver itself,
for what a layer does around a statement takes longer than the statement.

PostgreSQL gets an array per column. SQLite gets rows of parameters: it lets go of Python at every statement, and to get
hold of it again takes longer than a row.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Executable,
    String,
    Table,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import await_

Row = Mapping[str, Any]
Take = Callable[[Sequence[Row]], Any]  # a parameter from the rows: the values of a column, for the database
MOST: Final = 64  # rows of one statement on SQLite
ROWS: Final = "(rows)"  # where they stand in its text
_ALL: ColumnElement[bool] = literal_column("true")  # or SQLite takes ON CONFLICT for the ON of a join
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
        self._prepared: dict[str, tuple[str, list[Take], list[Any]]] = {}
        self._texts: dict[int, str] = {}

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write the rows; none is fine."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            self._piecewise(connection, rows)
        else:
            statement, taken, _ = self.prepared(connection.dialect)
            fetch(connection, statement, [take(rows) for take in taken])

    def _piecewise(self, connection: Connection, rows: Sequence[Row]) -> None:
        """By 64, 32, 16 … rows: of so few texts all stay prepared."""
        statement, taken, constants = self.prepared(connection.dialect)
        values = list(chain.from_iterable(zip(*(take(rows) for take in taken), strict=True)))
        execute, wide, done = _driver(connection).execute, len(taken), 0
        while left := len(rows) - done:
            many = min(MOST, 1 << left.bit_length() - 1)
            text = self._texts.get(many)
            if text is None:
                row = f"({', '.join('?' * wide)})"
                text = self._texts[many] = statement.replace(ROWS, ", ".join([row] * many))
            execute(text, values[done * wide : (done + many) * wide] + constants)
            done += many

    def prepared(self, dialect: Any) -> tuple[str, list[Take], list[Any]]:
        """The statement, how its parameters are taken from the rows, and those after them that are always the same."""
        return self._prepared.get(dialect.name) or self._prepare(dialect)

    def _prepare(self, dialect: Any) -> tuple[str, list[Take], list[Any]]:
        types = {name: _type(its, dialect) for name, its in self._columns.items()}
        taken = {name: _taken(name, type_, dialect) for name, type_ in types.items()}
        constants = []
        if dialect.name == "sqlite":
            compiled: Any = self._compiled(table("new", *map(column, types)).c, dialect)
            statement = f"WITH new ({', '.join(types)}) AS (VALUES {ROWS}) {compiled}"
            constants = [compiled.params[name] for name in compiled.positiontup]
        else:
            arrays = [func.unnest(bindparam(name, type_=ARRAY(type_))).label(name) for name, type_ in types.items()]
            compiled = self._compiled(select(*arrays).subquery("new").c, dialect)
            taken = {name: taken.get(name) or _always(compiled.params[name]) for name in compiled.positiontup}
            statement = str(compiled)
        self._prepared[dialect.name] = prepared = (statement, list(taken.values()), constants)
        return prepared

    def _compiled(self, new: Any, dialect: Any) -> Any:
        return self._write(new).compile(dialect=dialect)  # type: ignore[attr-defined]


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
            self._statement = _joined([statement for statement, *_ in prepared])
        values = [take(its) for (_, taken, _), its in zip(prepared, rows, strict=True) for take in taken]
        fetch(connection, self._statement, values)


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
        rows = fetch(connection, sql, given)
        if not rows:
            return []
        made = self._made.get(dialect.name) or self._make(connection, sql)
        return [made(row) for row in rows]

    def _prepare(self, dialect: Any) -> Any:
        compiled: Any = self._statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        processors = compiled._bind_processors
        taken = [_given(compiled.binds[name], processors.get(name)) for name in compiled.positiontup]
        self._prepared[dialect.name] = prepared = (str(compiled), taken)
        return prepared

    def _make(self, connection: Connection, sql: str) -> Callable[[Sequence[Any]], Any]:
        """How a row of ours is made from the driver's."""
        dialect = connection.dialect
        columns = self._statement.compile(dialect=dialect)._result_columns  # type: ignore[attr-defined]
        row: Any = namedtuple("Row", [column.keyname for column in columns])  # type: ignore[misc]
        kinds = zip(columns, _kinds(connection, sql, len(columns)), strict=True)
        found = [column.type.dialect_impl(dialect).result_processor(dialect, kind) for column, kind in kinds]
        processed = [(n, process) for n, process in enumerate(found) if process]

        def made(values: Sequence[Any]) -> Any:
            own = list(values)
            for n, process in processed:
                own[n] = process(own[n])
            return row._make(own)

        self._made[dialect.name] = making = made if processed else row._make
        return making


def fetch(connection: Connection, sql: str, values: Sequence[Any]) -> Sequence[Any]:
    """The rows of a statement, as the driver gives them; none of a change."""
    driver = _driver(connection)
    if connection.dialect.name == "sqlite":
        rows: Sequence[Any] = driver.execute(sql, values).fetchall()
    else:
        rows = await_(driver.fetch(sql, *values))
    return rows


def _driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


def _kinds(connection: Connection, sql: str, columns: int) -> Sequence[Any]:
    """The driver's names for the types of a result's columns, where it has any."""
    if connection.dialect.name == "sqlite":
        return [None] * columns
    return [its.type.oid for its in await_(_driver(connection).prepare(sql)).get_attributes()]


def _given(parameter: BindParameter[Any], bind: Callable[[Any], Any] | None) -> Callable[[Row], Any]:
    """How a parameter's value is found: among what the caller gives, or in the statement itself."""
    name, own = parameter.key, parameter.effective_value
    if not parameter.required:
        constant = bind(own) if bind else own
        return lambda _: constant
    return (lambda values: bind(values[name])) if bind else (lambda values: values[name])


def inserts(into: Table, columns: str, also: Callable[[Insert], Insert] = lambda one: one) -> Bulk:
    """INSERT of these columns, named in one string; ``also`` adds what to do about conflicts."""
    names = columns.split()
    return Bulk(
        {name: into.c[name] for name in names},
        lambda new: also(insert(into).from_select(names, select(*(new[name] for name in names)).where(_ALL))),
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


def _always(value: Any) -> Take:
    """A value that is part of the statement, such as a state it asks for."""
    return lambda _: value
