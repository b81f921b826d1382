"""The Celery application. Its tasks and its timetable are the jobs of all areas: config/tasks.py.

Every job looks for what is due and not yet done, so an entry that runs late, twice or not at all loses
nothing: the next run finds the work. Each run of the timetable is recorded; a nudge after a commit is not.
"""

import gc
import logging
import os
from datetime import UTC, datetime
from typing import Any

from celery import Celery, Task, signals, states
from django.db import close_old_connections

from config.env import Misconfigured
from config.operations import observability

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("instrument_commons")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["config"])
_runs: dict[str, int] = {}  # of tasks at work in this process


@signals.setup_logging.connect
def _keep_logging(**rest: Any) -> None:
    """Keep Celery from setting up its own logging, so that workers log as settings.LOGGING says and mask
    secrets."""


@signals.celeryd_init.connect
def _report(**rest: Any) -> None:
    observability.report_errors()


@signals.worker_init.connect
def _share(sender: Any, **rest: Any) -> None:
    """Load, before processes are forked, what each would load for itself with its first mail, and keep the
    collector from it, so that they share it in memory. One process alone shares with nobody."""
    from django.conf import settings  # noqa: PLC0415 (not before Django is set up)
    from django.urls import reverse  # noqa: PLC0415
    from django.utils.translation import override  # noqa: PLC0415

    if sender.concurrency != 1:
        for language, _ in settings.LANGUAGES:
            with override(language):
                reverse("bookings:catalogue")
    gc.collect()
    gc.freeze()


@signals.worker_process_init.connect
def _trace(**rest: Any) -> None:
    try:
        observability.trace("worker")
    except Misconfigured as wrong:  # it would end, and be started again, for ever
        logging.getLogger(__name__).error("%s", wrong)


@signals.task_prerun.connect
def _begin(task: Task[Any, Any], task_id: str, **rest: Any) -> None:
    from accounts.services.jobs import run_begin  # noqa: PLC0415 (not before Django is set up)

    if entry := (task.request.headers or {}).get("timetable"):
        _runs[task_id] = run_begin(entry, datetime.now(UTC))


@signals.beat_init.connect
def _started(**rest: Any) -> None:
    from accounts.selectors.jobs import CLOCK  # noqa: PLC0415
    from accounts.services.jobs import run_begin, run_end  # noqa: PLC0415

    observability.start("beat")
    now = datetime.now(UTC)
    run_end(run_begin(CLOCK, now), outcome="done", error="", now=now)


@signals.task_postrun.connect
def _end(task_id: str, state: str | None = None, retval: Any = None, **rest: Any) -> None:
    from accounts.services.jobs import run_end  # noqa: PLC0415

    if (run_id := _runs.pop(task_id, None)) is None:
        return
    close_old_connections()  # what ended while the job computed is replaced, as between requests
    outcome = {states.SUCCESS: "done", states.IGNORED: "passed"}.get(state or "", "failed")
    error = f"{type(retval).__name__}: {retval}" if isinstance(retval, Exception) else ""
    run_end(run_id, outcome=outcome, error=error, now=datetime.now(UTC))
