"""Decide when a file is fetched from an address on a timetable, and when again after a failure.

Rules: docs/importing.md, "Harvesting".
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.domain.addresses import AddressRefused, parse_address
from accounts.domain.errors import FieldProblem, Invalid
from instruments.reading.domain.delimited import FileRefused

DAILY, WEEKLY = RHYTHMS = ("daily", "weekly")
MOST_FAILURES = 5
MOST_HARVESTS = 50  # harvests per organisation
LONGEST_NAME = 80
_FIRST_WAIT = timedelta(minutes=15)  # then four times as long each time: an hour, four, sixteen

_WORKBOOK = b"PK\x03\x04"
# The first bytes of kinds of file that are not tables.
_OTHERS = (
    *(b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BZh"),
    *(b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"MZ"),
)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body")


@dataclass(frozen=True)
class Plan:
    """A plan of a harvest. `weekday` 1 is Monday, None for daily; `hour` is in the organisation's local time.
    With `applies` the import runs automatically if no row would be refused."""

    name: str
    address: str
    format: str
    encoding: str = "utf-8"
    mapping: str = ""
    facility: str = ""
    hand_changes: str = "keep"
    applies: bool = False
    rhythm: str = DAILY
    weekday: int | None = None
    hour: int = 3


def check_plan(plan: Plan, *, formats: Sequence[str], loopback: bool = False) -> Plan:
    """Return the plan, cleared of settings without effect. `Invalid` names every problem by its field."""
    problems = []

    def refuse(field: str, code: str, **numbers: str | int) -> None:
        problems.append(FieldProblem(field, code, numbers))

    name = " ".join(plan.name.split())
    if not name:
        refuse("name", "required")
    elif len(name) > LONGEST_NAME:
        refuse("name", "too-long", most=LONGEST_NAME)
    try:
        parse_address(plan.address, loopback=loopback)
    except AddressRefused as refused:
        refuse("address", refused.code)
    if plan.format not in formats:
        refuse("format", "unknown-value")
    try:
        codecs.lookup(plan.encoding)
    except LookupError:
        refuse("encoding", "unknown-encoding", encoding=plan.encoding)
    if plan.rhythm not in RHYTHMS:
        refuse("rhythm", "unknown-value")
    if plan.rhythm == WEEKLY and plan.weekday is None:
        refuse("weekday", "required")
    if plan.weekday is not None and not 1 <= plan.weekday <= 7:
        refuse("weekday", "out-of-range", least=1, most=7)
    if not 0 <= plan.hour <= 23:
        refuse("hour", "out-of-range", least=0, most=23)
    if problems:
        raise Invalid(problems)
    return Plan(
        name,
        plan.address,
        plan.format,
        plan.encoding,
        plan.mapping if plan.format == "table" else "",
        " ".join(plan.facility.split()),
        plan.hand_changes,
        plan.applies,
        plan.rhythm,
        plan.weekday if plan.rhythm == WEEKLY else None,
        plan.hour,
    )


def next_due(plan: Plan, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first instant later than `after` at which the plan's timetable has the file fetched."""
    local = after.astimezone(zone)
    for days in range(9):
        day = local.date() + timedelta(days=days)
        if plan.weekday is not None and day.isoweekday() != plan.weekday:
            continue
        # A time that a clock change skips moves forward by the length of the gap.
        due = datetime(day.year, day.month, day.day, plan.hour, tzinfo=zone).astimezone(after.tzinfo)
        if due > after:
            return due
    raise AssertionError("every week has every day")


def again_at(failures: int, now: datetime) -> datetime | None:
    """Return when to try again after a number of consecutive failures; None if the harvest is to pause."""
    return None if failures >= MOST_FAILURES else now + _FIRST_WAIT * 4 ** (failures - 1)


def check_content(format: str, start: bytes) -> None:
    """Raise `FileRefused` (a-page, not-a-table) if the first bytes do not belong to a file of the format. The
    media type that a server gives is not considered, as it is often wrong."""
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith(_PAGES):
        raise FileRefused("a-page")
    is_pidinst = text.startswith((b"{", b"[", b"<"))
    is_other = start.startswith(_OTHERS) or (format == "pidinst") != is_pidinst
    if is_other or (start.startswith(_WORKBOOK) and format == "pidinst"):
        raise FileRefused("not-a-table")
