"""Jobs. Each reads the clock and makes one call; running one twice changes nothing."""

import time

from celery import shared_task
from django.utils import timezone

from instruments.selectors import needs
from instruments.services.harvests import harvest_work
from instruments.services.import_jobs import imports_work


@shared_task
def work_imports() -> None:
    imports_work(now=timezone.now())


@shared_task
def embed_vocabulary() -> None:
    """Where the encoder is installed: after the vocabulary, or the encoder, came or changed."""
    needs.embed_vocabulary()


@shared_task
def work_harvests() -> None:
    """One after the other, each with its own time: an address may take a minute to answer. The
    timetable goes on with what is left."""
    began = time.monotonic()
    while time.monotonic() - began < 45 and harvest_work(now=timezone.now()):
        pass
