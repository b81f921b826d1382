"""A large file in bounded memory, and a worker killed with -9 half-way: another goes on."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.domain.roles import PLATFORM, By
from accounts.models import Lease
from instruments.exchange.models import Import
from instruments.exchange.services.jobs import import_apply
from instruments.register.models import Instrument, Provenance
from tests.conftest import DEEP
from tests.factories.cast import NOW, Cast
from tests.factories.imports import keep

ROWS = 100_000 if DEEP else 400
BATCH = 500 if DEEP else 20
MOST_GROWTH = 120  # MB beyond what a worker takes with nothing to do
WORKER = f"""
import sys
import time
import django
django.setup()
from django.db import transaction
from django.utils import timezone
from instruments.exchange.services import jobs as import_jobs
from instruments.exchange.models import Import
import_jobs.BATCH = {BATCH}
class Paced:
    # Batches that take a while, so that who watches is in time on any machine.
    def atomic(self):
        time.sleep(float(sys.argv[1]))
        return transaction.atomic()
import_jobs.transaction = Paced()
Import.objects.exists()
def peak():
    # Of this program alone: what getrusage says counts the process it was forked from.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
import_jobs.imports_work(now=timezone.now())
after = peak()
print(before // 1024, after // 1024)
"""


def worker(pause: float = 0) -> subprocess.Popen[str]:
    """A process of its own, on the tests' database; before each batch it pauses (seconds)."""
    name = connection.settings_dict["NAME"]
    address = urlsplit(os.environ["DATABASE_URL"])
    env = os.environ | {"DATABASE_URL": urlunsplit(address._replace(path=f"/{name}"))}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(pause)],
        env=env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_half_way(job: Import, counter: str, whole: int) -> int:
    """Start a worker and kill it with -9 when it is about half-way; where it was."""
    process = worker(pause=0.1)
    deadline = time.monotonic() + 600
    while getattr(job, counter) < whole // 2 and time.monotonic() < deadline:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
        job.refresh_from_db(fields=[counter])
    process.kill()
    process.wait()
    assert Lease.objects.update(until=Now() - timedelta(seconds=1)) == 1  # a minute is over
    job.refresh_from_db()
    return int(getattr(job, counter))


def finished() -> tuple[int, int]:
    """A worker run to its end; megabytes before and at most."""
    before, after = worker().communicate()[0].split()
    return int(before), int(after)


@pytest.mark.concurrency
def test_a_worker_killed_half_way_is_taken_over(real_cast: Cast) -> None:
    rows = (
        f'{n},Microscope {n},"A microscope of the kind {n % 97}, for samples up to {n % 13} mm",'
        f"Maker {n % 50},Building {n % 20}\n"
        for n in range(ROWS)
    )
    content = "id,name,description,manufacturers,facility\n" + "".join(rows)
    job = keep(real_cast.ustc.pk, content.encode(), format="table")
    before = Instrument.objects.count()
    began = time.monotonic()

    read = killed_half_way(job, "read_rows", ROWS)
    assert job.state == "reading" and read % BATCH == 0
    assert job.rows.count() == read
    reading = finished()
    job.refresh_from_db()
    assert (job.state, job.counts["created"]) == ("ready", ROWS)
    read_in = time.monotonic() - began

    import_apply(By(PLATFORM, NOW), import_id=job.pk)
    began = time.monotonic()
    done = killed_half_way(job, "done_rows", ROWS)
    assert job.state == "applying" and done % BATCH == 0
    assert Instrument.objects.count() == before + done  # whole batches, nothing half
    applying = finished()
    job.refresh_from_db()
    assert (job.state, job.counts["created"]) == ("done", ROWS)
    assert Instrument.objects.count() == before + ROWS
    assert Provenance.objects.filter(instrument__source="table:commons").count() == ROWS
    print(
        f"{ROWS} rows, {len(content) // 1024} KB: read in {read_in:.0f} s, applied in "
        f"{time.monotonic() - began:.0f} s; MB before and at most: reading {reading}, "
        f"applying {applying}"
    )
    for idle, most in (reading, applying):
        assert most - idle < MOST_GROWTH
