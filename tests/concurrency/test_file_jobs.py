"""Workers that look for files to write at the same moment."""

import pytest

from accounts.services.file_jobs import files_work
from bookings.models import TrailBundle
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def test_each_file_is_written_by_one_worker(real_cast, race):
    for _ in range(3):
        TrailBundle.objects.create(user=real_cast.auditor, created_at=NOW)
    written = []

    def write(row, stream):
        written.append(row.pk)
        return 1

    done = race([lambda: files_work(job="files", model=TrailBundle, write=write, now=NOW)] * 4)
    assert (sum(done), len(written), len(set(written))) == (3, 3, 3)
    assert set(TrailBundle.objects.values_list("state", "attempts")) == {("done", 1)}
