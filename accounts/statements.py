"""Read SQL statements from files of their own, once, for composition with `psycopg.sql`."""

import re
from pathlib import Path

from psycopg.sql import SQL

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]*--.*$", re.MULTILINE)
_EMPTY = re.compile(r"\n\s*\n")


def statements(module: str) -> dict[str, SQL]:
    """Return the SQL statements and fragments in the file beside a module (`__file__`), by the name in the
    line `-- name: NAME` before each. Words in braces are for `SQL.format`; comments are left out."""
    _, *parts = _NAME.split(Path(module).with_suffix(".sql").read_text())
    return {
        name: SQL(_EMPTY.sub("\n", _COMMENT.sub("", text)).strip("\n"))
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
