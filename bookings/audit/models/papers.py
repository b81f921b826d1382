"""Auditors' reports of a year and working papers, which a worker writes in the background."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import FileJob, Region
from bookings.audit.models.audit import AuditFinding, AuditSample


class AuditPaper(FileJob):
    """A file for an auditor: the report of a year about a region, or an archive with the working papers of a
    finding, of a sample, or of all that an auditor did in a region on some days."""

    class Subject(models.TextChoices):
        YEAR = "year", _("report of a year")
        FINDING = "finding", _("working papers of a finding")
        SAMPLE = "sample", _("working papers of a sample")
        PERIOD = "period", _("working papers of a period")

    class Format(models.TextChoices):
        PDF = "pdf", "PDF"
        DOCX = "docx", "DOCX"
        XLSX = "xlsx", "XLSX"
        ZIP = "zip", "ZIP"

    # Hex SHA-256 of the file.
    digest = models.CharField(max_length=64, blank=True)

    PROGRESS = ("parts_done", "parts_total")

    subject = models.CharField(max_length=7, choices=Subject)
    format = models.CharField(max_length=4, choices=Format)
    language = models.CharField(max_length=10, default="en")
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_index=False)
    finding = models.ForeignKey(AuditFinding, models.PROTECT, null=True, related_name="+", db_index=False)
    sample = models.ForeignKey(AuditSample, models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    parts_total = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = pgettext_lazy("audit", "paper")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    subject__in=["year", "period"],
                    region__isnull=False, since__isnull=False, until__gt=models.F("since"),
                    finding=None, sample=None,
                )
                | Q(subject="finding", finding__isnull=False, sample=None, region=None)
                | Q(subject="sample", sample__isnull=False, finding=None, region=None),
                name="paper_of_one_subject",
            )
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(state__in=["waiting", "working"]), name="paper_to_do"
            ),
            models.Index(fields=["user", "-created_at"], name="paper_user"),
        ]

    def file_name(self) -> str:
        return f"papers/{self.pk}-{self.attempts}.{self.format}"
