"""Create work for managers about records: photos, a duplicate record, an outdated one, two imported files,
and a harvest that got no answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.domain.roles import By
from bookings.demo.services.files import FOLDER, load
from bookings.world import Offer, Places
from instruments.attachments.services.attachments import attachment_add
from instruments.exchange.domain.harvests import Plan
from instruments.exchange.services.harvests import harvest_add, harvest_pause, harvest_work
from instruments.exchange.services.jobs import import_read, import_start
from instruments.managing.domain.quality import FRESH_FOR
from instruments.managing.services.registry import instrument_create, instrument_update
from instruments.register.models import Instrument

DAY = timedelta(days=1)


def records_make(offers: Sequence[Offer], *, began: datetime, now: datetime) -> int:
    """Create attachments, duplicates and other records that need a manager's attention; return the number of
    photos and documents."""
    data = load("records")
    by_key = {offer.key: offer for offer in offers}
    for key, number in data["numbers"].items():
        _number_add(by_key[key], number, began + 3 * DAY)
    for row in data["attachments"]:
        offer = by_key[row["instrument"]]
        attachment_add(
            By(offer.manager.actor, began + 4 * DAY),
            instrument_id=offer.instrument.pk,
            content=(FOLDER / "pictures" / row["file"]).read_bytes(),
            title=row["title"],
            title_zh=row["title_zh"],
            credit=data["credit"],
            licence=data["licence"],
        )
    _second_make(by_key[data["twice"]["of"]], data["twice"], now - 3 * DAY)
    stale = [by_key[key].instrument.pk for key in data["stale"]]
    Instrument.objects.filter(pk__in=stale).update(updated_at=now - FRESH_FOR - 20 * DAY)
    return len(data["attachments"])


def _number_add(offer: Offer, number: str, now: datetime) -> None:
    serial = {"identifier": number, "identifier_type": "SerialNumber"}
    instrument_update(
        By(offer.manager.actor, now),
        instrument_id=offer.instrument.pk,
        changes={"alternate_identifiers": [*offer.instrument.alternate_identifiers, serial]},
        techniques=None,
    )


def _second_make(offer: Offer, data: Mapping[str, Any], now: datetime) -> None:
    """Create a draft with the same maker and model at the same site, which looks like a duplicate."""
    first = offer.instrument
    instrument_create(
        By(offer.manager.actor, now),
        facility=first.facility,
        techniques=[],
        name=data["name"],
        name_zh=data["name_zh"],
        room=data["room"],
        manufacturers=first.manufacturers,
        model=first.model,
        service_modes=["self"],
    )


HARVEST = Plan(
    name="Register of the physics faculty",
    address="https://register.physics.example/instruments.csv",
    format="table",
    rhythm="weekly",
    weekday=1,
)
FILES = ("register.csv", "inventory.csv")


def inventories_make(places: Places, *, host: str, by: str, now: datetime) -> int:
    """Import the inventory files of a host, and return how many there are. `host` and `by` are keys of
    places.yaml and people.yaml."""
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
    harvest = harvest_add(By(actor, now), organisation_id=places.organisations[host].pk, plan=HARVEST)
    harvest_work(now=now, resolve=lambda host, port: [])  # a demonstration calls nobody
    harvest_pause(By(actor, now), harvest_id=harvest.pk)
    return len(FILES)
