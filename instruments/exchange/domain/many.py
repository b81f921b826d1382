"""Match files and rows to instruments by inventory number."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from uuid import UUID

from accounts.domain.errors import FieldProblem, invalid
from instruments.reading.domain.delimited import FileRefused, header_name

MOST_PHOTOS = 30  # of one upload
MOST_STATEMENTS = 500  # rows of one table of capabilities
_COUNTER = re.compile(r"^(.+?)-\d{1,2}-?$")
_NUMBER = re.compile(r"[-+]?\d{1,12}(?:\.\d{1,12})?(?:[eE][-+]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True)
class Numbered:
    """An instrument that a number names."""

    id: UUID
    name: str
    name_zh: str


@dataclass(frozen=True)
class PhotoOutcome:
    """The outcome, or expected outcome, of one photo: the instrument that it belongs to, or the reason why it
    is left out."""

    file: str
    instrument: Numbered | None = None
    problem: FieldProblem | None = None


@dataclass(frozen=True)
class StatementOutcome:
    """The outcome, or expected outcome, of one row of a table of capabilities: `result` is added, changed,
    unchanged or refused."""

    line: int
    number: str
    parameter: str
    result: str
    instrument: Numbered | None = None
    problems: tuple[FieldProblem, ...] = ()


def statements_counted(outcomes: Sequence[StatementOutcome]) -> Counter[str]:
    """Count the rows of a table of capabilities by their results."""
    return Counter(outcome.result for outcome in outcomes)


def plain_number(text: str) -> str:
    """Return an inventory number in the form in which numbers are compared: file names cannot hold every
    sign, so whatever is no letter or digit counts as a hyphen."""
    words = re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).casefold())
    return "-".join(filter(None, words))


def numbers_in(file_name: str) -> tuple[str, ...]:
    """Return the numbers, in plain form, that a file name may mean: all of it without its ending, else
    without a counter at its end (`A-1001_2.jpg`, `A-1001 (2).jpg`)."""
    stem = plain_number(PurePosixPath(file_name.replace("\\", "/")).stem)
    counted = _COUNTER.match(stem)
    return (stem, counted[1]) if counted else (stem,) if stem else ()


def numbered(candidates: Sequence[str], known: Mapping[str, Sequence[Numbered]]) -> Numbered:
    """Return the instrument that the first known number names. `Invalid`: no-such-number, or
    number-of-several if several instruments have it."""
    for number in candidates:
        if found := known.get(number):
            if len(found) > 1:
                raise invalid("number", "number-of-several", n=len(found))
            return found[0]
    raise invalid("number", "no-such-number")


# The columns of a table of capabilities, by the names that people give them.
_COLUMNS = {
    "number": (
        "inventory number|inventory_number|inventory no|asset number|number|资产编号|资产编码|固定资产编号|"
        "仪器编号|设备编号|仪器设备编号|编号"
    ),
    "parameter": "parameter|参数|参数名称|指标|指标名称|技术指标",
    "minimum": "minimum|min|from|最小值|下限|最小",
    "maximum": "maximum|max|to|最大值|上限|最大",
    "unit": "unit|单位",
    "condition": "condition|条件",
}
_COLUMN_OF = {word: name for name, words in _COLUMNS.items() for word in words.split("|")}


def statement_columns(header: Sequence[str]) -> dict[str, str]:
    """Return, by field, the columns of a table of capabilities. `FileRefused` (lacks-column) without number
    and parameter."""
    columns: dict[str, str] = {}
    for column in header:
        if name := _COLUMN_OF.get(column):
            columns.setdefault(name, column)
    for name in ("number", "parameter"):
        if name not in columns:
            raise FileRefused("lacks-column", column=_COLUMNS[name].partition("|")[0])
    return columns


def statements_line(lines: Sequence[Sequence[str]]) -> int:
    """Return the line, from 1, of a table of capabilities that names number and parameter; 1 if none does."""
    for number, cells in enumerate(lines, start=1):
        if {"number", "parameter"} <= {_COLUMN_OF.get(header_name(cell)) for cell in cells}:
            return number
    return 1


def decimal_of(field: str, text: str) -> Decimal | None:
    """Read a value of a capability; None for an empty text. `Invalid` (not-a-decimal) otherwise."""
    text = text.strip().replace("−", "-")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise invalid(field, "not-a-decimal")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise invalid(field, "not-a-decimal") from None
