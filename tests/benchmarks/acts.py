"""What is measured, in the world that `volume` built."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max
from django.test import Client
from django.utils import timezone

from accounts.domain.errors import Refused
from accounts.domain.roles import Actor, By
from accounts.models import User
from accounts.permissions import actor_of
from accounts.services.tokens import SCOPES, token_issue
from bookings.catalogue.selectors.calendars import load_board, load_week
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH, instrument_to_book
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import entries, facets, page

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNING_IN = 3  # the token, the grants, the memberships
BEYOND = 25  # days after which the builder has put no booking


def people(most: int) -> list[Actor]:
    """Researchers of as many universities."""
    users = User.objects.filter(
        memberships__organisation__kind="university", role_grants__role="researcher"
    ).order_by("memberships__organisation__code", "email")
    seen: dict[Any, User] = {}
    for user in users:
        seen.setdefault(user.memberships.get().organisation_id, user)
        if len(seen) == most:
            break
    return [actor_of(user) for user in seen.values()]


def always_open() -> list[Any]:
    """Instruments that anyone may book at any hour, some days ahead, without being asked."""
    return list(
        Instrument.objects.filter(
            schedule__hours__weekly__contains=[{"opens": "00:00", "closes": "24:00"}],
            policy__approval="automatic",
            policy__notice_minutes__lte=120,
            policy__horizon_days__external=60,
            policy__units=1,
        )
        .order_by("id")
        .values_list("id", flat=True)
    )


def midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


class Reserving:
    """Each booking has an instrument and an hour of its own, after all that there are; the
    buffers of two never meet."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people = people(20)
        self.instruments = always_open()
        # The index by end is of open reservations alone.
        last = Reservation.objects.filter(state="confirmed").aggregate(last=Max("end_at"))["last"]
        self.first = max(midnight(now) + BEYOND * DAY, midnight(last or now) + DAY)
        modes = dict(Instrument.objects.filter(pk__in=self.instruments).values_list("pk", "service_modes"))
        self.modes = [modes[pk][0] for pk in self.instruments]

    def booking(self, number: int) -> Booking:
        place = number % len(self.instruments)
        start = self.first + number // len(self.instruments) * 3 * HOUR
        return Booking(
            instrument_id=self.instruments[place],
            period=Period(start, start + HOUR),
            organisation=None,
            service_mode=self.modes[place],
        )

    def one(self, number: int) -> None:
        actor = self.people[number % len(self.people)]
        reservation_request(By(actor, self.now), booking=self.booking(number))

    def same(self, client: int, round_: int) -> str:
        """For a race: everybody wants the booking of the round. What came of it."""
        actor = self.people[client % len(self.people)]
        try:
            reservation_request(By(actor, self.now), booking=self.booking(round_))
        except Refused as refused:
            return str(refused.code)
        return "won"


def one_week(now: datetime) -> tuple[Callable[[int], Any], float]:
    """The week of one of the fullest instruments, with its free starts; how many bookings lie
    in such a week."""
    week = Period(midnight(now) + DAY, midnight(now) + 8 * DAY)
    busy = fullest(week)
    (actor,) = people(1)

    def act(number: int) -> None:
        found = instrument_to_book(actor, busy[number % len(busy)]["instrument_id"])
        load_week(actor, found, None, week, now, minutes=60)

    return act, sum(row["number"] for row in busy) / len(busy)


def fullest(week: Period) -> list[dict[str, Any]]:
    """The two hundred instruments with most bookings in a week, and how many."""
    return list(
        Occupancy.objects.filter(span__overlap=(week.start, week.end))
        .values("instrument_id")
        .annotate(number=Count("pk"))
        .order_by("-number", "instrument_id")[:200]
    )


def all_weeks(now: datetime, most: int = 200) -> tuple[Callable[[int], Any], int]:
    """The board of so many instruments for a week; how many bookings lie in it."""
    week = Period(midnight(now) + DAY, midnight(now) + 8 * DAY)
    (actor,) = people(1)

    def act(number: int) -> int:
        # As many as a large centre has, that together have about three bookings each.
        found = Instrument.objects.select_related(*WITH).order_by("id")
        rows = load_board(actor, list(found[number % 7 * most :][:most]), week, now)
        return sum(len(row.entries) for row in rows)

    return act, act(0)


class Asking:
    """The catalogue as a program sees it: from the request to the last byte of JSON."""

    def __init__(self) -> None:
        user = User.objects.filter(memberships__organisation__kind="university").first()
        _, token = token_issue(user=user, label="bench", lifetime=30 * DAY, now=timezone.now(), scopes=SCOPES)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = Client()

    def get(self, **query: Any) -> Callable[[int], int]:
        """Pages of one search: every request the next page, to the fourth, and again."""
        address = "/api/v1/instruments/?" + urlencode(
            {"limit": 50}
            | {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in query.items()
            }
        )
        pages = [address]

        def act(number: int) -> int:
            place = number % 4
            response = self.client.get(
                pages[min(place, len(pages) - 1)], headers=self.headers
            )  # fmt: skip
            if response.status_code != 200:
                raise RuntimeError(response.content[:300])
            body = response.json()
            if body["next"] and len(pages) == place + 1 < 4:
                pages.append(body["next"])
            return len(body["results"])

        return act


# As people ask: broad and narrow, in both languages, by name, maker, model, abbreviation, in
# part; and with a choice made of a facet or two.
ASKED = (
    "zeiss microscope", "质谱", "xrd", "confocal", "nmr bruker", "电子显微镜", "mass spec",
    "raman", "透射", "x-ray photoelectron spectroscopy", "th-213", "sequencer illumina",
    "拉曼光谱仪", "jeol tem", "ftir", "microscope", "hitachi scanning electron microscope",
    "thermal anal", "Organisation 0012", "focused ion beam 扫描",
)  # fmt: skip
CHOSEN: tuple[dict[str, str], ...] = (
    {},
    {"region": "CN"},
    {"maker": "Zeiss"},
    {"service_mode": "self", "region": "DE-02"},
)


def search_with_facets(number: int) -> int:
    """The first twenty records and all facets, of one question after the other."""
    text = ASKED[number % len(ASKED)]
    criteria = Criteria(text=text, **CHOSEN[number // len(ASKED) % len(CHOSEN)])
    counted = facets(criteria, nearest=20)
    found = page(criteria, entries(criteria), 0, 20, counted)
    return len(found) + counted.total
