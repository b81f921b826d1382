"""The six states of an instrument's minutes, why it stood idle and its share of the norm, written from the
design's page on hours without reading `bookings/hours/domain/` or its SQL.

Each minute of each unit is one byte, painted over by what comes before it in the order of the page; so it has
one state and, where it is standby, one reason. Everything is in plain values, instants are of UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

# From the last to the first of the page: each is painted over those before it.
REASONS = ("not_asked", "refused", "no_operator", "lead_time", "not_open", "kept_unused", "no_show")
STATES = ("non_scheduled", "engineering", "scheduled_down", "unscheduled_down", "productive")
LAYERS = (*REASONS, *STATES, "not offered")
CODE = {name: code for code, name in enumerate(LAYERS)}
STATE_OF = {
    "own-use": "engineering",
    "training": "engineering",
    "maintenance": "scheduled_down",
    "calibration": "scheduled_down",
    "other": "scheduled_down",
    "breakdown": "unscheduled_down",
}
WITH_STAFF = ("assisted", "entrusted")
NORM_HOURS = {"general": 1400, "dedicated": 800}
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Offer:
    """Hours and units on the local days [since, until); `weekly` and `dated` are JSON of opening hours."""

    since: date
    until: date | None
    units: int
    weekly: tuple[dict[str, object], ...]
    dated: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class Use:
    unit: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Booking:
    """`session` is its use, if any; `ended_at` when it was cancelled, rejected, and the like."""

    unit: int
    start: datetime
    end: datetime
    state: str
    mode: str = "self"
    setup: int = 0
    teardown: int = 0
    ended_at: datetime | None = None
    session: Use | None = None
    is_holder: bool = False  # of a holder of guaranteed hours


@dataclass(frozen=True)
class Closed:
    kind: str
    units: tuple[int, ...]  # none: all
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Refusal:
    code: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Kept:
    """Guaranteed hours of the holder in a window."""

    minutes: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Policy:
    """What a policy said from an instant on: `own_hours` are windows for the host's own people."""

    since: datetime
    own_hours: tuple[dict[str, object], ...] = ()


@dataclass
class Instrument:
    zone: str
    kind: str = "general"
    norm_hours: int | None = None
    notice_minutes: int = 0
    offers: list[Offer] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    own_price_until: date | None = None  # only the host's own people have a price on the days before it


@dataclass(frozen=True)
class Answer:
    """Minutes by state and by reason, and the bytes of each unit from the first minute on."""

    first: int  # minutes since 1970
    units: tuple[bytes, ...]
    norm: Fraction  # minutes

    def of(self, name: str) -> int:
        return sum(unit.count(CODE[name]) for unit in self.units)

    @property
    def reasons(self) -> dict[str, int]:
        return {name: self.of(name) for name in REASONS}

    @property
    def standby(self) -> int:
        return sum(self.reasons.values())

    @property
    def states(self) -> dict[str, int]:
        return {name: self.of(name) for name in STATES} | {"standby": self.standby}

    @property
    def share(self) -> Fraction | None:
        return self.of("productive") / self.norm if self.norm else None


def minute(moment: datetime) -> int:
    """Whole minutes since 1970: what is shorter is cut off."""
    return int(moment.timestamp() // 60)


def wall(zone: str, day: date, clock: str, *, is_closing: bool = False) -> int:
    """The minute at which the clock shows a time: moved on by the gap where it does not exist; of two, the
    first for an opening, the second for a closing."""
    hours, minutes = map(int, clock.split(":"))
    naive = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes)
    both = [naive.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
    shown = [minute(each) for each in both]
    exists = [each.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive for each in both]
    if not any(exists):
        return max(shown)  # by the offset of before: later by the gap
    return max(shown) if is_closing else min(shown)


def windows(zone: str, weekly: object, dated: object, since: date, until: date) -> Iterator[tuple[int, int]]:
    """From and to which minute it is open, of windows that open on the days [since, until)."""
    by_day = {row["date"]: row["windows"] for row in dated}  # type: ignore[attr-defined]
    for number in range((until - since).days):
        day = since + timedelta(number)
        rules = [rule for rule in weekly if rule["weekday"] == day.isoweekday()]  # type: ignore[attr-defined]
        for rule in by_day.get(day.isoformat(), rules):
            closing = day + timedelta(str(rule["closes"]) <= str(rule["opens"]))
            opens = wall(zone, day, str(rule["opens"]))
            closes = wall(zone, closing, str(rule["closes"]), is_closing=True)
            if closes > opens:
                yield opens, closes


def own_windows(zone: str, rule: dict[str, object], since: date, until: date) -> Iterator[tuple[int, int]]:
    weekly = [{"weekday": day, "opens": rule["opens"], "closes": rule["closes"]} for day in rule["days"]]  # type: ignore[attr-defined]
    return windows(zone, weekly, [], since, until)


def answer(of: Instrument, since: date, until: date, now: datetime) -> Answer:
    """The minutes of the local days [since, until) that are over."""
    zone = of.zone
    until = min(until, now.astimezone(ZoneInfo(zone)).date())
    first, last = wall(zone, since, "00:00"), wall(zone, until, "00:00")
    units = [bytearray(last - first) for _ in range(max(offer.units for offer in of.offers))]

    def paint(name: str, start: int, end: int, which: tuple[int, ...] = ()) -> None:
        start, end = max(start - first, 0), min(end - first, last - first)
        for number, unit in enumerate(units, 1):
            if start < end and (not which or number in which):
                unit[start:end] = bytes([CODE[name]]) * (end - start)

    for name in ("refused", "no_operator", "lead_time", "not_open", "kept_unused", "no_show"):
        for start, end, unit in sorted(set(_idle(of, name, since, until))):
            paint(name, start, end, (unit,) * bool(unit))
    _paint_hours(of, since, until, paint)
    for name in STATES[1:]:
        for closed in of.closed:
            if STATE_OF[closed.kind] == name:
                paint(name, minute(closed.start), minute(closed.end or FAR), closed.units)
    for booking in of.bookings:
        if use := booking.session:
            paint("productive", minute(use.start), minute(use.end), (use.unit,))
    _paint_offered(of, since, until, units, paint)
    for kept in of.kept:
        if kept.end <= now:
            _paint_kept(of, kept, units, first)
    return Answer(first, tuple(map(bytes, units)), _norm(of, since, until))


def _idle(of: Instrument, name: str, since: date, until: date) -> Iterator[tuple[int, int, int]]:
    """From and to which minute a reason holds, and of which unit; 0: of all."""
    for booking in of.bookings:
        start, end = minute(booking.start), minute(booking.end)
        ended = minute(booking.ended_at) if booking.ended_at else 0
        blocked = start - booking.setup, end + booking.teardown
        is_unanswered = booking.state in ("rejected", "expired")
        match name:
            case "no_show" if booking.state == "no_show":
                yield start, end, booking.unit
            case "kept_unused" if booking.state in ("confirmed", "completed"):
                yield *blocked, booking.unit
            case "kept_unused" if booking.state == "cancelled":
                yield blocked[0], min(blocked[1], ended), booking.unit
            case "lead_time" if booking.state == "cancelled":
                yield max(start, ended), min(end, ended + of.notice_minutes), booking.unit
            case "no_operator" if is_unanswered and booking.mode in WITH_STAFF:
                yield start, end, booking.unit
            case "refused" if is_unanswered and booking.mode not in WITH_STAFF:
                yield start, end, booking.unit
            case "refused" if booking.state == "displaced":
                yield start, end, booking.unit
    if name == "refused":
        yield from ((minute(refusal.start), minute(refusal.end), 0) for refusal in of.refusals)
    if name == "not_open":
        for place, policy in enumerate(of.policies):
            begins = minute(policy.since)
            ends = minute(of.policies[place + 1].since if place + 1 < len(of.policies) else FAR)
            for rule in policy.own_hours:
                for opens, closes in own_windows(of.zone, rule, since - timedelta(1), until):
                    yield max(opens, begins), min(closes, ends), 0
        if of.own_price_until:
            yield 0, wall(of.zone, of.own_price_until, "00:00"), 0


def _paint_hours(of: Instrument, since: date, until: date, paint: object) -> None:
    """What is outside opening hours stands idle for no reason. The open minutes of a day are those of the
    schedule that it has, whichever day a window opened on."""
    spans: list[tuple[int, int]] = []
    for offer in of.offers:
        begins, ends = max(offer.since, since), min(offer.until or until, until)
        from_minute, to_minute = wall(of.zone, begins, "00:00"), wall(of.zone, ends, "00:00")
        spans += [
            (max(opens, from_minute), min(closes, to_minute))
            for opens, closes in windows(of.zone, offer.weekly, offer.dated, begins - timedelta(1), ends)
            if min(closes, to_minute) > max(opens, from_minute)
        ]
    at = wall(of.zone, since, "00:00")
    for opens, closes in sorted(spans):
        if opens > at:
            paint("non_scheduled", at, opens)  # type: ignore[operator]
        at = max(at, closes)
    paint("non_scheduled", at, minute(FAR))  # type: ignore[operator]


def _paint_offered(of: Instrument, since: date, until: date, units: list[bytearray], paint: object) -> None:
    """Units that are not offered on a day have no minutes."""
    for number in range((until - since).days):
        day = since + timedelta(number)
        offered = next(
            (
                offer.units
                for offer in of.offers
                if offer.since <= day and (not offer.until or day < offer.until)
            ),
            0,
        )
        start, end = wall(of.zone, day, "00:00"), wall(of.zone, day + timedelta(1), "00:00")
        for unit in range(offered + 1, len(units) + 1):
            paint("not offered", start, end, (unit,))  # type: ignore[operator]


def _paint_kept(of: Instrument, kept: Kept, units: list[bytearray], first: int) -> None:
    """The earliest minutes of the window that are left, of the lowest unit first, are those that the holder
    left unused."""
    start, end = minute(kept.start), minute(kept.end)
    left = kept.minutes
    for booking in of.bookings:
        if booking.is_holder and booking.state in ("held", "requested", "confirmed", "completed", "no_show"):
            left -= max(0, min(end, minute(booking.end)) - max(start, minute(booking.start)))
    for unit in units:
        for at in range(max(start - first, 0), min(end - first, len(units[0]))):
            if left > 0 and unit[at] < CODE["kept_unused"]:
                unit[at] = CODE["kept_unused"]
                left -= 1


def _norm(of: Instrument, since: date, until: date) -> Fraction:
    hours = of.norm_hours or NORM_HOURS[of.kind]
    total = Fraction(0)
    for number in range((until - since).days):
        day = since + timedelta(number)
        days = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
        for offer in of.offers:
            if offer.since <= day and (not offer.until or day < offer.until):
                total += Fraction(offer.units * hours * 60, days)
    return total


# ---- Drawn at random

ZONES = ("Asia/Shanghai", "Europe/London", "America/Los_Angeles", "Australia/Lord_Howe", "UTC")
HOURS = {
    "always": tuple({"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(1, 8)),
    "office": tuple({"weekday": day, "opens": "08:30", "closes": "18:00"} for day in range(1, 6)),
    "lunch": tuple(
        {"weekday": day, "opens": opens, "closes": closes}
        for day in range(1, 6)
        for opens, closes in (("08:00", "12:00"), ("13:30", "17:45"))
    ),
    "nights": tuple({"weekday": day, "opens": "19:00", "closes": "07:00"} for day in (1, 2, 3, 4, 5)),
    "weekend": tuple({"weekday": day, "opens": "01:30", "closes": "23:15"} for day in (6, 7)),
    "never": (),
}


def draw(random: Random, year: int, now: datetime) -> Instrument:
    """An instrument with a year of hours, bookings of all states, closures, refusals and rules."""
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    made = Instrument(
        random.choice(ZONES),
        random.choice(["general", "dedicated"]),
        random.choice([None, None, 730, 2000]),
        random.choice([0, 120, 1440, 2880]),
    )
    made.offers = _offers(random, first, after)
    units = min(offer.units for offer in made.offers)
    start = datetime(year, 1, 1, tzinfo=UTC)

    def moment(most: int = 365 * 1440) -> datetime:
        return start + timedelta(minutes=random.randrange(most), seconds=random.choice([0, 0, 17, 59]))

    for _ in range(random.randrange(40, 260)):
        made.bookings.append(_booking(random, moment(), random.randint(1, units)))
    for _ in range(random.randrange(0, 14)):
        begins = moment()
        which = () if random.random() < 0.6 else (random.randint(1, units),)
        ends = begins + timedelta(minutes=random.choice([30, 61, 480, 4000, 20000]))
        made.closed.append(Closed(random.choice(list(STATE_OF)), which, begins, ends))
    if random.random() < 0.1:
        made.closed.append(Closed("breakdown", (), start + timedelta(300), None))
    for number in range(random.randrange(0, 20)):
        begins = moment()
        code = random.choice(["too-long", "too-soon", "kept-for-holder", "user-quota"])
        ends = begins + timedelta(minutes=random.choice([30, 90, 600]))
        made.refusals.append(Refusal(code if number % 3 else "", begins, ends))
    rule = {"days": random.sample(range(1, 8), 3), "who": "organisation"}
    rule |= random.choice([{"opens": "13:00", "closes": "17:00"}, {"opens": "20:00", "closes": "06:30"}])
    made.policies = random.choice(
        [
            [],
            [Policy(start - timedelta(90))],
            [Policy(start - timedelta(90), (rule,))],
            [Policy(start - timedelta(90)), Policy(start + timedelta(100, 36000), (rule,))],
            [Policy(start - timedelta(90), (rule,)), Policy(start + timedelta(200, 36000))],
        ]
    )
    if not made.policies:
        made.notice_minutes = 0
    if random.random() < 0.15:
        made.own_price_until = first + timedelta(random.randrange(1, 300))
    if random.random() < 0.6:
        made.kept = [
            Kept(
                random.choice([90, 1200, 9000]),
                start + timedelta(days, hours=random.randrange(24)),
                start + timedelta(days + random.randrange(1, 20)),
            )
            for days in (20, 150, 280)
        ]
    return made


def _offers(random: Random, first: date, after: date) -> list[Offer]:
    hours = random.choice([name for name in HOURS if name != "never"])
    dated: tuple[dict[str, object], ...] = tuple(
        {
            "date": (first + timedelta(day)).isoformat(),
            "windows": random.choice([[], [{"opens": "10:00", "closes": "12:00"}]]),
        }
        for day in sorted(random.sample(range(364), 6))
    )
    since = random.choice([first, first - timedelta(40), first + timedelta(random.randrange(1, 250))])
    until = random.choice([None, None, since + timedelta(random.randrange(20, 500))])
    units = random.choice([1, 1, 1, 2, 3])
    whole = Offer(since, until, units, HOURS[hours], dated)
    if random.random() < 0.6:
        return [whole]
    last = until or after
    between = since + timedelta((last - since).days // 2)
    later = HOURS[random.choice(["office", "lunch", "never", hours])]
    return [
        Offer(since, between, units, HOURS[hours], dated),
        Offer(between, until, random.choice([units, units + 1]), later),
    ]


def _booking(random: Random, start: datetime, unit: int) -> Booking:
    length = timedelta(minutes=random.choice([30, 60, 90, 240, 500, 1500]))
    end = start + length
    state = random.choice(
        ["completed"] * 6
        + ["confirmed", "no_show", "cancelled", "cancelled", "rejected", "expired", "displaced"]
    )
    mode = random.choice(["self", "remote", "assisted", "entrusted"])
    is_holder = random.random() < 0.2
    match state:
        case "completed":
            begins = start + timedelta(
                minutes=random.choice([-10, 0, 0, 5, 25]), seconds=random.randrange(60)
            )
            lasts = random.choice([0.4, 1, 1, 1.3]) * length
            use = Use(unit, begins, begins + lasts)
            buffers = random.choice([(0, 0), (0, 0), (15, 30)])
            return Booking(unit, start, end, state, mode, *buffers, None, use, is_holder)
        case "confirmed":
            return Booking(unit, start, end, state, mode, 30, 10, None, None, is_holder)
        case "cancelled":
            before = timedelta(minutes=random.choice([-20, 10, 100, 700, 2000, 9000]))
            return Booking(unit, start, end, state, mode, ended_at=start - before, is_holder=is_holder)
        case "displaced":
            mode = random.choice(["self", "remote"])
            return Booking(unit, start, end, state, mode, ended_at=start - timedelta(days=1))
        case _:
            return Booking(unit, start, end, state, mode, ended_at=start - timedelta(hours=5))
