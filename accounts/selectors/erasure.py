"""Find the duties that keep a person from closing their account, and the texts that mention a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.domain.erasure import is_telling
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
    """Return all mail addresses of a person, in lower case."""
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return sorted({user.email.lower(), *(address.lower() for address in addresses)})


def is_namesake_free(user: User) -> bool:
    """Return whether the person's name identifies them wherever it occurs: it is long enough and nobody else
    has it."""
    others = User.objects.filter(name__iexact=user.name).exclude(pk=user.pk)
    return is_telling(user.name) and not others.exists()


def texts_about(user: User) -> models.QuerySet[TrailText]:
    """Return the reasons given in the trail for acts on the person's own records."""
    records: set[UUID] = {user.pk}
    for model in (Membership, RoleGrant, JoinRequest, AccessRequest, OrganisationRequest, ApiToken):
        rows = model._default_manager.filter(user=user)
        records |= set(rows.values_list("pk", flat=True))
    return TrailText.objects.filter(entry__in=TrailEntry.objects.filter(object_id__in=records).values("pk"))


def sole_duties(user: User) -> list[RoleGrant]:
    """Return the manager and administrator roles of a person that nobody else holds at the same place."""
    others = (
        RoleGrant.objects.filter(role=OuterRef("role"), revoked_at=None, user__is_active=True)
        .exclude(user=user)
        .filter(
            Q(organisation=OuterRef("organisation")) | Q(role=ADMINISTRATOR, organisation=None, region=None)
        )
    )
    return list(
        RoleGrant.objects.filter(
            ~Exists(others), user=user, revoked_at=None, role__in=[MANAGER, ADMINISTRATOR]
        ).select_related("organisation")
    )
