"""Jobs. Each reads the clock and makes one call; running one twice changes nothing."""

from celery import shared_task
from django.utils import timezone

from instruments.services.import_jobs import imports_work


@shared_task
def work_imports() -> None:
    imports_work(now=timezone.now())
