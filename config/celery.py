"""Celery, and the one timetable.

Every job asks "what is due and not yet done", so an entry that fires late, twice or not
at all loses nothing: the next run finds it. Each run of an entry is written down; a nudge
after a commit is not.
"""

import os
from datetime import UTC, datetime
from typing import Any

from celery import Celery, Task, signals, states
from celery.schedules import crontab
from django.db import close_old_connections

from config.operations import observability

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("instrument_commons")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
TIMETABLE: dict[str, dict[str, Any]] = {
    "carry out effects": {"task": "bookings.tasks.carry_out_effects", "schedule": 60.0},
    "make calls": {"task": "bookings.tasks.make_calls", "schedule": 60.0},
    "deliver messages": {"task": "bookings.tasks.deliver_messages", "schedule": 60.0},
    "lapse reservations": {"task": "bookings.tasks.lapse_reservations", "schedule": 60.0},
    "complete reservations": {"task": "bookings.tasks.complete_reservations", "schedule": 60.0},
    "overruns": {"task": "bookings.tasks.tell_of_overruns", "schedule": 60.0},
    "maintenance counters": {"task": "bookings.tasks.review_counters", "schedule": 600.0},
    "final charges": {"task": "bookings.tasks.finalise_charges", "schedule": 300.0},
    "melting fees": {"task": "bookings.tasks.melt_fees", "schedule": crontab(minute=35)},
    "settle waiting": {"task": "bookings.tasks.settle_waiting", "schedule": 60.0},
    "end enrolments": {"task": "bookings.tasks.end_enrolments", "schedule": 60.0},
    "moves of organisations": {"task": "bookings.tasks.carry_out_moves", "schedule": 300.0},
    "look for waiting": {"task": "bookings.tasks.look_for_waiting", "schedule": 120.0},
    "hours": {"task": "bookings.tasks.roll_up_hours", "schedule": crontab(minute=20)},
    "exports of hours": {"task": "bookings.tasks.write_exports", "schedule": 60.0},
    "imports": {"task": "instruments.tasks.work_imports", "schedule": 60.0},
    "harvests": {"task": "instruments.tasks.work_harvests", "schedule": 60.0},
    "meanings of needs": {"task": "instruments.tasks.embed_vocabulary", "schedule": 60.0},
    "open windows": {
        "task": "bookings.tasks.extend_calendar",
        "schedule": crontab(minute=5, hour=1),
    },
    "statements": {"task": "bookings.tasks.draw_statements", "schedule": crontab(minute=10)},
    "overdue statements": {
        "task": "bookings.tasks.remind_of_statements",
        "schedule": crontab(minute=30, hour=1),
    },
    "certificates that run out": {
        "task": "bookings.tasks.remind_of_certificates",
        "schedule": crontab(minute=0, hour=2),
    },
    "stale records": {
        "task": "bookings.tasks.tell_of_stale_records",
        "schedule": crontab(minute=40, hour=1),
    },
    "file the register": {
        "task": "bookings.tasks.file_register",
        "schedule": crontab(minute=15, hour=3),
    },
    "saved searches": {"task": "bookings.tasks.tell_of_searches", "schedule": crontab(minute=25)},
    "purchases followed up": {
        "task": "bookings.tasks.follow_up_purchases",
        "schedule": crontab(minute=10, hour=4),
    },
    "samples to come": {"task": "bookings.tasks.remind_of_samples", "schedule": 600.0},
    "enquiries": {"task": "bookings.tasks.settle_enquiries", "schedule": 600.0},
    "batches": {"task": "bookings.tasks.place_batches", "schedule": 60.0},
    "offers of batches": {"task": "bookings.tasks.settle_batches", "schedule": 600.0},
    "matches": {"task": "bookings.tasks.tell_of_matches", "schedule": 600.0},
    "ratings": {"task": "bookings.tasks.review_ratings", "schedule": crontab(minute=55, hour=3)},
    "alarms": {"task": "bookings.tasks.review_alarms", "schedule": crontab(minute=40, hour=4)},
    "hosts": {"task": "bookings.tasks.review_hosts", "schedule": crontab(minute=50, hour=3)},
    "gather words": {"task": "bookings.tasks.gather_words", "schedule": crontab(minute=55)},
    "remove records": {
        "task": "bookings.tasks.remove_records",
        "schedule": crontab(minute=45, hour=2),
    },
    "check results": {"task": "bookings.tasks.check_results", "schedule": 60.0},
    "expire uploads": {"task": "bookings.tasks.expire_uploads", "schedule": crontab(minute=40)},
    "files of no answer": {
        "task": "bookings.tasks.expire_answer_files",
        "schedule": crontab(minute=35),
    },
    "overdue results": {"task": "bookings.tasks.tell_of_results", "schedule": crontab(minute=45)},
    "results that end": {"task": "bookings.tasks.warn_of_results", "schedule": crontab(minute=50)},
    "results to delete": {"task": "bookings.tasks.purge_results", "schedule": crontab(minute=57)},
    "own calendars": {"task": "bookings.tasks.read_calendars", "schedule": 60.0},
    # the trail and the auditors' desk
    "seal the trail": {"task": "bookings.tasks.seal_trail", "schedule": 180.0},
    "verify the trail": {
        "task": "bookings.tasks.verify_trail",
        "schedule": crontab(minute=20, hour=4),
    },
    "bundles": {"task": "bookings.tasks.write_bundles", "schedule": 60.0},
    "exceptions": {
        "task": "bookings.tasks.find_exceptions",
        "schedule": crontab(minute=50, hour=3),
    },
    "findings to answer": {
        "task": "bookings.tasks.remind_of_findings",
        "schedule": crontab(minute=15, hour=6),
    },
    "newest seal": {"task": "bookings.tasks.tell_of_seals", "schedule": crontab(minute=5, hour=6)},
}
for _name, _entry in TIMETABLE.items():
    _entry["options"] = {"headers": {"timetable": _name}}
    if isinstance(_entry["schedule"], float):
        # What one minute asks the next asks again: workers that were away catch up at once. Clocks
        # of machines may differ a little.
        _entry["options"]["expires"] = max(600.0, 2 * _entry["schedule"])
app.conf.beat_schedule = TIMETABLE
# Workers of other queues begin their entries even where none reads ours.
OWN_ENTRIES = [
    name for name, entry in TIMETABLE.items() if entry["task"] not in app.conf.task_routes
]
_runs: dict[str, int] = {}  # of tasks at work in this process


@signals.setup_logging.connect
def _keep_logging(**rest: Any) -> None:
    """Workers log as settings.LOGGING says, secrets masked; Celery would set up its own."""


@signals.celeryd_init.connect
def _report(**rest: Any) -> None:
    observability.report_errors()


@signals.worker_process_init.connect
def _trace(**rest: Any) -> None:
    observability.trace("worker")


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
