"""Files that a worker writes while the person who asked for one goes on; they are kept some days.

A worker that dies leaves its job at work; another begins it anew, a few times at most.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from accounts.domain.errors import Refused, WrongState
from accounts.models import FileJob
from accounts.replica import on_primary
from accounts.services.jobs import work_alone

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
STEP = 5000  # rows, between two words of progress
State = FileJob.State


def files_work[J: FileJob](
    *, job: str, model: type[J], write: Callable[[J, BinaryIO], int], now: datetime
) -> int:
    """Write what waits, one file after the other, on as many workers as there are; the number
    written. `write` fills a file and returns how many rows it has."""
    due = model._default_manager.filter(state__in=(State.WAITING, State.WORKING))

    def act(row: J) -> int:
        return _carry_out(row, write, now)

    return work_alone(job=job, due=due.order_by("created_at", "pk"), act=act, now=now)


def _carry_out[J: FileJob](row: J, write: Callable[[J, BinaryIO], int], now: datetime) -> int:
    done, total = row.PROGRESS
    rows = type(row)._default_manager.filter(pk=row.pk)
    if row.attempts >= MOST_ATTEMPTS:  # its workers died
        rows.update(state=State.FAILED, ended_at=now)
        return 0
    row.attempts += 1
    rows.update(state=State.WORKING, attempts=row.attempts, worked_at=now, **{done: 0})
    rows = rows.filter(attempts=row.attempts)  # none, once another has gone on with it
    try:
        with TemporaryFile() as stream:
            number = write(row, stream)
            stream.seek(0)
            name = default_storage.save(row.file_name(), File(stream))
    except Refused as refused:
        log.info("%s refused: %s", row._meta.label, refused.code)
        rows.update(state=State.FAILED, ended_at=now)
        return 0
    except Exception:
        is_last = row.attempts >= MOST_ATTEMPTS
        rows.update(state=State.FAILED if is_last else State.WAITING)
        raise
    end: dict[str, object] = {
        "state": State.DONE,
        "file": name,
        "ended_at": Now(),
        done: number,
        total: number,
    }
    if not rows.update(**end):
        default_storage.delete(name)
        return 0
    return 1


def counted[T](row: FileJob, rows: Iterable[T]) -> Iterator[T]:
    """The rows of a file, counted on its job; every 5,000th tells how far it is written."""
    done = row.PROGRESS[0]
    setattr(row, done, 0)
    for number, each in enumerate(rows, 1):
        yield each
        setattr(row, done, number)
        if number % STEP == 0:
            job = type(row)._default_manager.filter(pk=row.pk)
            with on_primary():
                job.update(worked_at=Now(), **{done: number})


def file_open(row: FileJob, refusal: WrongState) -> "File[bytes]":
    """The finished file; the refusal where there is none, not yet or no longer."""
    if row.state == State.DONE:
        with suppress(FileNotFoundError):
            return default_storage.open(row.file)
    raise refusal


def files_clear(*, model: type[FileJob], before: datetime) -> int:
    """Delete the files that were asked for before a moment, with their jobs; how many."""
    old = model._default_manager.filter(created_at__lt=before)
    for row in old.exclude(file=""):
        default_storage.delete(row.file)
    return old.delete()[0]
