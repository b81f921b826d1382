"""Runs of the timetable's jobs, their failures, and base classes for tables of jobs."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.keys import new_id


class JobRun(models.Model):
    """One run of an entry of the timetable. `ended_at` is None while it runs, and for ever if its worker
    died."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        PASSED = "passed", _("Run by another worker")

    id = models.BigAutoField(primary_key=True)
    entry = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.RUNNING)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["entry", "-started_at"], name="job_run_last")]


class JobFailure(models.Model):
    """A thing that failed in a job. It is tried again from `due_at` on, and deleted once it succeeds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.CharField(max_length=60)
    object_id = models.UUIDField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300)
    due_at = models.DateTimeField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "object_id"], name="job_failure_once"),
            models.CheckConstraint(condition=Q(attempts__gte=1), name="job_failure_attempts"),
        ]


class Lease(models.Model):
    """The exclusive right to do a job until a moment of the database's clock. The holder renews it as long as
    its process lives (`accounts.services.jobs.alone`)."""

    name = models.CharField(max_length=200, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()


class FileJob(models.Model):
    """A file that somebody requested and a worker writes: how far it is written, and finally where it is
    stored (`accounts.services.file_jobs`). `PROGRESS` names the two fields that say how much of how much is
    written."""

    PROGRESS: ClassVar[tuple[str, str]]

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("file", "waiting")
        WORKING = "working", _("being written")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    file = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)  # when a worker last wrote some of it
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def file_name(self) -> str:
        """Return the name under which the file of this attempt is stored."""
        raise NotImplementedError
