"""Why an instrument stood idle: each minute of standby has one reason, and the reasons add up to standby.

Times are whole minutes since 1970, spans are half-open pairs of them, sorted and disjoint. The rules are in
docs/statistics.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

type Span = tuple[int, int]

NO_SHOW = "no_show"
KEPT_UNUSED = "kept_unused"
NOT_OPEN = "not_open"
LEAD_TIME = "lead_time"
NO_OPERATOR = "no_operator"
REFUSED = "refused"
NOT_ASKED = "not_asked"
# Where several hold, the first does.
REASONS = (NO_SHOW, KEPT_UNUSED, NOT_OPEN, LEAD_TIME, NO_OPERATOR, REFUSED, NOT_ASKED)

# The names of their minutes in files and the API: `refused_minutes` are those of unmet demand.
COLUMNS = {
    reason: f"{reason}_minutes_of_standby" if reason == REFUSED else f"{reason}_minutes" for reason in REASONS
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, order=True)
class Claim:
    """A reason that holds for the minutes [start, end) of one unit, or of all (0). `code` says by which rule
    something was refused."""

    reason: str
    start: int
    end: int
    unit: int = 0
    code: str = ""


@dataclass(frozen=True)
class Promise:
    """Guaranteed minutes of the window [start, end) that their holder left unused."""

    start: int
    end: int
    minutes: int


@dataclass(frozen=True, order=True)
class Idle:
    """Standby minutes [start, end) of a unit, with their reason."""

    start: int
    end: int
    unit: int
    reason: str
    code: str = ""

    @property
    def minutes(self) -> int:
        return self.end - self.start


def minute_of(moment: datetime) -> int:
    """Return the minute that an instant lies in."""
    return (moment - _EPOCH) // _MINUTE


def moment_of(minute: int) -> datetime:
    """Return the instant at which a minute begins."""
    return _EPOCH + minute * _MINUTE


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans, sorted and disjoint; empty ones are left out."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def parted(these: Sequence[Span], those: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Return what of `these` lies in `those`, and the rest. Both are sorted and disjoint."""
    inside: list[Span] = []
    outside: list[Span] = []
    at = 0
    for start, end in these:
        while at < len(those) and those[at][1] <= start:
            at += 1
        following = at
        while following < len(those) and those[following][0] < end:
            low, high = max(start, those[following][0]), min(end, those[following][1])
            if start < low:
                outside.append((start, low))
            inside.append((low, high))
            start = high
            following += 1
        if start < end:
            outside.append((start, end))
    return inside, outside


def standby_of(opened: Sequence[Span], busy: Iterable[Span]) -> list[Span]:
    """Return the standby of a unit: open, neither used nor closed."""
    return parted(opened, joined(busy))[1]


def idle_parts(
    standby: Mapping[int, Sequence[Span]], claims: Iterable[Claim], promises: Iterable[Promise] = ()
) -> list[Idle]:
    """Return the standby of each unit in parts, each with the first of `REASONS` that holds for it.

    Of what was refused by several rules the first code counts. Guaranteed minutes that were left unused are
    `kept_unused` after the bookings' own: of each window the earliest minutes of the lowest unit that are
    left. What nothing claims was not asked for.
    """
    by_reason: dict[tuple[int, str], dict[int, list[Span]]] = {}
    for claim in claims:
        key = (REASONS.index(claim.reason), claim.code)
        by_reason.setdefault(key, {}).setdefault(claim.unit, []).append((claim.start, claim.end))
    left = {unit: list(spans) for unit, spans in standby.items()}
    parts: list[Idle] = []
    pending = sorted(by_reason)
    kept = REASONS.index(KEPT_UNUSED)
    for index in range(len(REASONS) - 1):
        for key in (key for key in pending if key[0] == index):
            for unit in left:
                claimed = joined([*by_reason[key].get(0, ()), *by_reason[key].get(unit, ())])
                inside, left[unit] = parted(left[unit], claimed)
                parts += [Idle(start, end, unit, REASONS[index], key[1]) for start, end in inside]
        if index == kept:
            parts += _promised(left, promises)
    parts += [Idle(start, end, unit, NOT_ASKED) for unit, spans in left.items() for start, end in spans]
    return sorted(parts)


def _promised(left: dict[int, list[Span]], promises: Iterable[Promise]) -> list[Idle]:
    """Take the unused guaranteed minutes out of what is left, and return them."""
    parts: list[Idle] = []
    for promise in sorted(promises, key=lambda p: (p.end, p.start, p.minutes)):
        wanted = promise.minutes
        for unit in sorted(left):
            inside, _ = parted(left[unit], [(promise.start, promise.end)])
            taken: list[Span] = []
            for start, end in inside:
                if wanted <= 0:
                    break
                end = min(end, start + wanted)
                wanted -= end - start
                taken.append((start, end))
            left[unit] = parted(left[unit], taken)[1]
            parts += [Idle(start, end, unit, KEPT_UNUSED) for start, end in taken]
    return parts


def within(parts: Iterable[Idle], start: int, end: int) -> list[Idle]:
    """Return the parts cut to [start, end)."""
    return [
        Idle(max(part.start, start), min(part.end, end), part.unit, part.reason, part.code)
        for part in parts
        if part.start < end and part.end > start
    ]


def sums_of(parts: Iterable[Idle]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the minutes by reason, each of `REASONS` named, and those refused by code."""
    by_reason = dict.fromkeys(REASONS, 0)
    by_code: dict[str, int] = {}
    for part in parts:
        by_reason[part.reason] += part.minutes
        if part.reason == REFUSED:
            by_code[part.code] = by_code.get(part.code, 0) + part.minutes
    return by_reason, dict(sorted(by_code.items()))
