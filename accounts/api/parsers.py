"""Reading JSON out of requests."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

DEEPEST = 20
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it, no larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`, in UTF-8, without
    the two kinds of character that a database cannot store (NUL, half a surrogate pair)."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # Django checks the size where the body is read whole.
        raw = (parser_context or {})["request"].body
        try:
            data = json.loads(
                raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"),
                parse_constant=_refuse_constant,
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
    """`ValueError` for nesting that nothing of ours has, and for characters nothing can store."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if _UNSTORABLE.search(item):
                    raise ValueError("it has a character that cannot be stored")
            elif isinstance(item, dict):
                deeper += [*item, *item.values()]
            elif isinstance(item, list):
                deeper += item
        level = deeper
