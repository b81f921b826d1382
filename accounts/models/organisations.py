"""Regions, organisations, and a person's place in them."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain import roles
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.roles import Places
from accounts.models.keys import new_id
from accounts.models.users import User


class Region(models.Model):
    """An administrative area. Regions flagged `shares` share instruments with each other."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scheme = models.CharField(max_length=20, help_text="ISO 3166-2 or GB/T 2260")
    code = models.CharField(max_length=20)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    # Itself and everything above it: "in this region or below" is one indexed comparison.
    lineage = ArrayField(models.UUIDField(), default=list)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    holiday_calendar = models.CharField(
        max_length=20, blank=True, help_text="Country, or country-subdivision: CN, GB-SCT, US-WA"
    )
    shares = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("region")
        constraints = [
            # Addresses, filters and roles name a region by its code alone, whatever its scheme.
            models.UniqueConstraint(fields=["code"], name="region_code_once"),
            models.CheckConstraint(condition=Q(currency__in=sorted(MINOR_DIGITS)), name="region_currency"),
        ]
        indexes = [GinIndex(fields=["lineage"], name="region_lineage")]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (), self.lineage


class Organisation(models.Model):
    """A university, institute, hospital, government body or enterprise."""

    class Kind(models.TextChoices):
        UNIVERSITY = "university", _("university")
        INSTITUTE = "institute", _("institute")
        HOSPITAL = "hospital", _("hospital")
        GOVERNMENT = "government", _("government body")
        ENTERPRISE = "enterprise", _("enterprise")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20, choices=Kind)
    is_small = models.BooleanField(default=False)
    # Its region today; `OrganisationMove` has its regions on other days, if it ever moves.
    region = models.ForeignKey(Region, models.PROTECT, related_name="organisations")
    has_moves = models.BooleanField(default=False, editable=False)
    ror = models.CharField(max_length=40, blank=True)
    # What identity providers call it: `uni.example` in `member@uni.example`. Whoever is a member
    # there becomes one here, where the organisation says so.
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    admits_by_scope = models.BooleanField(default=False)
    # Whoever has a confirmed address there may join; at once, where the organisation says so.
    mail_domains = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    admits_by_mail = models.BooleanField(default=False)
    # What statements and settlements print.
    legal_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=500, blank=True)  # lines
    tax_number = models.CharField(max_length=40, blank=True)
    # Where it is paid: what its country knows of these, and in lines what has no field.
    bank_name = models.CharField(max_length=120, blank=True, db_default="")  # with the branch
    account_number = models.CharField(max_length=40, blank=True, db_default="")
    iban = models.CharField(max_length=34, blank=True, db_default="")
    bic = models.CharField(max_length=11, blank=True, db_default="")
    bank_account = models.CharField(max_length=200, blank=True)
    bank_account_changed_at = models.DateTimeField(null=True, editable=False)
    invoice_email = models.EmailField(max_length=254, blank=True)
    order_number = models.CharField(max_length=60, blank=True, db_default="")  # of what it is billed
    # Closed for good; `merged_into` where another goes on with what it had. The other reads and
    # accounts for what it `absorbed`: those merged into it, and into them before.
    closed_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, editable=False, related_name="+")
    absorbed = ArrayField(models.UUIDField(), default=list, editable=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("organisation")
        indexes = [GinIndex(fields=["scopes"], name="organisation_scopes")]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_small=False) | Q(kind="enterprise"), name="organisation_small_is_enterprise"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(closed_at__isnull=False),
                name="organisation_merged_is_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (self.pk,), self.region.lineage


class OrganisationMove(models.Model):
    """A move of an organisation: from the local day `starts_on` on it belongs to `region`, before that to
    `from_region`. Bookings already made keep their regions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="moves")
    from_region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    starts_on = models.DateField()
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    carried_out_at = models.DateTimeField(null=True)  # since then `Organisation.region` is the new region
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("move to another region")
        constraints = [
            models.CheckConstraint(condition=~Q(region=F("from_region")), name="organisationmove_elsewhere"),
            models.UniqueConstraint(
                fields=["organisation", "starts_on"],
                condition=Q(withdrawn_at=None),
                name="organisationmove_once_a_day",
            ),
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(carried_out_at=None, withdrawn_at=None),
                name="organisationmove_one_ahead",
            ),
        ]

    @property
    def version(self) -> int:
        """Return the version of the organisation, which every change of this row raises."""
        return self.organisation.version


class Request(models.Model):
    """The base class of a person's requests, with their answers. Answered requests stay on record."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    text = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    @property
    def version(self) -> int:
        """Return the version: 2 once the request is answered or withdrawn, since it changes only once."""
        return 1 if self.decided_at is None else 2


class OrganisationRequest(Request):
    """A request to enter a missing organisation. A coordinator of its region or an administrator enters it,
    names the existing one that is meant, or declines with a reason."""

    user = models.ForeignKey(User, models.PROTECT, related_name="organisation_requests")
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20, choices=Organisation.Kind)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    ror = models.CharField(max_length=40, blank=True)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+"
    )  # the one that was entered or existed already

    class Meta:
        verbose_name = _("request for an organisation")
        indexes = [
            models.Index(
                fields=["region", "created_at"],
                condition=Q(state="requested"),
                name="organisationrequest_open",
            )
        ]

    def places(self) -> Places:
        return (self.organisation_id,) if self.organisation_id else (), self.region.lineage


class Installation(models.Model):
    """The name and the settings of this installation: one row, created by `manage.py setup`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100)
    name_zh = models.CharField(max_length=100, blank=True)
    logo = models.FileField(upload_to="installation/", blank=True)
    languages = ArrayField(models.CharField(max_length=10), default=list)  # the first is usual
    admits_strangers = models.BooleanField(default=True)  # who has no invitation may sign up
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("installation")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_one")]


class Membership(models.Model):
    """A user's place in an organisation. Ended ones stay on record."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # Of several, the one that the person's requests are for when they name none.
    is_default = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"], condition=Q(ended_at=None), name="membership_one_active"
            )
        ]


class RoleGrant(models.Model):
    """A role given to a user for an organisation, a region, or the platform. `facility_id` or
    `instrument_id` limit one to a facility or an instrument of its organisation; they name rows of another
    app, so no key holds them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="role_grants")
    role = models.CharField(
        max_length=20,
        choices=[
            (roles.RESEARCHER, _("researcher")),
            (roles.MANAGER, _("manager")),
            (roles.OPERATOR, _("operator")),
            (roles.FINANCE, _("finance")),
            (roles.COORDINATOR, _("coordinator")),
            (roles.AUDITOR, _("auditor")),
            (roles.ADMINISTRATOR, _("administrator")),
        ],
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="role_grants"
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="role_grants")
    facility_id = models.UUIDField(null=True, blank=True)
    instrument_id = models.UUIDField(null=True, blank=True)
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    limit: Any = None  # what it is limited to, where selectors/memberships.with_limits has read it

    class Meta:
        verbose_name = _("role")
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(role__in=sorted(roles.ORGANISATION_ROLES), organisation__isnull=False, region=None)
                    | Q(role__in=sorted(roles.REGION_ROLES), organisation=None, region__isnull=False)
                    | Q(role__in=sorted(roles.PLATFORM_ROLES), organisation=None, region=None)
                ),
                name="rolegrant_place_fits_role",
            ),
            models.CheckConstraint(
                condition=(
                    Q(facility_id=None, instrument_id=None)
                    | Q(role__in=sorted(roles.SCOPED_ROLES), facility_id=None)
                    | Q(role__in=sorted(roles.SCOPED_ROLES), instrument_id=None)
                ),
                name="rolegrant_one_scope",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "organisation", "region", "facility_id", "instrument_id"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="rolegrant_once_a_scope",
            ),
        ]

    @property
    def is_scoped(self) -> bool:
        """Return whether the role is held for a facility or an instrument alone."""
        return self.facility_id is not None or self.instrument_id is not None

    def places(self) -> Places:
        where = self.organisation or self.region
        return where.places() if where is not None else ((), ())
