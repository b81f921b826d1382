"""Tables of imports: the file as it was sent, the decision about each row, and saved mappings."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation
from accounts.models.keys import new_id
from instruments.exchange.domain.imports import given
from instruments.register.models.instruments import Instrument


class ImportMapping(models.Model):
    """An organisation's saved mapping of the columns of its tables to fields."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="import_mappings")
    name = models.CharField(max_length=80)
    content = models.JSONField()  # as domain/mappings reads it
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("mapping")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="import_mapping_name_unique")
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return self.organisation.places()


class ImportTerm(models.Model):
    """The known term that a value of an organisation's files means: its next imports read the value so. An
    empty term: the value is left out; for a facility, it stays a facility of that name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="import_terms")
    field = models.CharField(max_length=20)  # one of domain/terms.TERMS
    value = models.CharField(max_length=200)  # in the form of domain/terms.plain
    term = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("remembered value")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "field", "value"], name="import_term_unique")
        ]

    def __str__(self) -> str:
        return self.value

    def places(self) -> Places:
        return self.organisation.places()


class Import(models.Model):
    """An imported file and its progress. `read_rows` and `done_rows` are how many rows the two passes,
    reading and applying, have finished; each moves in the transaction that does the work."""

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
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    class HandChanges(models.TextChoices):
        KEEP = "keep", _("keep entries made here by hand")
        OVERWRITE = "overwrite", _("overwrite entries made here by hand")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="imports")
    # The person who started it; null for a command of the platform.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="imports")
    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=10, choices=Format)
    encoding = models.CharField(max_length=40, default="utf-8")
    header_row = models.PositiveSmallIntegerField(default=1)  # of a table; 0 until it is found
    facility = models.CharField(max_length=200, blank=True)
    hand_changes = models.CharField(max_length=10, choices=HandChanges, default=HandChanges.KEEP)
    mapping_name = models.CharField(max_length=80, blank=True)
    mapping = models.JSONField(null=True)  # as it was when the import started
    source = models.CharField(max_length=40, blank=True)
    # The harvest that fetched the file, and its name, which stays when the harvest is deleted; and whether
    # the import is applied automatically if no row is refused.
    harvest = models.ForeignKey("instruments.Harvest", models.SET_NULL, null=True, related_name="imports")
    harvest_name = models.CharField(max_length=80, blank=True)
    applies = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    # The code and numbers of the reason why the file was refused; the columns of a table that waits for its
    # mapping; the names of columns that are not used.
    problem = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    ignored_columns = models.JSONField(default=list)
    # Values that are no known terms (domain/terms.UnknownValue, as JSON), and how many more there are.
    unknown_values = models.JSONField(default=list, db_default=[])
    unlisted_values = models.PositiveIntegerField(default=0, db_default=0)
    # Ids of the facilities that it made, to delete with its drafts when it is undone.
    new_facilities = models.JSONField(default=list, db_default=[])
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
    # When somebody had it undone, and who.
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("import")
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="import_organisation"),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=("reading", "applying", "undoing")),
                name="import_working",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def results(self) -> list[tuple[str, str]]:
        """Return the possible results of a row, each with its label."""
        most = ImportRow.Result.choices if self.undone_at else ImportRow.Result.choices[:-1]
        return [(code, str(label)) for code, label in most]

    @property
    def may_map_again(self) -> bool:
        """Say whether one can go back to the columns: of a table that is not applied yet and was read, or
        refused with a mapping."""
        is_read = self.state == self.State.READY
        is_open = is_read or (self.state == self.State.REFUSED and self.mapping is not None)
        return is_open and self.applied_at is None and self.format == self.Format.TABLE

    @property
    def may_undo(self) -> bool:
        """Say whether what it wrote can be undone; its rows and file are kept for a time. Undoing that
        stopped can go on, also where only facilities are left."""
        is_over = self.state in (self.State.DONE, self.State.CANCELLED)
        return is_over and (self.done_rows > 0 or self.undone_at is not None)

    def places(self) -> Places:
        return self.organisation.places()


class ImportChunk(models.Model):
    """A piece of an imported file as it was sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Import, models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="import_chunk_unique")]


class ImportRow(models.Model):
    """One row of an import: `result` is the expected result until it is applied, then the actual one;
    `differences` list each field that changes, with both values, and each that is kept."""

    class Result(models.TextChoices):
        CREATED = "created", _("new")
        CHANGED = "changed", _("changed")
        UNCHANGED = "unchanged", _("unchanged")
        REFUSED = "refused", _("left out")
        UNDONE = "undone", _("undone")

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
    instrument = models.ForeignKey(Instrument, models.SET_NULL, null=True, related_name="import_rows")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="import_row_unique")]
        indexes = [models.Index(fields=["job", "result", "position"], name="import_row_result")]

    @property
    def given(self) -> list[tuple[str, Any]]:
        """Return the fields that a new instrument gets of this row; empty for any other row."""
        return given(self.values) if self.values and self.result == self.Result.CREATED else []
