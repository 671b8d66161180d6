"""Reads and writes the first sheet of an XLSX workbook: rows of text, the first of which names the columns."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from defusedxml.ElementTree import iterparse

LARGEST = 50_000_000  # bytes of a sheet that are unpacked
CELL = 32_767  # characters a cell of a spreadsheet can hold

_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {  # what makes one sheet a workbook; its only style wraps lines
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="FAQ" sheetId="1" '
    'r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{_OFFICE}/styles" '
    'Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font>'
    '</fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def read(file: Path) -> Iterable[Mapping[str, str]]:
    """Its rows by the names of the columns. Raises ValueError and what ``zipfile`` and the XML parser raise."""
    with zipfile.ZipFile(file) as book:
        names = book.namelist()
        shared = _texts(book, "xl/sharedStrings.xml", "si") if "xl/sharedStrings.xml" in names else []
        sheets = [name for name in names if name.startswith("xl/worksheets/sheet")]
        if not sheets:
            raise ValueError("holds no sheet")
        rows = [_cells(row, shared) for row in _elements(book, min(sheets), "row")]
    heads = rows[0] if rows else {}
    return [{heads[c]: text for c, text in row.items() if c in heads} for row in rows[1:]]


def _elements(book: zipfile.ZipFile, name: str, tag: str) -> Iterator[Any]:
    if book.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} is larger than {LARGEST // 1_000_000} MB")
    with book.open(name) as stream:
        for _, element in iterparse(stream):
            if element.tag == f"{{{_MAIN}}}{tag}":
                yield element


def _texts(book: zipfile.ZipFile, name: str, tag: str) -> list[str]:
    return ["".join(t.text or "" for t in element.iter(f"{{{_MAIN}}}t")) for element in _elements(book, name, tag)]


def _cells(row: Any, shared: list[str]) -> dict[str, str]:
    cells = {}
    for cell in row.iter(f"{{{_MAIN}}}c"):
        value = cell.find(f"{{{_MAIN}}}v")
        text = "".join(t.text or "" for t in cell.iter(f"{{{_MAIN}}}t")) if value is None else value.text or ""
        if cell.get("t") == "s" and not (text.isdecimal() and int(text) < len(shared)):
            raise ValueError(f"the cell {cell.get('r', '')} names a text that is not there")
        cells[re.sub(r"\d", "", cell.get("r", ""))] = shared[int(text)] if cell.get("t") == "s" else text
    return cells


def write(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """A workbook; all cells are text, so that nothing runs as a formula. Raises ValueError if one is too long."""
    widths = "".join(f'<col min="{n}" max="{n}" width="{60 if n > 3 else 20}" customWidth="1"/>' for n in range(1, 6))
    lines = [
        _row(n, [row[c] for c in columns]) for n, row in enumerate([dict(zip(columns, columns, strict=True)), *rows], 1)
    ]
    sheet = f'<worksheet xmlns="{_MAIN}"><cols>{widths}</cols><sheetData>{"".join(lines)}</sheetData></worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            about = zipfile.ZipInfo(name)  # without the time: the same answers make the same file
            book.writestr(
                about, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{content}', zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


def _row(number: int, cells: Sequence[str]) -> str:
    if long := next((text for text in cells if len(text) > CELL), ""):
        raise ValueError(f"“{long[:40]}…” has {len(long)} characters, a cell holds {CELL}; take another format")
    written = (
        f'<c r="{chr(ord("A") + at)}{number}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        for at, text in enumerate(cells)
    )
    return f'<row r="{number}">{"".join(written)}</row>'
