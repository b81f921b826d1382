"""Two files that a manager of the demonstration has brought: one to be looked at, one whose
columns are to be named; and a harvest that found nobody at its address."""

from datetime import datetime

from accounts.domain.roles import By
from bookings.demo.services.files import FOLDER
from bookings.demo.services.places import Places
from instruments.domain.harvests import Plan
from instruments.services.harvests import harvest_add, harvest_pause, harvest_work
from instruments.services.import_jobs import import_read, import_start

HARVEST = Plan(
    name="Register of the physics faculty",
    address="https://register.physics.example/instruments.csv",
    format="table",
    rhythm="weekly",
    weekday=1,
)
FILES = ("register.csv", "inventory.csv")


def inventories_make(places: Places, *, host: str, by: str, now: datetime) -> int:
    """Kept and read; how many. `host` and `by` are keys of places.yaml and people.yaml."""
    for name in FILES:
        with (FOLDER / name).open("rb") as file:
            job = import_start(
                By(places.people[by].actor, now),
                organisation_id=places.organisations[host].pk,
                file=file,
                file_name=name,
                format="table",
            )
        import_read(import_id=job.pk, now=now)
    actor = places.people[by].actor
    harvest = harvest_add(
        By(actor, now), organisation_id=places.organisations[host].pk, plan=HARVEST
    )
    harvest_work(now=now, resolve=lambda host, port: [])  # a demonstration calls nobody
    harvest_pause(By(actor, now), harvest_id=harvest.pk)
    return len(FILES)
