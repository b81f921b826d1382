"""Files that a worker writes: how often one is begun anew, and what is told of it meanwhile."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from accounts.domain.errors import WrongState
from accounts.models import JobFailure
from accounts.services import file_jobs
from accounts.services.file_jobs import counted, file_open, files_clear, files_work
from bookings.models import HoursExport, TrailBundle
from tests.factories.cast import NOW

LATER = NOW + timedelta(minutes=30)


@pytest.fixture(params=[HoursExport, TrailBundle])
def model(request):
    return request.param


@pytest.fixture
def job(model, shared_cast, db):
    values = {"table": "days", "format": "csv", "asked": {}} if model is HoursExport else {}
    return model.objects.create(user=shared_cast.auditor, created_at=NOW, **values)


def write_three(row, stream):
    for line in counted(row, [b"1\n", b"2\n", b"3\n"]):
        stream.write(line)
    return 3


def work(model, write=write_three, now=NOW):
    return files_work(job="files", model=model, write=write, now=now)


def test_written_kept_and_cleared(model, job, monkeypatch):
    monkeypatch.setattr(file_jobs, "STEP", 2)
    told = []

    def write(row, stream):
        number = write_three(row, stream)
        row.refresh_from_db()
        told.append((row.state, row.attempts, getattr(row, row.PROGRESS[0])))
        return number

    assert (work(model, write), work(model, write)) == (1, 0)
    job.refresh_from_db()
    assert told == [("working", 1, 2)]
    assert (job.state, *(getattr(job, name) for name in job.PROGRESS)) == ("done", 3, 3)
    with file_open(job, WrongState("no")) as stream:
        assert stream.read() == b"1\n2\n3\n"
    assert files_clear(model=model, before=NOW) == 0
    assert files_clear(model=model, before=LATER) == 1
    assert not default_storage.exists(job.file)


def test_one_that_fails_comes_again_later_and_ends_after_three(model, job):
    def fails(row, stream):
        raise ValueError("no")

    assert (work(model, fails), work(model, fails)) == (0, 0)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("waiting", 1)
    assert JobFailure.objects.get().last_error == "ValueError: no"
    for n in (1, 2):
        work(model, fails, NOW + n * timedelta(days=1))
    job.refresh_from_db()
    assert (job.state, job.attempts, work(model)) == ("failed", 3, 0)
    with pytest.raises(WrongState):
        file_open(job, WrongState("no"))
    assert not JobFailure.objects.exists()


def test_one_whose_workers_died_is_begun_anew_twice_and_then_ends(model, job):
    model.objects.update(state="working", attempts=2, worked_at=NOW)
    assert work(model) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 3)
    model.objects.update(state="working", attempts=3, file="", worked_at=NOW)
    assert work(model, now=LATER) == 0
    job.refresh_from_db()
    assert (job.state, job.file, job.ended_at) == ("failed", "", LATER)


def test_who_stood_still_too_long_leaves_a_file_to_whoever_went_on(model, job):
    """Its lease ran out. What it wrote is deleted; the row is that of the next attempt."""
    names = []

    def write(row, stream):
        names.append(row.file_name())
        if row.attempts == 1:
            model.objects.update(attempts=2)
        return write_three(row, stream)

    assert work(model, write) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts, job.file) == ("done", 3, names[1])
    assert [default_storage.exists(name) for name in names] == [False, True]
