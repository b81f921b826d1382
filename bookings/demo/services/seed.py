"""Create the demonstration world, in one transaction: all of it or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from accounts.areas import modules
from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.models import Organisation
from bookings.availability.selectors.availability import load_blocks
from bookings.catalogue.services.demand import demand_refused
from bookings.demo.services.asks import Ask, planned_ask
from bookings.demo.services.audit import audit_make, oddities_make
from bookings.demo.services.books import books_close
from bookings.demo.services.coming import coming_make, first_free, planned_make
from bookings.demo.services.connections import connections_make
from bookings.demo.services.demand import Diaries
from bookings.demo.services.files import chance, load
from bookings.demo.services.funding import agreements_make, backings_of, sources_make
from bookings.demo.services.ledger import Ledger
from bookings.demo.services.night import night_make
from bookings.demo.services.offers import offers_make, schedules_resolve
from bookings.demo.services.outages import breakdowns_of, outages_make
from bookings.demo.services.past import history_of
from bookings.demo.services.places import ACCOUNTS, PASSWORD, joining_make, places_make
from bookings.demo.services.records import inventories_make, records_make
from bookings.demo.services.rules import care_make, rules_make, training_make
from bookings.demo.services.wanting import Wanting
from bookings.hours.services.hours import hours_roll_up
from bookings.record.domain.periods import Period
from bookings.usage.services.ratings import ratings_review
from bookings.world import Calendar, Offer, Places, World
from instruments.capabilities.services.capabilities import question_ask

__all__ = ["ACCOUNTS", "PASSWORD", "Built", "NotEmpty", "NotLocal", "demo_seed"]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BEGAN = 200 * DAY  # ago
PAST = 120 * DAY
AHEAD = 21 * DAY
AUDITED = "hefei-materials"  # whose bookings hold something for auditors
MOST_DISPLACED = 2  # bookings met by one breakdown
Taken = dict[int, list[Period]]  # blocked spans by unit, in order


class NotLocal(Refused):
    """A world with known passwords is created only with bundled servers on this machine."""

    code = "not-local"


class NotEmpty(Refused):
    """The database contains a world already."""

    code = "not-empty"


@dataclass(frozen=True)
class Built:
    """The numbers of things that were created for the demonstration."""

    instruments: int
    past: int
    coming: int
    days: int


def demo_seed(*, now: datetime, say: Callable[[str], None], scale: float = 1.0) -> Built:
    """Create the demonstration world around `now`, reporting progress by `say`. `scale` reduces demand, for
    tests. Raise `NotLocal`, or `NotEmpty` if there is any organisation."""
    if not settings.LOCAL_MODE:
        raise NotLocal
    if Organisation.objects.exists():
        raise NotEmpty
    return _build(now, scale, _Teller(say))


class _Teller:
    """Reports what was created for the demonstration, and how long it took."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._since = say, monotonic()

    def __call__(self, text: str) -> None:
        now = monotonic()
        self._say(f"  {now - self._since:5.1f} s  {text}")
        self._since = now


# The trail says of every entry that it was made here.
@structlog.contextvars.bound_contextvars(request_id="seed_demo")
@transaction.atomic
def _build(now: datetime, scale: float, tell: _Teller) -> Built:
    calendar, past = Calendar(now - BEGAN, now), Period(now - PAST, now)
    places = places_make(now=calendar.began)
    tell(
        f"{len(places.regions)} regions, {len(places.organisations)} organisations, "
        f"{len(places.people)} people"
    )
    tell(f"{sources_make(places, began=calendar.began, now=now)} funding sources")
    schedules_resolve(places, calendar)
    offers = offers_make(places, calendar)
    instruments = len(load("instruments"))
    tell(f"{instruments} instruments with opening hours, rules and rates")
    tell(f"{outages_make(offers, calendar, past)} closures")
    tell(f"an agreement between two regions, and {agreements_make(places, calendar)} vouchers")
    coming = _planned_coming(places, offers, calendar)
    ledger = Ledger(now, backings_of(person.organisation for person in places.researchers))
    later = _past_make(places, offers, calendar, ledger, scale)
    oddities_make(ledger, AUDITED, now)
    ledger.store()
    past_bookings = len(ledger.reservations)
    tell(f"{past_bookings} past bookings (generated) with sessions, charges and their trail")
    drawn = books_close(now)
    tell(f"{drawn.statements} statements and {drawn.settlements} settlements of past months")
    coming += _coming_make(later, now)
    tell(f"{coming} bookings to come, some waiting for a decision")
    world = World(places, offers, calendar)
    stories_tell("begin", world, tell)
    afm = next(offer.instrument for offer in offers if offer.key == "hf-afm")
    question_ask(
        By(places.people["researcher@demo.test"].actor, now - 5 * HOUR),
        instrument_id=afm.pk,
        parameter="sample_temperature",
    )
    tell("a question about an instrument")
    tell(f"{connections_make(places, now)} choices, calendars and a webhook")
    tell(f"{rules_make(places, offers, now)} instruments with limits, shares or certificates")
    care_make(offers, places, now)
    tell("house rules, questions and a maintenance counter of an instrument")
    tell(f"{training_make(places, offers, now)} courses")
    stories_tell("tell", world, tell)
    records = records_make(offers, began=calendar.began, now=now)
    tell(f"{records} photos and documents, a second record of one instrument, a stale one")
    host, manager = "hefei-materials", "manager@demo.test"
    number = inventories_make(places, host=host, by=manager, now=now - timedelta(hours=3))
    tell(f"{number} inventories brought as files")
    joining_make(places, now=now - timedelta(hours=20))
    tell(f"{night_make(places, now=now)} things that went wrong in the night")
    _analyse()
    first, last = (calendar.began - DAY).date(), (now + DAY).date()
    days = hours_roll_up(since=first, until=last, now=now).days
    tell(f"{days} instrument-days of hours")
    tell(f"{ratings_review(now=now)} instruments whose rating is shown")
    stories_tell("end", world, tell)
    auditor = places.people["auditor@demo.test"].actor
    tell(f"{audit_make(auditor, AUDITED, now=now)} exceptions, a finding, a sample; seals")
    return Built(instruments, past_bookings, coming, days)


def stories_tell(part: str, world: World, tell: Callable[[str], None]) -> None:
    """Call the function named `part` in each area's module `story`, where there is one, and report its
    result."""
    for story in modules("story"):
        if hasattr(story, part):
            tell(getattr(story, part)(world))


def _analyse() -> None:
    """Update the planner's statistics at once. The database would do so by itself in a minute, but until then
    it would plan for empty tables."""
    tables = [
        connection.ops.quote_name(model._meta.db_table)
        for app in ("accounts", "instruments", "bookings")
        for model in apps.get_app_config(app).get_models()
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _planned_coming(places: Places, offers: Sequence[Offer], calendar: Calendar) -> int:
    by_key = {offer.key: offer for offer in offers}
    reservations = [
        planned_make(by_key[row["instrument"]], places.people[row["person"]], row, calendar)
        for row in load("planned")["bookings"]
        if row["days"] >= 0
    ]
    return sum(reservation is not None for reservation in reservations)


def _past_make(
    places: Places, offers: Sequence[Offer], calendar: Calendar, ledger: Ledger, scale: float
) -> list[tuple[Offer, list[Ask]]]:
    """Fill the ledger with the past of every instrument; return the bookings that people want later."""
    now = calendar.now
    span = Period(now - PAST, now + AHEAD)
    blocks = load_blocks([offer.instrument.pk for offer in offers], span.padded(1440, 1440), now)
    diaries, later = Diaries(), []
    for offer in offers:
        taken: Taken = {}
        for block in sorted(blocks[offer.instrument.pk], key=lambda b: b.period):
            taken.setdefault(block.unit, []).append(block.period)
        planned = _planned_past(places, offer, calendar)
        wanting = Wanting(offer, places.researchers, now, scale=scale, diaries=diaries)
        generated = wanting.asks(span, _with(taken, offer, planned))
        asks = sorted([*planned, *generated], key=lambda a: (a.period.start, a.slot.unit))
        begun = [a for a in asks if a.period.start < now]
        history = history_of(offer, ledger, taken, span.start, now)
        history.follow(begun)
        for closed in breakdowns_of(offer, Period(span.start, now)):
            history.displace(wanting.asks(closed, {})[:MOST_DISPLACED], closed.start)
        _in_vain(offer, wanting.in_vain(begun))
        later.append((offer, [a for a in asks if a.period.start > now + HOUR]))
    return later


def _planned_past(places: Places, offer: Offer, calendar: Calendar) -> list[Ask]:
    asks = []
    for row in load("planned")["bookings"]:
        if row["instrument"] == offer.key and row["days"] < 0:
            person = places.people[row["person"]]
            slot = first_free(offer, person, row, calendar)
            if slot:
                asks.append(planned_ask(row, person, slot))
    return asks


def _with(taken: Taken, offer: Offer, planned: Sequence[Ask]) -> Taken:
    """Return the taken periods by unit, with the planned bookings and their buffers added."""
    policy = offer.policy
    everything = {unit: list(periods) for unit, periods in taken.items()}
    for one in planned:
        blocked = one.period.padded(policy.setup_minutes, policy.teardown_minutes)
        everything.setdefault(one.slot.unit, []).append(blocked)
    return {unit: sorted(periods) for unit, periods in everything.items()}


def _in_vain(offer: Offer, asks: Sequence[Ask]) -> None:
    """Record unmet demand for people who came too late for a time that somebody else had booked."""
    for one in asks:
        demand_refused(
            By(one.person.actor, one.period.start - DAY),
            organisation=one.payer,
            instrument=offer.instrument,
            period=one.period,
        )


def _coming_make(later: Sequence[tuple[Offer, list[Ask]]], now: datetime) -> int:
    count = 0
    for offer, asks in later:
        luck = chance("coming", offer.key)
        count += sum(coming_make(offer, one, luck, now) is not None for one in asks)
    return count
