"""Needs: what somebody wants to find out, kept until instruments meet it."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.needs.domain import needs as rules
from bookings.record.models.amounts import amount_field
from bookings.record.models.copies import Copied
from bookings.record.models.references import Referenced
from instruments.register.models import Instrument


class Need(Referenced, Copied):
    """A need: what somebody wants to find out, when, and for how much. The author, the payer's managers and
    the readers named by these may read it.

    readers: named by id; reader_addresses: named by mail, in lower case as they were entered, whether or not
    they belong to an account (`read_by`); terms: codes of chosen measurands and techniques, the most telling
    first; requirements: as texts, each `{parameter, low, high}` in the unit of the parameter; sample: its
    form; quantity: of samples; modes, regions: empty for any; budget: in the currency of the payer's region;
    weights: of the parts of a match, those of `domain/matching.py` if empty; is_flexible: any time in the
    window suits, so a batch may offer one.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Shown(models.TextChoices):
        """The state at a moment, which follows from what has come of a need (`domain/needs`)."""

        OPEN = rules.OPEN, pgettext_lazy("need", "open")
        ASKED = rules.ASKED, pgettext_lazy("need", "with the hosts")
        OFFERED = rules.OFFERED, pgettext_lazy("need", "time held")
        BOOKED = rules.BOOKED, pgettext_lazy("need", "booked")
        DONE = rules.DONE, pgettext_lazy("need", "done")
        OVER = rules.OVER, pgettext_lazy("need", "time is over")
        WITHDRAWN = rules.WITHDRAWN, pgettext_lazy("need", "withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    readers = models.ManyToManyField(User, related_name="+", blank=True)
    reader_addresses = ArrayField(models.CharField(max_length=254), default=list, db_default=[])
    text = models.CharField(max_length=2000)
    terms = ArrayField(models.CharField(max_length=60), default=list)
    requirements = models.JSONField(default=list)
    sample = models.CharField(max_length=200, blank=True)
    quantity = models.PositiveIntegerField(null=True)
    modes = ArrayField(models.CharField(max_length=10, choices=Instrument.ServiceMode), default=list)
    regions = models.ManyToManyField(Region, related_name="+", blank=True)
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    budget = amount_field(null=True)
    currency = models.CharField(max_length=3)
    weights = models.JSONField(default=dict)
    is_flexible = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("need")
        constraints = [
            models.CheckConstraint(
                condition=Q(latest__gt=F("earliest")) & Q(minutes__gt=0), name="need_forward"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="need_user"),
            models.Index(fields=["organisation", "-created_at"], name="need_organisation"),
            GinIndex(fields=["reader_addresses"], name="need_reader_addresses"),
            models.Index(fields=["modified", "id"], name="need_modified"),
        ]

    @property
    def shown_readers(self) -> list[dict[str, Any]]:
        """Return the readers: first people named by id, with their names, then the mail addresses that were
        entered. Whether an address belongs to an account is not revealed. No statement if the readers are
        loaded."""
        named = [{"id": reader.pk, "name": reader.name} for reader in self.readers.all()]
        return named + [{"id": None, "name": address} for address in self.reader_addresses]

    def places(self) -> Places:
        """Return the places whose people may read it: the payer's."""
        return (self.organisation_id,), self.organisation.region.lineage


class HostRecord(models.Model):
    """How reliable a host was in the year before `as_of`: the number of confirmed bookings and how many of
    them it cancelled; the number of requests that were decided or expired, and how many of them it left
    unanswered."""

    organisation = models.OneToOneField(Organisation, models.CASCADE, primary_key=True, related_name="+")
    bookings = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    requests = models.PositiveIntegerField()
    unanswered = models.PositiveIntegerField()
    as_of = models.DateTimeField()


class Suggestion(models.Model):
    """Instruments that were suggested to somebody after they had asked in vain, once for each thing they
    asked for. `cause` with `about`: the id of the unmet demand, the waiting-list entry or the rate card;
    created_at: when they asked; looked_at: when matches were looked for."""

    class Cause(models.TextChoices):
        REFUSED = "refused"
        SEARCH = "search"
        WISH = "wish"
        OFFER = "offer"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    cause = models.CharField(max_length=10, choices=Cause)
    about = models.CharField(max_length=36)
    instrument = models.ForeignKey(Instrument, models.CASCADE, null=True, related_name="+")
    suggested = models.JSONField(default=list)
    created_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "cause", "about"], name="suggested_once")]
        indexes = [
            models.Index(fields=["user", "-looked_at"], name="suggestion_user"),
            models.Index(fields=["created_at"], condition=Q(looked_at=None), name="suggestion_waits"),
        ]
