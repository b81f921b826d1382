"""Large tables of hours as files, made by a worker while the person goes on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import FileJob


class HoursExport(FileJob):
    """A table of hours, or a year's report, as a file. `asked` is the query from the page or the API."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        PDF = "pdf", "PDF"
        DOCX = "docx", "DOCX"

    PROGRESS = ("rows_done", "rows_total")

    table = models.CharField(max_length=20)
    format = models.CharField(max_length=4, choices=Format)
    language = models.CharField(max_length=10, default="en")
    asked = models.JSONField()
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("export of hours")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["waiting", "working"]),
                name="hoursexport_to_do",
            ),
            models.Index(fields=["user", "-created_at"], name="hoursexport_user"),
        ]

    def file_name(self) -> str:
        return f"exports/{self.pk}-{self.attempts}.{self.format}"
