"""Jobs and letters of *exchange*, and the data that is kept only for a time."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks, waiting
from instruments.exchange.models import Fetching, Harvest, Import, ImportChunk, ImportRow
from instruments.exchange.notifications import harvests
from instruments.exchange.services.harvests import harvest_work
from instruments.exchange.services.jobs import imports_work


def _import_rows(before: datetime) -> list[QuerySet[Any]]:
    """Return the stored files and rows of old imports, to be deleted; the imports with their outcomes
    stay."""
    ended = Import.objects.filter(ended_at__lt=before).values("pk")
    return [ImportRow.objects.filter(job__in=ended), ImportChunk.objects.filter(job__in=ended)]


TASKS = Tasks(
    jobs=(
        Job(
            "instruments.tasks.work_imports", "imports", _("Imports"), 60.0, imports_work,
            due=waiting(
                lambda now: Import.objects.filter(state__in=["reading", "applying", "undoing"]), "created_at"
            ),
        ),
        # One after the other, each with its own time limit: an address may take a minute to answer.
        Job(
            "instruments.tasks.work_harvests", "harvests", _("Harvests"), 60.0, harvest_work, goes_on=True,
            due=waiting(lambda now: Harvest.objects.filter(state="active", due_at__lte=now), "due_at"),
        ),
    ),
    letters=(harvests.KINDS,),
    keeps=(
        Kept(
            "import-rows", _("Rows and files of imports"), timedelta(days=180), "ended", _import_rows, least=7
        ),
        Kept(
            "fetchings", _("History of harvests"), timedelta(days=365), "made",
            lambda before: Fetching.objects.filter(at__lt=before),
            least=30,
        ),
    ),
)  # fmt: skip
