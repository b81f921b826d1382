"""Imports: the file as it was sent, what will become of each row, and where fields come from."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation
from accounts.models.keys import new_id
from instruments.models.instruments import Instrument


class ImportMapping(models.Model):
    """An organisation's own saying which column of its tables is which."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="import_mappings")
    name = models.CharField(max_length=80)
    content = models.JSONField()  # as domain/import_mappings reads it
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("mapping")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"], name="import_mapping_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return self.organisation.places()


class Import(models.Model):
    """A file and how far it has come. `read_rows` and `done_rows` are the places of the two
    passes, reading and applying: each moves in the transaction that does the work."""

    class Format(models.TextChoices):
        UNIQUIP = "uniquip", _("UNIQUIP table")
        PIDINST = "pidinst", _("PIDINST 1.0 (JSON or XML)")
        TABLE = "table", _("other table (CSV or XLSX)")

    class State(models.TextChoices):
        READING = "reading", _("being read")
        UNMAPPED = "unmapped", _("columns to be mapped")
        READY = "ready", _("to be reviewed")
        APPLYING = "applying", _("running")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("cancelled")

    class HandChanges(models.TextChoices):
        KEEP = "keep", _("keep entries made here by hand")
        OVERWRITE = "overwrite", _("overwrite entries made here by hand")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="imports")
    # Who: nobody for a command of the platform.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="imports"
    )
    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=10, choices=Format)
    encoding = models.CharField(max_length=40, default="utf-8")
    header_row = models.PositiveSmallIntegerField(default=1)  # of a table
    facility = models.CharField(max_length=200, blank=True)
    hand_changes = models.CharField(max_length=10, choices=HandChanges, default=HandChanges.KEEP)
    mapping_name = models.CharField(max_length=80, blank=True)
    mapping = models.JSONField(null=True)  # as it was then
    source = models.CharField(max_length=40, blank=True)
    # Of one that was fetched: by which harvest, whose name stays when it is deleted; and whether
    # it is carried out by itself where no row is refused.
    harvest = models.ForeignKey(
        "instruments.Harvest", models.SET_NULL, null=True, related_name="imports"
    )
    harvest_name = models.CharField(max_length=80, blank=True)
    applies = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    # Why the file was refused: code and numbers. Of an unmapped table: its columns. Of one that
    # was read: the names of the columns of which nothing is used.
    problem = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    ignored_columns = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    read_bytes = models.PositiveBigIntegerField(default=0)
    read_rows = models.PositiveIntegerField(default=0)
    done_rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)  # result -> rows
    kept = models.PositiveIntegerField(default=0)
    absent = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("import")
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="import_organisation"),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=("reading", "applying")),
                name="import_at_work",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def results(self) -> list[tuple[str, str]]:
        """What may become of a row, with its word."""
        return [(code, str(label)) for code, label in ImportRow.Result.choices]

    def places(self) -> Places:
        return self.organisation.places()


class ImportChunk(models.Model):
    """A piece of the file as it was sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Import, models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="import_chunk_unique")
        ]


class ImportRow(models.Model):
    """One row: `result` is what will become of it, once applied what has; `differences` name
    each field that changes, from what to what, and what is kept."""

    class Result(models.TextChoices):
        CREATED = "created", _("new")
        CHANGED = "changed", _("changed")
        UNCHANGED = "unchanged", _("unchanged")
        REFUSED = "refused", _("left out")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    key = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=250, blank=True)
    result = models.CharField(max_length=10, choices=Result)
    values = models.JSONField(null=True)  # domain/imports.values_json
    differences = models.JSONField(default=list)
    problem = models.JSONField(default=dict)
    instrument = models.ForeignKey(
        Instrument, models.SET_NULL, null=True, related_name="import_rows"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="import_row_unique")
        ]
        indexes = [models.Index(fields=["job", "result", "position"], name="import_row_result")]


class Provenance(models.Model):
    """Field -> where it comes from (domain/imports.Origin)."""

    instrument = models.OneToOneField(
        Instrument, models.CASCADE, primary_key=True, related_name="provenance"
    )
    fields = models.JSONField(default=dict)
