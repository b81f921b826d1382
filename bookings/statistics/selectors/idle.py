"""Read why instruments stood idle: from windows, sessions, closures, bookings, refusals, prices, policies."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from bookings.availability.domain.group_hours import windows_of
from bookings.availability.models import Closure
from bookings.availability.selectors.kept_hours import kept_rows
from bookings.catalogue.models import UnmetDemand
from bookings.hours.domain import idle as rules
from bookings.hours.models import RollUp
from bookings.hours.selectors.scope import instruments_in, reads_hours
from bookings.hours.selectors.sums import groups_page
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation, UsageSession
from instruments.opening.models import OpenWindow, ScheduleAssignment
from instruments.policy.domain.policies import parse_group_hours
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.rates.models import RateCard
from instruments.reading.domain.clock import day_span
from instruments.register.models import Instrument

LONGEST_IDLE = 366  # days
MOST_INSTRUMENTS = 1000  # of a file that is written while somebody waits
AT_ONCE = 50
DAY = timedelta(days=1)
_State = Reservation.State
_STAFFED = {Instrument.ServiceMode.ASSISTED, "entrusted"}
_TAKEN = "slot-taken"


@dataclass(frozen=True)
class IdleRow:
    """The standby minutes of an instrument, by reason, and those refused by code. `opened` are its open
    minutes."""

    instrument: Instrument
    reasons: Mapping[str, int]
    codes: Mapping[str, int]

    @property
    def standby(self) -> int:
        return sum(self.reasons.values())


@dataclass(frozen=True)
class IdlePage:
    """A page of instruments, and how many there are."""

    rows: list[IdleRow]
    number: int


@dataclass
class _Found:
    """One instrument: units on offer as (first minute, last minute, units, schedule), busy
    spans by unit, claims, promises and the policies with the instants they hold from."""

    zone: ZoneInfo
    offers: list[tuple[int, int, int, UUID]] = field(default_factory=list)
    busy: dict[int, list[rules.Span]] = field(default_factory=lambda: defaultdict(list))
    claims: list[rules.Claim] = field(default_factory=list)
    promises: list[rules.Promise] = field(default_factory=list)
    policies: list[tuple[datetime, Any]] = field(default_factory=list)
    rolled: int = 0  # until when days are rolled up

    def notice_at(self, moment: datetime) -> int:
        """Return the notice in minutes by the policy in force then; before the first, by that one."""
        if not self.policies:
            return 0
        at = bisect_right(self.policies, moment, key=lambda each: each[0])
        return int(self.policies[max(at - 1, 0)][1].get("notice_minutes") or 0)


def idle_page(
    actor: Actor,
    *,
    narrowed: Mapping[str, Any],
    since: date,
    until: date,
    most: int = AT_ONCE,
    skipped: int = 0,
) -> IdlePage:
    """Return why the instruments that the person reads hours of stood idle on the local days [since, until)
    that are rolled up, some of them at a time, by name. Some fourteen statements for each fifty. Raises
    `NotPermitted` for those who read only public figures, `Invalid` (`span-too-long`) for more than
    `LONGEST_IDLE` days."""
    ids, number = _ids(actor, narrowed, since, until, most=most, skipped=skipped)
    return IdlePage(list(_rows(ids, since, until)), number)


def idle_rows(
    actor: Actor, *, narrowed: Mapping[str, Any], since: date, until: date, most: int = MOST_INSTRUMENTS
) -> Iterator[IdleRow]:
    """Yield the rows of `idle_page` for all instruments. Raises `Invalid` (`too-many-figures`) at once for
    more than `most`."""
    ids, number = _ids(actor, narrowed, since, until, most=most)
    if number > most:
        raise invalid("by", "too-many-figures", rows=number, most=most)
    return _rows(ids, since, until)


def idle_parts(actor: Actor, *, instrument: UUID, since: date, until: date) -> list[rules.Idle]:
    """Return the parts of the standby of one instrument, in their order; none if the person does not read its
    hours. Raises as `idle_page`."""
    ids, _ = _ids(actor, {"instrument": instrument}, since, until, most=1)
    return _load(ids, since, until).get(instrument, [])


def _ids(
    actor: Actor, narrowed: Mapping[str, Any], since: date, until: date, *, most: int, skipped: int = 0
) -> tuple[list[UUID], int]:
    if not reads_hours(actor):
        raise NotPermitted
    if (until - since).days > LONGEST_IDLE:
        raise invalid("until", "span-too-long", days=LONGEST_IDLE)
    instruments = instruments_in(actor, narrowed)
    return groups_page(instruments, "instrument", since, until, most=most, skipped=skipped)


def _rows(ids: Sequence[UUID], since: date, until: date) -> Iterator[IdleRow]:
    for some in batched(ids, AT_ONCE):
        instruments = Instrument.objects.select_related("facility").in_bulk(some)
        parts = _load(some, since, until)
        for pk in some:
            if pk in instruments:
                yield IdleRow(instruments[pk], *rules.sums_of(parts.get(pk, ())))


def _load(ids: Sequence[UUID], since: date, until: date) -> dict[UUID, list[rules.Idle]]:
    """Return the parts of the standby of some instruments on the local days [since, until)."""
    kept = _kept(ids, since, until)
    # A window is read whole, so that what it left unused does not depend on the days asked for.
    began = min([since, *(row.start_at.date() - DAY for row in kept)])
    found = _offered(ids, began, max([until, *(row.end_at.date() + 2 * DAY for row in kept)]))
    if not found:
        return {}
    spans = [(offer[0], offer[1]) for each in found.values() for offer in each.offers]
    earliest = rules.moment_of(min(start for start, _ in spans))
    latest = rules.moment_of(max(end for _, end in spans))
    _read_busy(found, earliest, latest)
    _read_policies(found, latest)
    _read_bookings(found, earliest, latest)
    _read_refusals(found, earliest, latest)
    _read_cards(found, began, until)
    for row in kept:
        one = found.get(row.instrument_id)
        end = rules.minute_of(min(row.end_at, row.ended_at or row.end_at))
        if one and end <= one.rolled:
            one.promises.append(rules.Promise(rules.minute_of(row.start_at), end, row.left_minutes))
    windows = _windows({offer[3] for one in found.values() for offer in one.offers}, earliest, latest)
    result = {}
    for pk, one in found.items():
        opened: dict[int, list[rules.Span]] = defaultdict(list)
        for start, end, units, schedule in one.offers:
            inside, _ = rules.parted(windows.get(schedule, []), [(start, end)])
            for unit in range(1, units + 1):
                opened[unit] += inside
        standby = {
            unit: rules.standby_of(rules.joined(pieces), [*one.busy[0], *one.busy[unit]])
            for unit, pieces in opened.items()
        }
        first, last = (rules.minute_of(day_span(one.zone, day)[0]) for day in (since, until))
        result[pk] = rules.within(rules.idle_parts(standby, one.claims, one.promises), first, last)
    return result


def _kept(ids: Sequence[UUID], since: date, until: date) -> list[Any]:
    """Return guaranteed hours whose window touches the days; those that end later do not count yet."""
    rows = kept_rows(rules.moment_of(0)).filter(instrument__in=ids, start_at__date__lte=until)
    return list(rows.filter(end_at__date__gte=since).order_by("pk"))


def _offered(ids: Sequence[UUID], since: date, until: date) -> dict[UUID, _Found]:
    rolled = dict(RollUp.objects.filter(instrument__in=ids).values_list("instrument_id", "until_date"))
    rows = ScheduleAssignment.objects.filter(
        Q(until_date=None) | Q(until_date__gt=since),
        instrument__in=ids,
        schedule__isnull=False,
        from_date__lt=until,
    ).values_list("instrument_id", "from_date", "until_date", "units", "schedule_id", "schedule__time_zone")
    found: dict[UUID, _Found] = {}
    for pk, first, last, units, schedule, name in rows.order_by("from_date"):
        zone = ZoneInfo(name)
        ended = min(last or until, until, rolled.get(pk, since))
        if (begun := max(first, since)) >= ended:
            continue
        one = found.setdefault(pk, _Found(zone, rolled=rules.minute_of(day_span(zone, rolled[pk])[0])))
        one.offers.append(
            (
                rules.minute_of(day_span(zone, begun)[0]),
                rules.minute_of(day_span(zone, ended)[0]),
                units,
                schedule,
            )
        )
    return found


def _windows(ids: Iterable[UUID], earliest: datetime, latest: datetime) -> dict[UUID, list[rules.Span]]:
    rows = OpenWindow.objects.filter(schedule__in=list(ids), span__overlap=(earliest, latest))
    spans: dict[UUID, list[rules.Span]] = defaultdict(list)
    for row in rows:
        span = (rules.minute_of(row.span.lower), rules.minute_of(row.span.upper))
        spans[row.schedule_id].append(span)
    return {pk: rules.joined(pieces) for pk, pieces in spans.items()}


def _read_busy(found: Mapping[UUID, _Found], earliest: datetime, latest: datetime) -> None:
    """Read what takes minutes out of standby: sessions and closures."""
    last = rules.minute_of(latest)
    sessions = UsageSession.objects.filter(
        Q(checked_out_at=None) | Q(checked_out_at__gt=earliest),
        instrument__in=list(found),
        checked_in_at__lt=latest,
    )
    rows: list[Any] = list(sessions.values_list("instrument_id", "unit", "checked_in_at", "checked_out_at"))
    closures = Closure.objects.filter(
        Q(end_at=None) | Q(end_at__gt=earliest), instrument__in=list(found), start_at__lt=latest
    )
    for pk, units, *span in closures.values_list("instrument_id", "units", "start_at", "end_at"):
        rows += [(pk, unit, *span) for unit in units or (0,)]
    for pk, unit, start, end in rows:
        found[pk].busy[unit].append((rules.minute_of(start), rules.minute_of(end) if end else last))


def _read_policies(found: Mapping[UUID, _Found], latest: datetime) -> None:
    """Read the policies that held, and claim the hours that were open only to the host's own people."""
    versions = PolicyVersion.objects.filter(instrument__in=list(found), valid_from__lt=latest)
    for pk, moment, policy in versions.order_by("valid_from").values_list(
        "instrument_id", "valid_from", "policy"
    ):
        found[pk].policies.append((moment, policy))
    bare = [pk for pk, one in found.items() if not one.policies]
    present = BookingPolicy.objects.filter(instrument__in=bare)
    for pk, notice, hours in present.values_list("instrument_id", "notice_minutes", "group_hours"):
        found[pk].policies.append((rules.moment_of(0), {"notice_minutes": notice, "group_hours": hours}))
    for one in found.values():
        first = rules.moment_of(min(offer[0] for offer in one.offers))
        last = rules.moment_of(max(offer[1] for offer in one.offers))
        for number, (_, policy) in enumerate(one.policies):
            own = [r for r in parse_group_hours(policy.get("group_hours"), []) if r.who == "organisation"]
            start = max(first, one.policies[number][0]) if number else first
            later = one.policies[number + 1][0] if number + 1 < len(one.policies) else last
            end = min(last, later)
            if not own or start >= end:
                continue
            low, high = rules.minute_of(start), rules.minute_of(end)
            for window, _ in windows_of(own, one.zone, Period(start, end)):
                span = max(low, rules.minute_of(window.start)), min(high, rules.minute_of(window.end))
                one.claims.append(rules.Claim(rules.NOT_OPEN, *span))


def _read_bookings(found: Mapping[UUID, _Found], earliest: datetime, latest: datetime) -> None:
    """Claim what bookings held and did not use, and what was asked for and refused."""
    bookings = Reservation.objects.filter(
        instrument__in=list(found), start_at__lt=latest + DAY, end_at__gt=earliest - DAY
    ).exclude(state__in=[_State.HELD, _State.REQUESTED])
    fields = (
        "instrument_id", "unit", "state", "start_at", "end_at", "setup_minutes", "teardown_minutes",
        "confirmed_at", "ended_at", "service_mode",
    )  # fmt: skip
    for pk, unit, state, start_at, end_at, setup, teardown, confirmed, ended, mode in bookings.values_list(
        *fields
    ):
        one = found[pk]
        start, end = rules.minute_of(start_at), rules.minute_of(end_at)
        held = (start - setup, end + teardown)
        if state in (_State.REJECTED, _State.EXPIRED, _State.DISPLACED):
            is_staffed = mode in _STAFFED and state != _State.DISPLACED
            reason = rules.NO_OPERATOR if is_staffed else rules.REFUSED
            one.claims.append(rules.Claim(reason, start, end, unit, "" if is_staffed else state))
        elif state == _State.CANCELLED:
            if confirmed is None or ended is None:
                continue
            freed = rules.minute_of(ended)
            one.claims.append(rules.Claim(rules.KEPT_UNUSED, held[0], min(held[1], freed), unit))
            late = min(held[1], freed + one.notice_at(ended))
            one.claims.append(rules.Claim(rules.LEAD_TIME, held[0], late, unit))
        else:
            if state == _State.NO_SHOW:
                one.claims.append(rules.Claim(rules.NO_SHOW, start, end, unit))
            one.claims.append(rules.Claim(rules.KEPT_UNUSED, *held, unit))


def _read_refusals(found: Mapping[UUID, _Found], earliest: datetime, latest: datetime) -> None:
    """Claim what was asked for at once and refused by a rule, or because something else had the time."""
    refused = UnmetDemand.objects.filter(
        instrument__in=list(found), wanted_from__lt=latest, wanted_until__gt=earliest
    )
    for pk, start, end, code in refused.values_list("instrument_id", "wanted_from", "wanted_until", "code"):
        span = (rules.minute_of(start), rules.minute_of(end))
        found[pk].claims.append(rules.Claim(rules.REFUSED, *span, code=code or _TAKEN))


def _read_cards(found: Mapping[UUID, _Found], since: date, until: date) -> None:
    """Claim the days on which only the host's own people have a price."""
    cards = RateCard.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=since),
        instrument__in=list(found),
        published_at__isnull=False,
        replaced_at=None,
        valid_from__lt=until,
    )
    for pk, card, first, last in cards.values_list("instrument_id", "card", "valid_from", "valid_until"):
        groups = {*card.get("rates", {}), *(name for row in card.get("usage", ()) for name in row["rates"])}
        if groups == {"internal"}:
            zone = found[pk].zone
            start, end = (
                rules.minute_of(day_span(zone, day)[0])
                for day in (max(first, since), min(last or until, until))
            )
            found[pk].claims.append(rules.Claim(rules.NOT_OPEN, start, end))
