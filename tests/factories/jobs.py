"""What failed."""

from uuid import UUID

from accounts.models import JobFailure
from accounts.services.jobs import failure_note
from tests.factories.cast import NOW


def failed(object_id: UUID, job: str = "final charges") -> JobFailure:
    failure_note(job, object_id, ValueError("a month without a zone"), NOW)
    return JobFailure.objects.get(job=job, object_id=object_id)
