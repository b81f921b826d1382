"""Create the regions, organisations, people and sites of the demonstration."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.selectors.memberships import load_actor
from accounts.selectors.users import ROLES_SHOWN
from accounts.services.invitations import invitation_send
from accounts.services.joining import join_ask, joining_set
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisations import organisation_create, region_create
from accounts.services.tokens import token_issue
from accounts.services.users import demo_address_vouch, user_register
from bookings.demo.services.files import load
from bookings.world import Person, Places
from instruments.managing.services.registry import facility_create

PASSWORD = "demo"  # noqa: S105 - known to everybody, and good in a demonstration only
# Who may be tried, by the job they are there to show.
ACCOUNTS: list[dict[str, Any]] = sorted(
    (row for rows in ("accounts", "people") for row in load("people")[rows] if "does" in row),
    key=lambda row: ROLES_SHOWN.index(row["roles"][0]),
)


def places_make(*, now: datetime) -> Places:
    """Create regions, organisations with their sites, and people with their roles."""
    places = Places()
    data = load("places")
    for row in data["regions"]:
        values = dict(row)
        parent = values.pop("parent", None)
        places.regions[row["code"]] = region_create(
            By(PLATFORM, now), parent=places.regions[parent] if parent else None, **values
        )
    for row in data["organisations"]:
        values = dict(row)
        region = places.regions[values.pop("region")]
        places.organisations[row["code"]] = organisation_create(By(PLATFORM, now), region=region, **values)
    for key, row in data["facilities"].items():
        values = dict(row)
        organisation = places.organisations[values.pop("organisation")]
        for name in ("latitude", "longitude"):
            values[name] = Decimal(values[name])
        places.facilities[key] = facility_create(By(PLATFORM, now), organisation=organisation, **values)
    _people_make(places, now)
    return places


def _people_make(places: Places, now: datetime) -> None:
    people = load("people")
    secret = make_password(PASSWORD)
    for row in [*people["accounts"], *people["people"]]:
        _person_make(places, row, secret if "does" in row else make_password(None), now)
    User.objects.filter(pk__in=[p.user.pk for p in places.people.values()]).update(created_at=now)


def joining_make(places: Places, *, now: datetime) -> None:
    """Create the mail domains of organisations, a few requests to join, an invitation, and a token that is of
    no use because nobody has seen it."""
    data = load("people")
    for row in data["domains"]:
        organisation = places.organisations[row["organisation"]]
        joining_set(
            By(places.manager_of(organisation).actor, now),
            organisation=organisation,
            mail_domains=row["mail_domains"],
            admits_by_mail=row["admits_by_mail"],
        )
    for row in data["asking"]:
        join_ask(
            By(places.people[row["email"]].actor, now),
            organisation=places.organisations[row["organisation"]],
            text=row["text"],
        )
    for row in data["invited"]:
        organisation = places.organisations[row["organisation"]]
        invitation_send(
            By(places.manager_of(organisation).actor, now),
            organisation=organisation,
            email=row["email"],
            roles=row["roles"],
        )
    for row in data["tokens"]:
        token_issue(
            user=places.people[row["email"]].user,
            label=row["label"],
            scopes=row["scopes"],
            lifetime=settings.TOKEN_LIFETIME,
            now=now,
        )


def _person_make(places: Places, row: Mapping[str, Any], secret: str, now: datetime) -> None:
    organisation = places.organisations.get(row.get("organisation", ""))
    region = places.regions.get(row.get("region", ""))
    home = organisation.region if organisation else region or places.regions["CN"]
    user = user_register(
        user=User(
            email=row["email"],
            name=row["name"],
            password=secret,
            language=row.get("language", "en"),
            time_zone=home.time_zone,
            is_staff=row.get("is_staff", False),
            is_demo=True,
        ),
        now=now,
    )
    demo_address_vouch(user=user)
    if organisation:
        membership_start(By(PLATFORM, now), user=user, organisation=organisation)
    facility = places.facilities[row["facility"]].pk if "facility" in row else None
    for role in row["roles"]:
        role_grant(
            By(PLATFORM, now),
            user=user,
            role=role,
            organisation=organisation,
            region=region,
            facility=facility,
        )
    places.people[row["email"]] = Person(
        user=user,
        actor=load_actor(user),
        organisation=organisation,
        roles=tuple(row["roles"]),
        field=row.get("field", ""),
        activity=row.get("activity", 1.0),
    )
