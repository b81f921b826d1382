"""What operators read has a name in words."""

from bookings.record.domain.retention import RETENTION
from config.celery import TIMETABLE
from config.templatetags.operations import JOBS, KEPT, SINCE


def test_every_job_and_every_kind_of_record_is_called_something() -> None:
    assert set(TIMETABLE) == set(JOBS)
    assert {kept.kind for kept in RETENTION} == set(KEPT)
    assert {kept.since for kept in RETENTION} <= set(SINCE)
