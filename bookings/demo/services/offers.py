"""Create the instruments of the demonstration: records, hours, rules, rates, publication."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation
from bookings.demo.services.files import load
from bookings.pricing.selectors import fees
from bookings.world import Calendar, Offer, Person, Places
from instruments.capabilities.services.capabilities import capability_add
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import instrument_create
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set, schedule_for
from instruments.policy.domain.policies import parse_policy
from instruments.policy.selectors.policies import load_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import RateCardValues, parse_rate_card
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.reading.domain.clock import local_date
from instruments.register.models import Facility, Instrument
from instruments.search.services.search import words_gather
from instruments.vocabulary.adapters.vocabularies import shipped, shipped_measurands, shipped_parameters
from instruments.vocabulary.domain.parameters import statements_in
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters
from instruments.vocabulary.services.techniques import measurands_import, parameters_import, techniques_import

DAY = timedelta(days=1)
RAISED_BEFORE = timedelta(days=75)  # when the present rates were announced, of those that rose


def group_of(offer: Offer, payer: Organisation, day: date) -> str:
    """Return the price group of a payer on a local day."""
    return fees.group_of(offer.instrument, fees.Backing(payer), day)


def techniques_make(now: datetime) -> dict[str, Technique]:
    """Load the vocabularies that come with the platform, and return the techniques by code."""
    techniques_import(By(PLATFORM, now), terms=shipped())
    measurands_import(By(PLATFORM, now), measurands=shipped_measurands())
    parameters_import(By(PLATFORM, now), parameters=shipped_parameters().values())
    return Technique.objects.in_bulk(field_name="code")


def offers_make(places: Places, calendar: Calendar) -> list[Offer]:
    """Create every instrument in the files; return those that can be or could once be booked."""
    techniques = techniques_make(calendar.began)
    offers = []
    for data in load("instruments"):
        facility = places.facilities[data["facility"]]
        manager = places.manager_of(facility.organisation)
        instrument = _registered(data, facility, techniques, manager, calendar.began)
        _capabilities_state(instrument, data, manager, calendar.began)
        if "opens" in data:
            _terms_set(instrument, data, manager, calendar)
        publication = data.get("publication", "published")
        if publication == "submitted":
            _publication(instrument, manager, "submit", calendar.now - 2 * DAY)
        if publication != "published":
            continue
        _publication(instrument, manager, "publish", calendar.began + 2 * DAY)
        until = None
        if "suspended_days" in data:
            until = calendar.now - data["suspended_days"] * DAY
            reason = "The optics are being exchanged."
            _publication(instrument, manager, "suspend", until, reason)
        offers.append(_offer(data, instrument, manager, until))
    words_gather()
    return offers


def _registered(
    data: Mapping[str, Any],
    facility: Facility,
    techniques: Mapping[str, Technique],
    manager: Person,
    now: datetime,
) -> Instrument:
    organisation = facility.organisation
    acquired = data["acquired"]
    identifier = data.get("identifier", "")
    chosen = [techniques[code] for code in data["techniques"]]
    return instrument_create(
        By(manager.actor, now),
        facility=facility,
        techniques=chosen,
        name=data["name"],
        name_zh=data["name_zh"],
        description=data["description"],
        description_zh=data["description_zh"],
        identifier=identifier,
        identifier_type="DOI" if identifier else "",
        owners=[{"name": organisation.name}],
        manufacturers=[{"name": data["maker"]}],
        model=data["model"],
        instrument_types=[{"name": chosen[0].name}],
        measured_variables=[{"name": name} for name in data["measures"]],
        dates=[{"date": acquired.isoformat(), "date_type": "Commissioned"}],
        alternate_identifiers=[{"identifier": data["key"].upper(), "identifier_type": "InventoryNumber"}],
        acquisition_cost=Decimal(data["cost"]),
        acquisition_currency=organisation.region.currency,
        acquisition_date=acquired,
        service_modes=data["modes"],
        kind=data.get("kind", "general"),
        room=data["room"],
    )


def _capabilities_state(
    instrument: Instrument, data: Mapping[str, Any], manager: Person, now: datetime
) -> None:
    """State what the file says that the instrument can do, as checked when it was acquired."""
    parameters = load_parameters()
    for read in statements_in(data.get("can", ""), parameters)[0]:
        terms, stated = parameters[read.stated.parameter], read.stated
        low, high = stated.minimum, stated.maximum
        capability_add(
            By(manager.actor, now),
            instrument_id=instrument.pk,
            parameter=terms.code,
            minimum=None if low is None else terms.shown(low, read.unit),
            maximum=None if high is None else terms.shown(high, read.unit),
            unit=read.unit,
            condition=stated.condition,
            checked_on=data["acquired"],
        )


def _terms_set(instrument: Instrument, data: Mapping[str, Any], manager: Person, calendar: Calendar) -> None:
    """Set hours, rules and rates, as of the day on which the platform began."""
    zone = ZoneInfo(instrument.facility.time_zone)
    hours = _hours(data, calendar, zone)
    opening_hours_set(
        By(manager.actor, calendar.began), instrument_id=instrument.pk, hours=parse_hours(hours)
    )
    rules = load("terms")["policies"][data["rules"]] | {"units": data.get("units", 1)}
    policy_set(By(manager.actor, calendar.began), instrument_id=instrument.pk, policy=parse_policy(rules))
    year = calendar.day(zone, 0).year
    cards = [(date(year - 1, 1, 1), 100, calendar.began)]
    if data.get("raised"):
        rose = calendar.day(zone, -60).replace(day=1)
        earlier = load("terms")["earlier_percent"]
        cards = [(date(year - 1, 1, 1), earlier, calendar.began), (rose, 100, calendar.now - RAISED_BEFORE)]
    for valid_from, percent, moment in cards:
        rate_card_create(
            By(manager.actor, moment),
            instrument_id=instrument.pk,
            card=_card(data, instrument.region.currency, valid_from, percent),
            publish=True,
        )


def _hours(data: Mapping[str, Any], calendar: Calendar, zone: ZoneInfo) -> dict[str, object]:
    named = load("terms")["hours"][data["opens"]]
    overrides = load("planned")["overrides"].get(data["key"], [])
    return {
        "weekly": [
            {"weekday": day, "opens": opens, "closes": closes}
            for day in named["days"]
            for opens, closes in named["windows"]
        ],
        "overrides": [
            {
                "date": calendar.day(zone, override["days"]).isoformat(),
                "windows": [{"opens": o, "closes": c} for o, c in override["windows"]],
            }
            for override in overrides
        ],
        "observes_holidays": named["observes_holidays"],
    }


def _card(data: Mapping[str, Any], currency: str, valid_from: date, percent: int) -> RateCardValues:
    terms = load("terms")
    named = dict(terms["cards"][data["card"]])
    step = terms["round_to"][currency]
    shares = terms["groups"][named.pop("groups")]

    def rates(rate: int) -> dict[str, str]:
        return {
            group: str(max(step, round(rate * share * percent / 10000 / step) * step))
            for group, share in shares.items()
        }

    options = [
        {"code": code, "unit": "hour" if code == "operator" else "each", "subsidised": code == "operator"}
        | (told if isinstance(told, dict) else {})
        | {"price": str(told["price"] if isinstance(told, dict) else told)}
        for code, told in data.get("options", {}).items()
    ]
    ways = [way | {"rates": rates(way["rate"])} for way in data.get("ways", ())]
    for way in ways:
        del way["rate"]
    return parse_rate_card(
        named
        | {
            "currency": currency,
            "valid_from": valid_from.isoformat(),
            **({"usage": ways} if ways else {"rates": rates(data["rate"])}),
            "setup_fee": str(data.get("setup_fee", 0)),
            "options": options,
            "tax_percent": terms["tax_percent"][currency],
        }
    )


def _publication(instrument: Instrument, manager: Person, act: str, now: datetime, reason: str = "") -> None:
    instrument_publication(By(manager.actor, now), instrument_id=instrument.pk, act=act, reason=reason)


def _offer(data: Mapping[str, Any], instrument: Instrument, manager: Person, until: datetime | None) -> Offer:
    instrument = Instrument.objects.select_related(
        "facility", "organisation__region", "region__parent", "schedule", "policy"
    ).get(pk=instrument.pk)
    cards = RateCard.objects.filter(instrument=instrument, published_at__isnull=False)
    return Offer(
        key=data["key"],
        data=data,
        instrument=instrument,
        manager=manager,
        policy=load_policy(instrument.policy),
        cards=tuple(load_card(row) for row in cards.order_by("version")),
        until=until,
    )


def schedules_resolve(places: Places, calendar: Calendar) -> int:
    """Compute the opening windows of all schedules from before the platform began until next year, once for
    each schedule, before any instrument uses it; return how many schedules there are."""
    schedule_ids = set()
    for data in load("instruments"):
        if "opens" in data:
            facility = places.facilities[data["facility"]]
            zone = ZoneInfo(facility.time_zone)
            schedule = schedule_for(
                time_zone=facility.time_zone,
                holiday_calendar=facility.organisation.region.holiday_calendar,
                hours=_hours(data, calendar, zone),
                now=calendar.now,
                since=local_date(zone, calendar.began) - 40 * DAY,
            )
            schedule_ids.add(schedule.pk)
    return len(schedule_ids)
