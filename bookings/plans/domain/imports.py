"""A calendar kept elsewhere: the columns of its table, how a row is read, what becomes of it.

Rules: docs/importing.md, "Bookings". A time is in the time zone of its instrument unless it has an offset;
one that a clock change skips or repeats is refused rather than guessed. A row is recognised by its reference,
its id in the old system, or without one by its content.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import FieldProblem, Invalid, Refused, invalid
from bookings.pricing.domain.quotes import Quote
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from instruments.exchange.domain.fields import clean
from instruments.rates.domain.ratecards import SERVICE_MODES
from instruments.reading.domain.delimited import Cells, FileRefused, RowProblem, header_name

MOST_BYTES = 700_000
MOST_ROWS = 1000
MOST_DAYS = 1461  # days ahead: beyond any horizon that a policy may have
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
_LONGEST = {"reference": 200, "subject": 500, "samples": 500}
_MOST_MINUTES = 366 * 24 * 60
_MOST_SAMPLES = 100_000

SKIP, REFUSE = ON_REFUSED = ("skip", "refuse")

# The names of the columns, in lower case; the first is the one that messages use.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "instrument": (
        *("instrument", "equipment", "resource", "instrument name", "instrument id"),
        *("仪器", "仪器名称", "仪器编号", "设备", "设备名称", "设备编号"),
    ),
    "starts": (
        *("starts", "start", "from", "begin", "begins", "start time"),
        *("开始", "开始时间", "起始时间", "预约开始时间"),
    ),
    "ends": (
        *("ends", "end", "to", "until", "end time"),
        *("结束", "结束时间", "终止时间", "预约结束时间"),
    ),
    "minutes": (
        *("minutes", "duration (minutes)"),
        *("时长", "分钟", "分钟数", "时长(分钟)", "时长（分钟）"),
    ),
    "person": (
        *("person", "mail", "email", "e-mail", "e-mail address", "user"),
        *("使用人", "预约人", "用户", "邮箱", "电子邮箱", "使用人邮箱", "预约人邮箱", "用户邮箱"),
    ),
    "service_mode": ("service mode", "mode", "服务方式"),
    "purpose": ("purpose", "用途"),
    "subject": ("subject", "title", "description", "主题", "内容", "用途说明", "实验内容"),
    "options": ("options", "选项", "附加项目"),
    "samples": ("samples", "样品", "样品说明"),
    "quantity": ("quantity", "number of samples", "样品数", "样品数量"),
    "reference": (
        *("reference", "id", "booking id", "booking number"),
        *("编号", "预约编号", "预约号", "预约单号"),
    ),
}  # fmt: skip
_FIELDS = {name: field for field, names in COLUMNS.items() for name in names}

PURPOSES = {
    "research": "research",
    "development": "development",
    "teaching": "teaching",
    "other": "other",
    "科研": "research",
    "研究": "research",
    "研发": "development",
    "开发": "development",
    "教学": "teaching",
    "其他": "other",
    "其它": "other",
}
MODES = {mode: mode for mode in SERVICE_MODES} | {
    "自主上机": "self",
    "自主": "self",
    "自行操作": "self",
    "协助": "assisted",
    "操作员协助": "assisted",
    "委托": "entrusted",
    "送样": "entrusted",
    "委托测试": "entrusted",
    "远程": "remote",
}

# Dates have the year first, with any separators: in all others day and month would be a guess.
_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[Tt ]? ?(\d{1,2})[::时](\d{2})"
    r"(?:分|[::](\d{2})(?:\.0+)?)? ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_WHOLE = re.compile(r"(\d{1,9})(?:\.0+)?", re.ASCII)
_OPTION = re.compile(r"([^=×]*[^=× ]) *(?:[=×] *(\d{1,6}(?:\.\d{1,4})?))?")


@dataclass(frozen=True)
class ImportRow:
    """A row of the file: the texts of its cells by field, or the problem that made it unreadable."""

    line: int
    texts: Mapping[str, str]
    problem: RowProblem | None = None

    def text(self, name: str) -> str:
        return self.texts.get(name, "")


@dataclass(frozen=True)
class Table:
    """A file that was read. `ignored` are columns that have no meaning here."""

    rows: tuple[ImportRow, ...]
    ignored: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Details:
    """The details of a row besides instrument and time. An empty person means the importer, an empty service
    mode the usual one of the instrument."""

    person: str = ""
    service_mode: str = ""
    purpose: str = "research"
    subject: str = ""
    samples: str = ""
    quantity: Decimal | None = None
    options: Mapping[str, Decimal] = field(default_factory=dict)


class Result(StrEnum):
    BOOKED = "booked"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a row, or in a preview what it would be.

    refusals: from the rules, with the nearest time that they allow; problems: with the row's format or with
    permissions, by column. `person` is None if the row's person could not be identified.
    """

    line: int
    result: Result
    reference: str = ""
    name: str = ""
    instrument: UUID | None = None
    period: Period | None = None
    person: UUID | None = None
    needs_approval: bool = False
    quote: Quote | None = None
    refusals: tuple[Refusal, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """Every row with its outcome, in the order of the file. `reservation_ids`: by line, empty if nothing was
    written."""

    outcomes: tuple[Outcome, ...]
    ignored: tuple[str, ...]
    sha256: str
    id: UUID | None = None
    reservation_ids: Mapping[int, UUID] = field(default_factory=dict)

    def count(self, result: Result) -> int:
        return sum(outcome.result is result for outcome in self.outcomes)

    @property
    def booked(self) -> int:
        return self.count(Result.BOOKED)

    @property
    def unchanged(self) -> int:
        return self.count(Result.UNCHANGED)

    @property
    def refused(self) -> int:
        return self.count(Result.REFUSED)

    @property
    def waiting(self) -> int:
        """Return the number of rows that need approval."""
        return sum(outcome.needs_approval for outcome in self.outcomes)


class RowsRefused(Refused):
    """Rows of the file are refused, so nothing in it was booked."""

    code = "rows-refused"

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        super().__init__(refused=report.refused, rows=len(report.outcomes))


# Reading


def fields_of(
    header: Sequence[str],
    fields: Mapping[str, str] = _FIELDS,
    needed: Sequence[set[str]] = ({"instrument"}, {"starts"}, {"ends", "minutes"}),
) -> dict[str, str]:
    """Return the field of each known column, by its name in the file. Each set in `needed` must have at least
    one column. Raises `FileRefused` (column-twice, column-missing)."""
    read: dict[str, str] = {}
    for column in header:
        name = fields.get(header_name(column.replace("_", " ")).rstrip(" *"))
        if name is None:
            continue
        first = next((other for other, known in read.items() if known == name), None)
        if first is not None:
            raise FileRefused("column-twice", column=column, first=first)
        read[column] = name
    named = set(read.values())
    for any_of in needed:
        if not any_of & named:
            raise FileRefused("column-missing", columns=" / ".join(sorted(any_of)))
    return read


def rows_of(
    fields: Mapping[str, str], records: Iterable[tuple[int, Cells | RowProblem]]
) -> tuple[ImportRow, ...]:
    """Return the rows of a table with their lines. Raises `FileRefused` (no-rows, too-many-rows), and what
    reading the records raises."""
    rows: list[ImportRow] = []
    for line, record in records:
        if len(rows) == MOST_ROWS:
            raise FileRefused("too-many-rows", most=MOST_ROWS)
        if isinstance(record, RowProblem):
            rows.append(ImportRow(line, {}, record))
            continue
        texts = {name: clean(record[column]) for column, name in fields.items()}
        if any(texts.values()):
            rows.append(ImportRow(line, texts))
    if not rows:
        raise FileRefused("no-rows")
    return tuple(rows)


def instant_of(text: str, zone: ZoneInfo, name: str) -> datetime:
    """Return the UTC instant of a text such as `2026-03-09 09:00`, `2026/3/9 9:00`, `2026年3月9日 9:00` or
    `2026-03-09T09:00+08:00`. Raises `Invalid` naming the field: required, not-a-moment, out-of-range,
    time-skipped, time-twice."""
    if not text:
        raise invalid(name, "required")
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise invalid(name, "not-a-moment")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise invalid(name, "out-of-range", least=EARLIEST_YEAR, most=LATEST_YEAR)
    try:
        wall = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
        if match[7]:
            offset = match[7].upper().replace("Z", "+00:00")
            return datetime.fromisoformat(f"{wall.isoformat()}{offset}").astimezone(UTC)
    except ValueError:
        raise invalid(name, "not-a-moment") from None
    first, second_pass = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second_pass:
        return first
    # For a skipped time the two readings are in reverse order.
    code = "time-skipped" if first > second_pass else "time-twice"
    raise invalid(name, code, zone=zone.key)


def period_of(row: ImportRow, zone: ZoneInfo) -> Period:
    """Return the period of an imported row. Raises `Invalid` naming every field that is wrong."""
    problems: list[FieldProblem] = []
    start = end = None
    try:
        start = instant_of(row.text("starts"), zone, "starts")
    except Invalid as error:
        problems += error.problems
    try:
        if row.text("ends") or not row.text("minutes"):
            end = instant_of(row.text("ends"), zone, "ends")
        else:
            minutes = _whole(row.text("minutes"), "minutes", _MOST_MINUTES)
            end = start + timedelta(minutes=minutes) if start else None
    except Invalid as error:
        problems += error.problems
    if start is not None and end is not None:
        if end <= start:
            problems.append(FieldProblem("ends", "not-after-start"))
        elif end - start > timedelta(minutes=_MOST_MINUTES):
            problems.append(FieldProblem("ends", "span-too-long", {"days": 366}))
        elif not problems:
            return Period(start, end)
    raise Invalid(problems)


def details_of(row: ImportRow) -> Details:
    """Return the details of an imported row besides instrument and time. Raises `Invalid` naming every field
    that is wrong."""
    problems: list[FieldProblem] = []
    for name, most in _LONGEST.items():
        if len(row.text(name)) > most:
            problems.append(FieldProblem(name, "too-long", {"most": most}))
    purpose = PURPOSES.get(row.text("purpose").casefold() or "research")
    if purpose is None:
        allowed = {"allowed": ", ".join(dict.fromkeys(PURPOSES.values()))}
        problems.append(FieldProblem("purpose", "unknown-choice", allowed))
    mode = MODES.get(row.text("service_mode").casefold(), "")
    if row.text("service_mode") and not mode:
        allowed = {"allowed": ", ".join(SERVICE_MODES)}
        problems.append(FieldProblem("service_mode", "unknown-choice", allowed))
    quantity: Decimal | None = None
    options: dict[str, Decimal] = {}
    try:
        if row.text("quantity"):
            quantity = Decimal(_whole(row.text("quantity"), "quantity", _MOST_SAMPLES))
        options = _options(row.text("options"))
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)
    return Details(
        row.text("person"),
        mode,
        purpose or "research",
        row.text("subject"),
        row.text("samples"),
        quantity,
        options,
    )


def _whole(text: str, name: str, most: int) -> int:
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise invalid(name, "not-an-integer")
    if not 1 <= int(match[1]) <= most:
        raise invalid(name, "out-of-range", least=1, most=most)
    return int(match[1])


def _options(text: str) -> dict[str, Decimal]:
    """Read the options of a row with their quantities: `code` or `code=2`, separated by semicolons or
    commas."""
    options: dict[str, Decimal] = {}
    for item in filter(None, (part.strip() for part in re.split("[;；,，、]", text))):
        match = _OPTION.fullmatch(item)
        if match is None:
            raise invalid("options", "not-an-option", part=item[:40])
        if match[1] in options:
            raise invalid("options", "repeated")
        options[match[1]] = Decimal(match[2] or 1)
    return options


# Knowing again


def digest_of(instrument: UUID, period: Period, person: str) -> str:
    """Return a digest of a row's booking, in 64 hexadecimal characters."""
    facts = [str(instrument), period.start.isoformat(), period.end.isoformat(), person.casefold()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def references_of(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return the reference by which each row is recognised: its own, or a digest if it has none. Equal rows
    are separate bookings, for example of several units, so their digests are numbered."""
    alike: dict[str, int] = {}
    references = []
    for reference, digest in rows:
        if not reference:
            alike[digest] = alike.get(digest, 0) + 1
            reference = f"row-{digest[:32]}-{alike[digest]}"
        references.append(reference)
    return references


class References:
    """The references of one file, compared with those of earlier files: `known` is reference -> digest of
    that row."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._lines: dict[str, int] = {}

    def is_known(self, line: int, reference: str, digest: str) -> bool:
        """Say whether the row was imported already. Raises `Invalid` (`reference`): reference-repeated in
        this file, or imported-otherwise if that row had other content."""
        first = self._lines.setdefault(reference, line)
        if first != line:
            raise invalid("reference", "reference-repeated", first=first)
        before = self._known.get(reference)
        if before is not None and before != digest:
            raise invalid("reference", "imported-otherwise")
        return before is not None
