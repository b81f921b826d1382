"""Write the archive of a person's own data: a ZIP with everything as JSON, and each table as CSV too."""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from accounts.letters.words import site_name
from instruments.reading.domain.delimited import text_cell

README = """\
What {site} keeps about {email}, as of {now}.

data.json    everything, one list of records a table
*.csv        the same, one file a table, UTF-8 with a byte order mark for spreadsheets

Instants are UTC; amounts are decimal numbers in the currency beside them. Neither your password
nor a token is here: the platform has only digests of them, which open nothing.
"""


def archive_write(
    out: BinaryIO, tables: Mapping[str, Sequence[Mapping[str, Any]]], *, email: str, now: datetime
) -> None:
    """Write the ZIP of a person's tables to a file."""
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(site=site_name(), email=email, now=_plain(now)))
        entry = ZipInfo("data.json", now.timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        with archive.open(entry, "w") as data:
            text = json.JSONEncoder(ensure_ascii=False, indent=1, default=_plain)
            for part in text.iterencode(dict(tables)):
                data.write(part.encode())
        for name, rows in tables.items():
            if rows:
                archive.writestr(f"{name}.csv", _csv(rows).encode("utf-8-sig"))


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return text_cell(value)
        case bool():
            return str(value).lower()
        case dict() | list():
            return text_cell(json.dumps(value, ensure_ascii=False, default=_plain))
        case _:
            return str(_plain(value))


def _plain(value: Any) -> str:
    """Return a value as the API writes it: instants, days, ids and decimal numbers become texts."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else str(value)
