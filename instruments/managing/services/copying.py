"""Copy an instrument whole, as a draft with another name and number and without a history."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from instruments.attachments.services.attachments import photos_copy
from instruments.capabilities.services.capabilities import capabilities_copy
from instruments.managing.services.registry import instrument_create, recorded
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.selectors.policies import load_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

INVENTORY, SERIAL = "InventoryNumber", "SerialNumber"
# Fields of a record that name one piece of equipment.
OF_ONE = ("name", "name_zh", "identifier", "identifier_type", "landing_page", "alternate_identifiers")
# Functions that copy what areas above keep of an instrument: who copies, from which, to which.
copiers: list[Callable[[By, Instrument, Instrument], None]] = []


@transaction.atomic
def instrument_copy(
    by: By,
    *,
    instrument_id: UUID,
    name: str,
    name_zh: str = "",
    inventory_number: str = "",
    serial_number: str = "",
    photos: bool = False,
) -> Instrument:
    """Enter a draft that has everything of an instrument but what belongs to one piece of equipment: its
    record, hours, policy, rate cards from today on, capabilities, house rules and questions, and its photos
    if `photos`. For the host's managers. `Invalid` (number-taken) if another instrument of the organisation
    has the inventory number."""
    source = instrument_to_manage(by.actor, instrument_id)
    now = By(by.actor, by.now)  # the version that was read is that of the source
    by.require_version(source.version)
    inventory_number, serial_number = inventory_number.strip(), serial_number.strip()
    numbers = [
        {"identifier": number, "identifier_type": kind}
        for kind, number in ((INVENTORY, inventory_number), (SERIAL, serial_number))
        if number
    ]
    if inventory_number:
        same = Instrument.objects.filter(
            organisation=source.organisation_id, alternate_identifiers__contains=numbers[:1]
        )
        if same.exists():
            raise invalid("inventory_number", "number-taken")
    values: dict[str, Any] = {
        field: value for field, value in recorded(source).items() if field not in OF_ONE
    }
    copy = instrument_create(
        now,
        facility=source.facility,
        techniques=list(source.techniques.all()),
        name=name,
        name_zh=name_zh,
        alternate_identifiers=numbers,
        **values,
    )
    if source.schedule is not None:
        hours = parse_hours(source.schedule.hours)
        opening_hours_set(now, instrument_id=copy.pk, hours=hours)
    if (policy := getattr(source, "policy", None)) is not None:
        policy_set(now, instrument_id=copy.pk, policy=load_policy(policy))
    _cards_copy(now, source, copy)
    capabilities_copy(now, source=source, copy=copy)
    for copier in copiers:
        copier(now, source, copy)
    trail.record(now, "instrument.copy", copy, after={"of": source.pk, "photos": photos})
    if photos:
        photos_copy(now, source=source, copy=copy)
    return Instrument.objects.get(pk=copy.pk)


def _cards_copy(by: By, source: Instrument, copy: Instrument) -> None:
    """Give a copy the rate cards that are in force today or later, from today, and those not published."""
    today = local_date(source.facility.zone, by.now)
    rows = RateCard.objects.filter(instrument=source, replaced_at=None).order_by("valid_from", "version")
    for row in rows:
        card = load_card(row).values
        if card.valid_until is not None and card.valid_until <= today:
            continue
        card = replace(card, valid_from=max(card.valid_from, today))
        rate_card_create(by, instrument_id=copy.pk, card=card, publish=row.published_at is not None)
