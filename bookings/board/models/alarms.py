"""Alarms about instruments that are idle, late or unshared, and the thresholds of the rule."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Region, User
from accounts.models.keys import new_id
from bookings.board.domain import alarms as rules
from instruments.register.models import Instrument


class AlarmThreshold(models.Model):
    """The value of a parameter of the rule from a day on, for a region or (null) for all regions without a
    value of their own. Rows are added, never changed; the defaults are in `board/domain/alarms`."""

    class Parameter(models.TextChoices):
        IN_SERVICE_DAYS = "in_service_days", _("not in service: days after acceptance")
        PUBLISH_DAYS = "publish_days", _("published late: working days after acceptance")
        IDLE_PERCENT = "idle_percent", _("idle: % of norm hours")
        IDLE_OPEN_DAYS = "idle_open_days", _("idle: open days without a session")
        UNDER_USED_PERCENT = "under_used_percent", _("under-used: % of norm hours")
        NOT_SHARED_PERCENT = "not_shared_percent", _("not shared: % used by others")
        DEMAND_NUMBER = "demand_number", _("idle while in demand: requests")
        DEMAND_DAYS = "demand_days", _("demand: within how many days")
        ANSWER_DAYS = "answer_days", _("days to answer")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+")
    parameter = models.CharField(max_length=20, choices=Parameter)
    value = models.PositiveIntegerField()
    valid_from = models.DateField()
    source = models.CharField(max_length=500)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("alarm threshold")
        constraints = [
            models.UniqueConstraint(
                fields=["region", "parameter", "valid_from"],
                nulls_distinct=False,
                name="alarmthreshold_one_a_day",
            )
        ]

    def places(self) -> Places:
        return (), self.region.lineage if self.region else []


class IdleAlarm(models.Model):
    """An alarm about an instrument. Its owner answers with a reason and the day by which the cause will be
    removed. `figures`: the facts when the job last looked; `asked_at`: since when an answer has been awaited.
    Alarms are never public."""

    class Kind(models.TextChoices):
        NOT_IN_SERVICE = rules.NOT_IN_SERVICE, _("not in service")
        PUBLISHED_LATE = rules.PUBLISHED_LATE, _("published late")
        IDLE = rules.IDLE, _("idle")
        UNDER_USED = rules.UNDER_USED, _("under-used")
        NOT_SHARED = rules.NOT_SHARED, _("not shared")
        DEMAND_IDLE = rules.DEMAND_IDLE, _("idle while in demand")

    class State(models.TextChoices):
        OPEN = rules.OPEN, pgettext_lazy("alarm", "to be answered")
        ANSWERED = rules.ANSWERED, pgettext_lazy("alarm", "answered")
        RISEN = rules.RISEN, pgettext_lazy("alarm", "with the region")
        CLEARED = rules.CLEARED, pgettext_lazy("alarm", "cleared")

    class Reason(models.TextChoices):
        COMMISSIONING = "commissioning", _("being installed or tested")
        REPAIR = "repair", _("being repaired")
        NO_OPERATOR = "no_operator", _("nobody to operate it")
        NO_DEMAND = "no_demand", _("too little demand")
        NO_FUNDING = "no_funding", _("no running budget")
        PROJECT = "project", _("reserved for a project")
        FULL = rules.FULL, _("fully used")
        RETIRING = "retiring", _("to be retired")
        OTHER = rules.OTHER, _("another reason")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="alarms")
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    figures = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    checked_at = models.DateTimeField()
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    due_date = models.DateField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    risen_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("alarm")
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "kind"], condition=~Q(state=rules.CLEARED), name="alarm_once"
            ),
            models.CheckConstraint(
                condition=Q(state=rules.CLEARED, cleared_at__isnull=False)
                | ~Q(state=rules.CLEARED) & Q(cleared_at=None),
                name="alarm_cleared",
            ),
            models.CheckConstraint(
                condition=~Q(state=rules.ANSWERED)
                | ~Q(reason="") & Q(due_date__isnull=False, answered_at__isnull=False),
                name="alarm_answered",
            ),
        ]
        indexes = [models.Index(fields=["state", "asked_at"], name="alarm_state")]

    def places(self) -> Places:
        return self.instrument.places()

    @property
    def is_contradicted(self) -> bool:
        """Return whether the recorded hours contradict the reason given."""
        return rules.contradicts(self.kind, self.reason)
