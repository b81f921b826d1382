"""A register of any size for the benchmarks: places, people, techniques, hours, instruments.

Everything follows from the numbers asked for: the same numbers give the same rows, with the
same keys. What the platform would refuse is not written: hours, policies and rate cards pass
its own parsers first, and the database checks every row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, Organisation, Region, RoleGrant, User
from instruments.opening.models import Schedule, ScheduleAssignment
from instruments.opening.services.opening import schedule_for
from instruments.policy.domain.policies import parse_policy, policy_to_json
from instruments.policy.models import BookingPolicy
from instruments.rates.domain.ratecards import PRICE_GROUPS, parse_rate_card, to_json
from instruments.rates.models import RateCard
from instruments.register.models import Facility, Instrument
from instruments.search.services.search import register_file
from instruments.vocabulary.adapters.vocabularies import shipped
from instruments.vocabulary.models import Technique
from instruments.vocabulary.services.techniques import techniques_import
from tests.benchmarks.keys import key

# zone, holiday calendar, currency, how many regions
COUNTRIES = (
    ("CN", "Asia/Shanghai", "CN", "CNY", 18),
    ("XJ", "Asia/Urumqi", "CN", "CNY", 2),
    ("DE", "Europe/Berlin", "DE", "EUR", 6),
    ("US", "America/Chicago", "US", "USD", 4),
)
KINDS = ("university", "university", "institute", "hospital", "enterprise")
WORDS = (
    ("Transmission electron microscope", "透射电子显微镜"),
    ("Scanning electron microscope", "扫描电子显微镜"),
    ("Confocal microscope", "共聚焦显微镜"),
    ("Atomic force microscope", "原子力显微镜"),
    ("X-ray diffractometer", "X射线衍射仪"),
    ("X-ray photoelectron spectrometer", "X射线光电子能谱仪"),
    ("Mass spectrometer", "质谱仪"),
    ("Nuclear magnetic resonance spectrometer", "核磁共振波谱仪"),
    ("Raman spectrometer", "拉曼光谱仪"),
    ("Infrared spectrometer", "红外光谱仪"),
    ("Gas chromatograph", "气相色谱仪"),
    ("Liquid chromatograph", "液相色谱仪"),
    ("Flow cytometer", "流式细胞仪"),
    ("Gene sequencer", "基因测序仪"),
    ("Focused ion beam", "聚焦离子束"),
    ("Thermal analyser", "热分析仪"),
    ("Surface area analyser", "比表面分析仪"),
    ("Particle size analyser", "粒度分析仪"),
    ("Electrochemical workstation", "电化学工作站"),
    ("Universal testing machine", "万能试验机"),
)
MAKERS = (
    "Thermo Fisher", "Zeiss", "JEOL", "Hitachi", "Bruker", "Agilent", "Shimadzu", "Waters",
    "Oxford", "Malvern", "Leica", "Nikon", "Rigaku", "Horiba", "Netzsch", "Illumina",
)  # fmt: skip
# Weekdays, opens, closes. Some never close, some work on Saturdays or at night.
HOURS = (
    (range(1, 6), "08:00", "20:00"),
    (range(1, 6), "09:00", "17:00"),
    (range(1, 6), "08:30", "17:30"),
    (range(1, 7), "08:00", "18:00"),
    (range(1, 8), "00:00", "24:00"),
    (range(1, 8), "07:00", "23:00"),
    (range(1, 6), "08:00", "22:00"),
    (range(1, 6), "20:00", "08:00"),
    (range(1, 8), "09:00", "21:00"),
    (range(1, 5), "10:00", "18:00"),
)
POLICIES = (
    {"slot_minutes": 30, "max_minutes": 480},
    {"slot_minutes": 30, "max_minutes": 720, "setup_minutes": 15, "teardown_minutes": 15},
    {"slot_minutes": 60, "max_minutes": 600},
    {"slot_minutes": 15, "max_minutes": 240, "teardown_minutes": 15},
    {"slot_minutes": 30, "max_minutes": 1440, "notice_minutes": 120},
    {"slot_minutes": 30, "max_minutes": 480, "approval": "manual", "notice_minutes": 1440},
    {"slot_minutes": 60, "max_minutes": 480, "setup_minutes": 30, "units": 2},
    {"slot_minutes": 30, "max_minutes": 480, "horizon_days": {"external": 30, "industry": 14}},
)
PER_FACILITY = 150
MEMBERS = 8  # of an organisation
PASSWORD = "!"  # nobody signs in with one


@dataclass(frozen=True)
class Places:
    """What instruments are put into."""

    regions: list[Region]
    organisations: list[Organisation]
    facilities: list[Facility]
    techniques: list[Technique]
    users: list[User]
    schedules: dict[tuple[str, str], list[Schedule]]  # by zone and holiday calendar


def copy(model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with COPY. All name the same fields; the others take the model's default."""
    fields = list(model._meta.concrete_fields)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    usual = [field.get_db_prep_save(field.get_default(), connection) for field in fields]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN") as out,
    ):
        named: list[tuple[int, Any]] = []
        for row in rows:
            named = named or [(i, f) for i, f in enumerate(fields) if f.attname in row]
            values = usual.copy()
            for i, field in named:
                values[i] = field.get_db_prep_save(row[field.attname], connection)
            out.write_row(values)


def build_register(instruments: int, *, now: datetime, history: timedelta, is_filed: bool = True) -> Places:
    """Places, people and so many instruments, all published, with hours known since the
    beginning of the history, and filed for the search, which takes longer than all the rest. The
    database must be empty."""
    places = _places(max(1, instruments // PER_FACILITY), now, history)
    kinds = [_Kind(number, places) for number in range(len(WORDS) * len(MAKERS))]

    def all_of(make: Any) -> Iterator[dict[str, Any]]:
        return (make(n, kinds[_mixed(n) % len(kinds)]) for n in range(instruments))

    def instrument(n: int, kind: "_Kind") -> dict[str, Any]:
        facility = places.facilities[n % len(places.facilities)]
        organisation = facility.organisation
        model = f"{kind.maker[:2].upper()}-{100 + _mixed(n) % 900}"
        name = f"{kind.word} {model}"
        hours = places.schedules[facility.time_zone, organisation.region.holiday_calendar]
        return {
            "id": key(1, n),
            "short_code": f"{n:07d}",  # random ones would meet once in six such worlds
            "facility_id": facility.pk,
            "organisation_id": organisation.pk,
            "region_id": organisation.region_id,
            "schedule_id": hours[_mixed(n + 7) % len(hours)].pk,
            "name": name,
            "name_zh": f"{kind.word_zh} {model}",
            "model": model,
            "manufacturers": [{"name": kind.maker}],
            "owners": [{"name": organisation.name}],
            "description": f"{name} of {organisation.name}, open to other organisations.",
            "service_modes": ["self", "assisted"] if n % 3 else ["assisted", "entrusted"],
            "publication": Instrument.Publication.PUBLISHED,
            "published_at": now - history,
            "created_at": now - history,
            "updated_at": now - history,
        }

    def assignment(n: int, kind: "_Kind") -> dict[str, Any]:
        row = instrument(n, kind)
        return {
            "id": n + 1,
            "instrument_id": row["id"],
            "schedule_id": row["schedule_id"],
            "units": _policy(n)["units"],
            "from_date": (now - history).date(),
            "until_date": None,
        }

    def card(n: int, kind: "_Kind") -> dict[str, Any]:
        facility = places.facilities[n % len(places.facilities)]
        content = _card(facility.organisation.region.currency, _mixed(n + 3), now - history)
        return {
            "id": key(2, n),
            "instrument_id": key(1, n),
            "version": 1,
            "card": content,
            "currency": content["currency"],
            "valid_from": (now - history).date(),
            "published_at": now - history,
            "created_at": now - history,
        }

    copy(Instrument, all_of(instrument))
    copy(
        Instrument.techniques.through,
        (
            {"id": n + 1, "instrument_id": key(1, n), "technique_id": kind.technique.pk}
            for n, kind in enumerate(kinds[_mixed(n) % len(kinds)] for n in range(instruments))
        ),
    )
    copy(BookingPolicy, all_of(lambda n, kind: {"instrument_id": key(1, n)} | _policy(n)))
    copy(RateCard, all_of(card))
    copy(ScheduleAssignment, all_of(assignment))
    with connection.cursor() as cursor:
        for model in (Instrument.techniques.through, ScheduleAssignment):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), %s)", [instruments]
            )
    if is_filed:
        register_file()
    return places


class _Kind:
    """Instruments of one sort by one maker."""

    def __init__(self, number: int, places: Places) -> None:
        self.word, self.word_zh = WORDS[number % len(WORDS)]
        self.maker = MAKERS[number // len(WORDS)]
        self.technique = places.techniques[number % len(places.techniques)]


def _mixed(number: int) -> int:
    """A number that looks like chance and is not."""
    return (number * 2654435761 >> 7) % 1000003


def _policy(n: int) -> dict[str, Any]:
    return POLICY_ROWS[_mixed(n + 11) % len(POLICY_ROWS)]


# What none of them says is left to the model.
POLICY_ROWS = [
    {name: value for name, value in policy_to_json(parse_policy(data)).items() if value is not None}
    for data in POLICIES
]


@lru_cache(maxsize=1000)
def _card(currency: str, chance: int, since: datetime) -> dict[str, Any]:
    base = 20 + chance % 30 * 10
    factors = dict(zip(PRICE_GROUPS, ("1", "1.5", "1.5", "2", "4"), strict=True))
    if chance % 20 == 0:
        del factors["industry"]  # one in twenty does not serve enterprises
    return to_json(
        parse_rate_card(
            {
                "currency": currency,
                "valid_from": since.date().isoformat(),
                "rates": {group: str(base * Decimal(factor)) for group, factor in factors.items()},
                "billing_increment_minutes": 15,
                "setup_fee": "50.00",
                "tax_percent": "6",
                "cancellation": [
                    {"notice_minutes": 1440, "percent": "0"},
                    {"notice_minutes": 0, "percent": "50"},
                ],
            }
        )
    )


def _places(facilities: int, now: datetime, history: timedelta) -> Places:
    regions, schedules = [], {}
    for code, zone, calendar, currency, count in COUNTRIES:
        country = Region(
            scheme="bench", code=code, name=code, time_zone=zone, currency=currency,
            holiday_calendar=calendar,
        )  # fmt: skip
        country.lineage = [country.pk]
        below = [
            Region(
                scheme="bench", code=f"{code}-{n:02d}", name=f"Region {code}-{n:02d}",
                parent=country, time_zone=zone, currency=currency, holiday_calendar=calendar,
                shares=True,
            )
            for n in range(count)
        ]  # fmt: skip
        for region in below:
            region.lineage = [region.pk, country.pk]
        Region.objects.bulk_create([country, *below])
        regions += below
        schedules[zone, calendar] = [
            schedule_for(
                time_zone=zone,
                holiday_calendar=calendar,
                hours={
                    "weekly": [{"weekday": d, "opens": opens, "closes": closes} for d in days],
                    "observes_holidays": n % 2 == 1,
                },
                now=now,
                since=(now - history).date(),
            )
            for n, (days, opens, closes) in enumerate(HOURS)
        ]
    organisations = [
        Organisation(
            code=f"bench-{n}", name=f"Organisation {n:04d}", kind=KINDS[n % len(KINDS)],
            region=regions[n % len(regions)],
        )
        for n in range(max(len(regions), facilities // 2))
    ]  # fmt: skip
    sites = [
        Facility(
            organisation=organisations[n % len(organisations)], name=f"Facility {n:04d}",
            time_zone=organisations[n % len(organisations)].region.time_zone,
        )
        for n in range(max(len(organisations), facilities))
    ]  # fmt: skip
    return Places(
        regions,
        Organisation.objects.bulk_create(organisations),
        Facility.objects.bulk_create(sites),
        _techniques(now),
        _people(organisations, now - history),
        schedules,
    )


def _techniques(now: datetime) -> list[Technique]:
    """Those that come with the platform, and ten broad ones with sixteen narrower each; the
    narrow ones."""
    techniques_import(By(PLATFORM, now), terms=shipped())
    broad = [Technique(code=f"BENCH{n:02d}", name=f"technique {n:02d}") for n in range(10)]
    narrow = [
        Technique(code=f"BENCH{n % 10:02d}{n:03d}", name=f"narrow technique {n:03d}") for n in range(160)
    ]
    Technique.objects.bulk_create([*broad, *narrow])
    links = Technique.parents.through
    links.objects.bulk_create(
        links(from_technique=child, to_technique=broad[n % 10]) for n, child in enumerate(narrow)
    )
    return narrow


def _people(organisations: Sequence[Organisation], since: datetime) -> list[User]:
    users = User.objects.bulk_create(
        User(email=f"user{n}@bench.example", name=f"User {n}", password=PASSWORD)
        for n in range(len(organisations) * MEMBERS)
    )
    of = [organisations[n // MEMBERS] for n in range(len(users))]
    Membership.objects.bulk_create(
        Membership(user=user, organisation=organisation, started_at=since)
        for user, organisation in zip(users, of, strict=True)
    )
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, role="researcher", organisation=organisation, granted_at=since)
        for user, organisation in zip(users, of, strict=True)
    )
    return users
