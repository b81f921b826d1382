"""The auditors' desk: exceptions, findings with their agreed actions and files, and samples."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field
from instruments.attachments.models import StoredFile


class AuditException(models.Model):
    """An exception that a rule has found; found again, it remains the same row. `key` identifies what the
    rule examined, `numbers` are the values it saw, `evidence` the rows behind it: `[{"type": ..., "id":
    ...}]`."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("exception", "open")
        REVIEW = "review", _("under review")
        EXPLAINED = "explained", _("explained")
        CONFIRMED = "confirmed", pgettext_lazy("exception", "confirmed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=30)
    rule_version = models.PositiveSmallIntegerField()
    parameters = models.JSONField(default=dict)
    key = models.CharField(max_length=100)
    numbers = models.JSONField(default=dict)
    evidence = models.JSONField(default=list)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    # Regions of host and payer with all above them, so that each auditor finds what is theirs.
    region_ids = ArrayField(models.UUIDField(), default=list)
    happened_at = models.DateTimeField()
    found_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)
    # The finding that was raised for it with others at once; `finding` is one of its own.
    # Without a constraint, which would have locked both tables when it was added.
    raised_in = models.ForeignKey(
        "bookings.AuditFinding", models.PROTECT, null=True, related_name="others", db_constraint=False
    )
    # What is at stake, if that is known.
    amount = amount_field(null=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    # `risk` is the rule's weight on the day it was found times `share`, how severe it is in per cent; 0 and
    # null until the next run of the rules for what was found before there were weights.
    weight = models.PositiveSmallIntegerField(null=True)
    share = models.PositiveSmallIntegerField(null=True)
    risk = models.PositiveSmallIntegerField(default=0, db_default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("exception")
        constraints = [
            models.UniqueConstraint(fields=["rule", "key"], name="exception_once"),
            models.CheckConstraint(condition=Q(risk__lte=100), name="exception_risk"),
        ]
        indexes = [
            models.Index(fields=["-happened_at", "-id"], name="exception_newest"),
            models.Index(fields=["rule", "-happened_at"], name="exception_rule"),
            GinIndex(fields=["region_ids"], name="exception_regions"),
        ]

    def places(self) -> Places:
        return (self.organisation_id,), self.region_ids


class RiskWeight(models.Model):
    """The weight of a rule among the others, in force from a day until a later one. Rows are added, never
    changed. The weights before the first are in `audit/domain/risk`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=30)
    weight = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    reason = models.CharField(max_length=500, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("weight of an audit rule")
        constraints = [
            models.UniqueConstraint(fields=["rule", "valid_from"], name="riskweight_one_a_day"),
            models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=100), name="riskweight_range"),
        ]


class AuditRun(models.Model):
    """A run of all rules. `last_entry`: how far it read the trail; the next run begins a little before.
    `counts`: the number of new exceptions by rule. `compared`: by table of the books, the last row that was
    compared with the trail; the next run continues after it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    is_full = models.BooleanField(default=False)
    looked_at = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    compared = models.JSONField(default=dict)
    last_entry = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-started_at", "-id"], name="auditrun_newest")]


class AuditSample(models.Model):
    """Rows drawn from a population that is frozen with them: anybody who has the population and the seed
    draws the same (docs/audit.md, and draw_sample.py, which works on its own).

    `population` is the CSV, compressed; `digest` is SHA-256 over the CSV; `drawn` are positions in it.
    """

    class Method(models.TextChoices):
        RANDOM = "random", _("random")
        STRATIFIED = "stratified", _("stratified")
        MONETARY = "monetary", _("by monetary unit")

    class Subject(models.TextChoices):
        CHARGES = "charges", _("charges")
        SESSIONS = "sessions", _("sessions")
        RESERVATIONS = "reservations", _("reservations")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.CharField(max_length=12, choices=Subject)
    method = models.CharField(max_length=10, choices=Method)
    since = models.DateField()
    until = models.DateField()
    currency = models.CharField(max_length=3, blank=True)  # of a sample by monetary unit
    seed = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    region_ids = ArrayField(models.UUIDField(), default=list)
    population = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField()
    drawn = models.JSONField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("sample")
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="sample_forward")
        ]
        indexes = [models.Index(fields=["-made_at", "-id"], name="sample_newest")]


class AuditFinding(models.Model):
    """Something that is not as it should be: the audited party answers by a given day, and the auditor closes
    it with evidence that it was corrected."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("finding", "open")
        REPLIED = "replied", _("answered")
        CLOSED = "closed", pgettext_lazy("finding", "closed")

    class Severity(models.TextChoices):
        LOW = "low", _("low")
        MEDIUM = "medium", _("medium")
        HIGH = "high", _("high")
        CRITICAL = "critical", _("critical")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    region_ids = ArrayField(models.UUIDField(), default=list)
    severity = models.CharField(max_length=8, choices=Severity)
    title = models.CharField(max_length=200)
    text = models.TextField(max_length=5000)
    exception = models.OneToOneField(AuditException, models.PROTECT, null=True, related_name="finding")
    sample = models.ForeignKey(AuditSample, models.PROTECT, null=True, related_name="findings")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    due_date = models.DateField()
    raised_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    reply = models.TextField(max_length=5000, blank=True)
    replied_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    replied_at = models.DateTimeField(null=True)
    note = models.TextField(max_length=5000, blank=True)  # of the auditor, sending a reply back
    # The day from which the auditor verifies what was done; until then it cannot be closed.
    follow_up_date = models.DateField(null=True)
    # The auditor's statement, with its reason, that no answer was received.
    no_answer = models.TextField(max_length=5000, blank=True, db_default="")
    no_answer_at = models.DateTimeField(null=True)
    no_answer_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    evidence = models.TextField(max_length=5000, blank=True)  # with which it was closed
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("finding")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="closed") | (Q(closed_at__isnull=False) & ~Q(evidence="")),
                name="finding_closed_with_evidence",
            ),
            models.CheckConstraint(
                condition=Q(no_answer="") | Q(no_answer_at__isnull=False, no_answer_by__isnull=False),
                name="finding_no_answer_is_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-raised_at"], name="finding_party"),
            models.Index(fields=["-raised_at", "-id"], name="finding_newest"),
            models.Index(fields=["due_date"], condition=~Q(state="closed"), name="finding_due"),
            GinIndex(fields=["region_ids"], name="finding_regions"),
        ]

    def places(self) -> Places:
        return (self.organisation_id,), self.region_ids


class AuditAction(models.Model):
    """Something that the organisation has agreed to do about a finding. Its owner, a person of the
    organisation, says with a note that it is done; the auditor verifies it, sends it back, or withdraws it
    with a reason."""

    class State(models.TextChoices):
        AGREED = "agreed", pgettext_lazy("action", "agreed")
        DONE = "done", pgettext_lazy("action", "done, to be verified")
        VERIFIED = "verified", pgettext_lazy("action", "verified")
        WITHDRAWN = "withdrawn", pgettext_lazy("action", "withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    finding = models.ForeignKey(AuditFinding, models.PROTECT, related_name="actions")
    text = models.TextField(max_length=2000)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    due_date = models.DateField()
    state = models.CharField(max_length=9, choices=State, default=State.AGREED)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    note = models.TextField(max_length=5000, blank=True)  # of whoever said that it is done
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    done_at = models.DateTimeField(null=True)
    # Of the auditor: why it was sent back or withdrawn, or what was seen when it was verified.
    reason = models.TextField(max_length=5000, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("agreed action")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(reason=""), name="action_withdrawn_with_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "verified"]) | Q(done_at__isnull=False),
                name="action_done_is_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["verified", "withdrawn"]) | Q(decided_at__isnull=False),
                name="action_decided_is_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["due_date"], condition=Q(state__in=["agreed", "done"]), name="action_due")
        ]

    def __str__(self) -> str:
        return self.text

    def places(self) -> Places:
        return self.finding.places()


class FindingFile(StoredFile):
    """A picture or a document about a finding, or about an action agreed on it, attached by the auditor or by
    the organisation that answers."""

    finding = models.ForeignKey(AuditFinding, models.PROTECT, related_name="files")
    action = models.ForeignKey(AuditAction, models.PROTECT, null=True, related_name="files")
    is_of_auditor = models.BooleanField()
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("file of a finding")
