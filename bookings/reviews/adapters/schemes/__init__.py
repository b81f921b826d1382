"""Review schemes as files: those that come with the platform, and a region's own.

A file is one JSON object with the columns of `ReviewScheme`; amounts are texts. Values that the rules of the
place do not state are null, and `source` says where the others were read.
"""

import json
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
    """Return the scheme in a file. Raise `Invalid` (`not-a-scheme`) if it is not a JSON object, or an amount
    is malformed."""
    try:
        row = json.loads(text)
        amounts = {name: row[name] and Decimal(row[name]) for name in _AMOUNTS}
    except (ValueError, KeyError, TypeError, InvalidOperation):
        raise invalid("file", "not-a-scheme") from None
    return {**row, **amounts}
