"""Find the duties that keep a person from closing their account, and the texts that mention a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.domain.erasure import is_telling, mention
from accounts.domain.roles import ADMINISTRATOR, MANAGER
from accounts.models import (
    AccessRequest,
    ApiToken,
    JoinRequest,
    Membership,
    OrganisationRequest,
    RoleGrant,
    TrailEntry,
    TrailText,
    User,
)

# Whose tables are looked through: ours, and the log of Django's own admin.
APPS = ("accounts", "instruments", "bookings", "admin")
# Frozen by the database, or proofs of money; by design they name nobody (docs/people.md).
UNTOUCHED = frozenset({"trailentry", "trailtext", "user", "charge", "quote", "posting", "ledgerentry"})

# Columns with the names of things.
NAMES = frozenset({"name", "name_zh", "title", "title_zh", "label", "label_zh"})


@dataclass(frozen=True)
class Column:
    """A text column in which a person may be mentioned. `people` are the foreign keys to the persons of a
    row."""

    model: type[models.Model]
    name: str
    is_json: bool
    may_be_empty: bool
    people: tuple[str, ...]


def text_columns() -> Iterator[Column]:
    """Yield every column of every table that holds free text; new columns are included automatically."""
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            if model._meta.model_name in UNTOUCHED:
                continue
            fields = model._meta.concrete_fields
            people = tuple(f.attname for f in fields if f.related_model is User)
            for field in fields:
                is_json = isinstance(field, models.JSONField)
                is_text = isinstance(field, (models.CharField, models.TextField))
                if is_json or (is_text and not field.choices and (field.max_length or 999) >= 40):
                    yield Column(model, field.name, is_json, field.blank, people)


def addresses_of(user: User) -> list[str]:
    """Return all mail addresses of a person, in lower case, those that they have not confirmed only if nobody
    else has them."""
    confirmed, claimed = set(own_addresses_of(user)), set()
    for address in EmailAddress.objects.filter(user=user, verified=False).values_list("email", flat=True):
        others = Q(email__iexact=address) | Q(
            emailaddress__email__iexact=address, emailaddress__verified=True
        )
        if not User.objects.filter(others).exclude(pk=user.pk).exists():
            claimed.add(address.lower())
    return sorted(confirmed | claimed)


def own_addresses_of(user: User) -> list[str]:
    """Return the mail addresses that are the person's: others may be anybody's, who claims one only writes it
    down."""
    rows = EmailAddress.objects.filter(user=user).values_list("email", "verified")
    found = {user.email.lower(): True} | {address.lower(): verified for address, verified in rows}
    return sorted(address for address, verified in found.items() if verified)


def is_namesake_free(user: User) -> bool:
    """Return whether the person's name identifies them wherever it occurs: it is long enough, no other person
    and no thing has it, and an organisation has known them by it. Else who calls themselves by a common word,
    or as an instrument, could have it replaced in everybody's texts."""
    if not is_telling(user.name) or not Membership.objects.filter(user=user).exists():
        return False
    if User.objects.filter(name__iexact=user.name).exclude(pk=user.pk).exists():
        return False
    return not any(_names_a_thing(column, user) for column in text_columns() if column.name in NAMES)


def _names_a_thing(column: Column, user: User) -> bool:
    """Return whether a thing, other than the person's own, has their name or one with it."""
    mine = Q()
    for path in column.people:
        mine |= Q(**{path: user.pk})
    rows = column.model._default_manager.filter(**{f"{column.name}__iregex": mention(user.name.strip())})
    return (rows.exclude(mine) if mine else rows).exists()


def texts_about(user: User) -> models.QuerySet[TrailText]:
    """Return the reasons given in the trail for acts on the person's own records."""
    records: set[UUID] = {user.pk}
    for model in (Membership, RoleGrant, JoinRequest, AccessRequest, OrganisationRequest, ApiToken):
        rows = model._default_manager.filter(user=user)
        records |= set(rows.values_list("pk", flat=True))
    return TrailText.objects.filter(entry__in=TrailEntry.objects.filter(object_id__in=records).values("pk"))


def sole_duties(user: User) -> list[RoleGrant]:
    """Return the manager and administrator roles of a person that nobody else holds at the same place. Who
    manages a facility or an instrument alone counts for nobody's organisation."""
    others = (
        RoleGrant.objects.filter(role=OuterRef("role"), revoked_at=None, user__is_active=True)
        .exclude(user=user)
        .filter(
            Q(organisation=OuterRef("organisation"), facility_id=None, instrument_id=None)
            | Q(role=ADMINISTRATOR, organisation=None, region=None)
        )
    )
    return list(
        RoleGrant.objects.filter(
            ~Exists(others),
            user=user,
            revoked_at=None,
            role__in=[MANAGER, ADMINISTRATOR],
            facility_id=None,
            instrument_id=None,
        ).select_related("organisation")
    )
