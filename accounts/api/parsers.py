"""Parse JSON requests."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from accounts.domain.errors import invalid

DEEPEST = 20
# More than any field of ours takes, so that what costs nothing to send costs nothing to refuse:
# entries of one list or object, and all values of a body.
MOST_ENTRIES, MOST_VALUES = 1_000, 20_000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """Parses JSON according to RFC 8259, in UTF-8 and no larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`. It
    refuses the two kinds of character that the database cannot store: NUL and lone surrogates."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # Django checks the size where the body is read whole.
        raw = (parser_context or {})["request"].body
        try:
            data = json.loads(
                raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"), parse_constant=_refuse_constant
            )
            _inspect(data)
        except RecursionError:
            raise ParseError("it is nested too deeply") from None
        except ValueError as error:
            raise ParseError(str(error)) from None
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _inspect(data: Any) -> None:
    """Raise `ValueError` for deeper nesting than any request needs and for characters that cannot be stored;
    `Invalid` for more entries or values than any field takes."""
    level, depth, values = [data], 0, 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if _UNSTORABLE.search(item):
                    raise ValueError("it has a character that cannot be stored")
            elif isinstance(item, dict | list):
                if len(item) > MOST_ENTRIES:
                    raise invalid("", "too-many", most=MOST_ENTRIES)
                values += len(item)
                if values > MOST_VALUES:
                    raise invalid("", "too-many-values", most=MOST_VALUES)
                deeper += [*item, *item.values()] if isinstance(item, dict) else item
        level = deeper
