"""The structure of a year's report, of which pages and all kinds of file are made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

TEXT, WHOLE, HOURS, DECIMAL, PERCENT, DAY = "text", "whole", "hours", "decimal", "percent", "day"

type Value = str | int | Decimal | date | None  # None: not known, or no denominator

FIRST_YEAR, LAST_YEAR = 1990, 2190


@dataclass(frozen=True)
class Head:
    """A column: its heading, and the kind of its values. `HOURS` are given in minutes, `PERCENT` as a
    fraction."""

    label: str
    kind: str = TEXT


@dataclass(frozen=True)
class Cell:
    """A value with a kind of its own, where that of its column does not fit."""

    value: Value
    kind: str


@dataclass(frozen=True)
class Section:
    """A part of a report: a table with what has to be said about it. `code` names its sheet in a workbook."""

    code: str
    title: str
    heads: Sequence[Head] = ()
    rows: Sequence[Sequence[Value | Cell]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """A report of one year about an instrument, a facility, an organisation or a region."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default_factory=list)
    file_name: str = "report"


def is_empty(glance: Section) -> bool:
    """Say whether the first column of figures has none but zeros and unknown ones."""
    return all(not kind_of(row[1], glance.heads[1])[0] for row in glance.rows)


def without_empty_tables(sections: Iterable[Section], nothing: str) -> list[Section]:
    """Return the sections of a report; one whose table has no rows has the note `nothing` instead of it."""
    return [
        replace(section, heads=(), notes=[*section.notes, nothing])
        if section.heads and not section.rows
        else section
        for section in sections
    ]


def texts_of(section: Section) -> list[list[tuple[str, bool]]]:
    """Return the cells of a section's table as pages show them, each with whether it is text or a day."""
    return [
        [
            (written(*kind_of(value, head)), head.kind in (TEXT, DAY))
            for value, head in zip(row, section.heads, strict=True)
        ]
        for row in section.rows
    ]


def year_of(since: date, until: date) -> int | None:
    """Return the year that the days [since, until) are; None if they are no whole year."""
    is_year = since == date(since.year, 1, 1) and until == date(since.year + 1, 1, 1)
    return since.year if is_year else None


def kind_of(value: Value | Cell, head: Head) -> tuple[Value, str]:
    """Return a value with its kind."""
    return (value.value, value.kind) if isinstance(value, Cell) else (value, head.kind)


def written(value: Value, kind: str) -> str:
    """Write a value as pages and documents show it; a dash where it is not known."""
    if value is None:
        return "–"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    match kind:
        case "hours":
            return f"{Decimal(value) / 60:,.1f}"
        case "percent":
            return f"{Decimal(value) * 100:.1f} %"
        case "decimal":
            return f"{Decimal(value):,.2f}"
        case _:
            return f"{value:,}"
