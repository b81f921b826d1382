"""The cast of the tests: Anhui hosts, Shanghai visits.

Wang Li (researcher) and Chen Jing (manager) of Fudan University in Shanghai; Zhao Min
(manager) and Sun Tao (researcher) of USTC in Anhui; Hu Bo (researcher) of Hefei Optics, an
enterprise in Anhui; an auditor and a coordinator of Anhui; an administrator. Lin Na keeps the
accounts of Fudan, Gao Lei those of USTC; Xu coordinates Shanghai. Alice is nobody's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Organisation, OutboxMessage, Region, User
from accounts.permissions import actor_of
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisations import organisation_create, region_create
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.models import Technique
from tests.factories.cards import CARD
from tests.factories.moments import NOW, at

PASSWORD = "correct horse battery"
FILLED = {"django_migrations", "django_content_type", "auth_permission"}  # by migrating

WEEKDAYS = {
    "weekly": [{"weekday": day, "opens": "08:00", "closes": "20:00"} for day in range(1, 6)],
    "overrides": [],
    "observes_holidays": True,
}


@dataclass
class Cast:
    """Everybody and everything by name."""

    anhui: Region
    shanghai: Region
    ustc: Organisation
    fudan: Organisation
    optics: Organisation
    facility: Facility
    technique: Technique
    microscope: Instrument
    people: dict[str, User]

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def actor(self, name: str) -> Actor:
        """A person as an actor, with the grants they have now."""
        return actor_of(User.objects.get(pk=self.people[name].pk))

    def instrument(self, **changes: Any) -> Instrument:
        """Another published instrument; `policy`, `hours`, `card` replace the usual ones."""
        return publish(self, **changes)


def person(name: str, email: str, **values: Any) -> User:
    return User.objects.create_user(email, PASSWORD, name=name, time_zone="Asia/Shanghai", **values)


def build_cast() -> Cast:
    """The whole cast, made through the services."""
    china = region_create(
        By(PLATFORM, NOW),
        scheme="ISO 3166",
        code="CN",
        parent=None,
        name="China",
        name_zh="中国",
        time_zone="Asia/Shanghai",
        currency="CNY",
    )
    anhui, shanghai = (
        region_create(
            By(PLATFORM, NOW),
            scheme="ISO 3166-2",
            code=code,
            parent=china,
            name=name,
            name_zh=name_zh,
            time_zone="Asia/Shanghai",
            currency="CNY",
            holiday_calendar="CN",
            shares=True,
        )
        for code, name, name_zh in (("CN-AH", "Anhui", "安徽"), ("CN-SH", "Shanghai", "上海"))
    )
    ustc, fudan, optics = (
        organisation_create(
            By(PLATFORM, NOW), code=code, region=region, name=name, name_zh=name_zh, kind=kind
        )
        for code, region, name, name_zh, kind in (
            ("ustc", anhui, "USTC", "中国科学技术大学", "university"),
            ("fudan", shanghai, "Fudan University", "复旦大学", "university"),
            ("optics", anhui, "Hefei Optics", "合肥光学", "enterprise"),
        )
    )
    people = {
        "wang": person("Wang Li", "wang@fudan.example"),
        "chen": person("Chen Jing", "chen@fudan.example"),
        "zhao": person("Zhao Min", "zhao@ustc.example"),
        "sun": person("Sun Tao", "sun@ustc.example"),
        "hu": person("Hu Bo", "hu@optics.example"),
        "lin": person("Lin Na", "lin@fudan.example"),
        "gao": person("Gao Lei", "gao@ustc.example"),
        "xu": person("Xu Fang", "xu@shanghai.example"),
        "auditor": person("Auditor", "auditor@anhui.example"),
        "coordinator": person("Coordinator", "coordinator@anhui.example"),
        "admin": person("Administrator", "admin@commons.example"),
        "alice": person("Alice", "alice@nowhere.example"),
    }
    for name, organisation, role in (
        ("wang", fudan, "researcher"),
        ("chen", fudan, "manager"),
        ("zhao", ustc, "manager"),
        ("sun", ustc, "researcher"),
        ("hu", optics, "researcher"),
        ("lin", fudan, "finance"),
        ("gao", ustc, "finance"),
    ):
        membership_start(By(PLATFORM, NOW), user=people[name], organisation=organisation)
        role_grant(By(PLATFORM, NOW), user=people[name], role=role, organisation=organisation)
    role_grant(By(PLATFORM, NOW), user=people["auditor"], role="auditor", region=anhui)
    role_grant(By(PLATFORM, NOW), user=people["xu"], role="coordinator", region=shanghai)
    role_grant(By(PLATFORM, NOW), user=people["coordinator"], role="coordinator", region=anhui)
    role_grant(By(PLATFORM, NOW), user=people["admin"], role="administrator")
    facility = facility_create(
        By(PLATFORM, NOW),
        organisation=ustc,
        name="Instruments Centre",
        name_zh="理化中心",
        time_zone="Asia/Shanghai",
        address="96 Jinzhai Road, Hefei",
    )
    technique = Technique.objects.create(code="PaNET01198", name="electron microscopy", name_zh="电子显微镜")
    cast = Cast(
        anhui,
        shanghai,
        ustc,
        fudan,
        optics,
        facility,
        technique,
        None,
        people,  # type: ignore[arg-type]
    )
    cast.microscope = publish(cast)
    return cast


Rows = dict[str, bytes]


def rows_of_cast() -> tuple[Cast, Rows]:
    """The cast, and all rows of it by table, which are in no database."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if t not in FILLED]
        cast, rows = build_cast(), {}
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                if content := b"".join(out):
                    rows[table] = content
        transaction.set_rollback(True)
    return cast, rows


def put_in_place(rows: Rows) -> None:
    """Copies rows in, which takes a twentieth of the time of making them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers
        for table, content in rows.items():
            with cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                into.write(content)
        cursor.execute("SET LOCAL session_replication_role = origin")


def publish(
    cast: Cast,
    *,
    name: str = "Transmission electron microscope",
    hours: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    card: dict[str, Any] | None = None,
    now: datetime = NOW - timedelta(days=30),
    **values: Any,
) -> Instrument:
    """An instrument of USTC, registered and published by its manager."""
    zhao = cast.actor("zhao")
    instrument = instrument_create(
        By(zhao, now),
        facility=cast.facility,
        techniques=values.pop("techniques", [cast.technique]),
        name=name,
        name_zh=values.pop("name_zh", "透射电子显微镜"),
        description="Atomic resolution imaging at 300 kV.",
        manufacturers=[{"name": "Thermo Fisher"}],
        model="Titan",
        service_modes=values.pop("service_modes", ["self", "assisted"]),
        **values,
    )
    opening_hours_set(By(zhao, now), instrument_id=instrument.pk, hours=parse_hours(hours or WEEKDAYS))
    policy_set(
        By(zhao, now),
        instrument_id=instrument.pk,
        policy=parse_policy({"slot_minutes": 30, "max_minutes": 480} | (policy or {})),
    )
    rate_card_create(
        By(zhao, now), instrument_id=instrument.pk, card=parse_rate_card(CARD | (card or {})), publish=True
    )
    made = instrument_publication(By(zhao, now), instrument_id=instrument.pk, act="publish")
    OutboxMessage.objects.filter(kind="instrument.published").delete()  # as though it were told
    return made


def reserve(
    cast: Cast,
    start: str,
    end: str,
    *,
    who: str = "wang",
    instrument: Instrument | None = None,
    now: datetime = NOW,
    **values: Any,
) -> Reservation:
    """A reservation made through the service."""
    return reservation_request(
        By(cast.actor(who), now),
        booking=Booking(
            instrument_id=(instrument or cast.microscope).pk,
            period=Period(at(start), at(end)),
            organisation=values.pop("organisation", None),
            service_mode=values.pop("service_mode", "self"),
            **values,
        ),
    )
