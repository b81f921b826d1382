"""Review schemes as files: those that come with the platform, and a region's own.

A file is one JSON object with the columns of `ReviewScheme`; amounts are texts. Values that the rules of the
place do not state are null, and `source` says where the others were read.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from accounts.domain.errors import invalid

FOLDER = Path(__file__).parent
_AMOUNTS = ("least", "most", "full_percent")


def shipped() -> list[dict[str, Any]]:
    """Return the schemes that come with the platform, by code."""
    return [read(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]


def read(text: str) -> dict[str, Any]:
    """Return the scheme in a file. Raise `Invalid` if it is not JSON, with the line (`not-json`), or not an
    object, or an amount is malformed (`not-a-scheme`)."""
    try:
        row = json.loads(text, parse_constant=_refuse)
        amounts = {name: None if row[name] is None else Decimal(row[name]) for name in _AMOUNTS}
    except json.JSONDecodeError as wrong:
        raise invalid("file", "not-json", line=wrong.lineno, column=wrong.colno) from None
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError):
        raise invalid("file", "not-a-scheme") from None
    return {**row, **amounts}


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def line_of(text: str, column: str) -> int:
    """Return the line of a file on which a column begins, 1 if it is missing."""
    return text[: max(text.find(f'"{column}"'), 0)].count("\n") + 1


def written(values: Mapping[str, Any]) -> str:
    """Return the values of a scheme as the text of a file."""
    stated = {name: values[name] for name in _AMOUNTS if values[name] is not None}
    amounts = {name: format(value.normalize(), "f") for name, value in stated.items()}
    return json.dumps({**values, **amounts}, ensure_ascii=False, indent=2, default=str)
