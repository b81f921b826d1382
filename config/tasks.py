"""Celery's tasks: one for each job of the areas. Running one twice changes nothing, and one that waits for
the end of maintenance then finds all that is due."""

import time
from contextlib import nullcontext

from celery import shared_task
from celery.exceptions import Ignore
from django.utils import timezone

from accounts.selectors.installation import maintenance_now
from accounts.services.jobs import alone, persist
from accounts.work import Job, jobs, timetable
from config.celery import app


def run(job: Job) -> None:
    """Call the service of a job with the present time; during maintenance do nothing."""
    if maintenance_now(timezone.now()):
        raise Ignore
    if job.goes_on:
        began = time.monotonic()
        while time.monotonic() - began < 45 and job.service(now=timezone.now()):
            if maintenance_now(timezone.now()):
                break
        return
    with alone(job.task.rpartition(".")[2]) if job.is_single else nullcontext(True) as is_mine:
        if not is_mine:
            raise Ignore
        persist(lambda: job.service(now=timezone.now()))


def _register(job: Job) -> None:
    @shared_task(name=job.task)
    def task() -> None:
        run(job)


for _job in jobs().values():
    _register(_job)
app.conf.beat_schedule = timetable()
