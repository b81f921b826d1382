"""Have a worker write files while the person who requested one continues; the files are kept for some days.

If a worker dies, its job stays in work; another worker starts it again, at most a few times.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
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
    """Write the requested files of a model, one after the other; several workers may do this at once. Return
    how many were written. `write` fills a file and returns how many rows it has."""
    due = model._default_manager.filter(state__in=(State.WAITING, State.WORKING))

    def act(row: J) -> int:
        return _carry_out(row, write, now)

    return work_alone(job=job, due=due.order_by("created_at", "pk"), act=act, now=now)


def files_forget(model: type[FileJob], *, user_id: UUID) -> None:
    """Delete the file jobs of a person who leaves for good, and their files, in the transaction that closes
    the account."""
    rows = model._default_manager.filter(user_id=user_id)
    for name in list(rows.exclude(file="").values_list("file", flat=True)):
        transaction.on_commit(partial(default_storage.delete, name), robust=True)
    rows.delete()


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
    """Yield the rows of a file and count them on its job; the progress is stored after every 5,000th row."""
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
    """Return the finished file; raise `refusal` if there is none, because it is not written yet or was
    deleted."""
    if row.state == State.DONE:
        with suppress(FileNotFoundError):
            return default_storage.open(row.file)
    raise refusal


def files_clear(*, model: type[FileJob], before: datetime) -> int:
    """Delete the files requested before a moment, with their jobs. Return how many."""
    old = model._default_manager.filter(created_at__lt=before)
    for row in old.exclude(file=""):
        default_storage.delete(row.file)
    return old.delete()[0]
