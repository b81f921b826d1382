"""Describe an instrument's page to machines."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from instruments.attachments.models import Attachment
from instruments.exchange.domain.schema_org import Described, json_ld
from instruments.register.models import Instrument


def page_address(instrument: Instrument) -> str:
    """Return the canonical address of the instrument's page, whichever address led there."""
    return settings.SITE_URL + reverse("bookings:instrument", args=[instrument.pk])


def linked_data(instrument: Instrument, attachments: Sequence[Attachment]) -> dict[str, Any]:
    """Return the record as schema.org JSON-LD. Facility, host and techniques must be loaded with it."""
    facility, host = instrument.facility, instrument.organisation
    identifiers = [(instrument.identifier_type, instrument.identifier)]
    identifiers += [
        (str(item.get("identifier_type", "")), str(item.get("identifier", "")))
        for item in instrument.alternate_identifiers
    ]
    has_position = facility.latitude is not None and facility.longitude is not None
    return json_ld(
        Described(
            page=page_address(instrument),
            name=instrument.name,
            name_zh=instrument.name_zh,
            description=instrument.description or instrument.description_zh,
            model=instrument.model,
            makers=[str(maker.get("name", "")) for maker in instrument.manufacturers],
            identifiers=[(kind, value) for kind, value in identifiers if value],
            techniques=[technique.name for technique in instrument.techniques.all()],
            images=[
                settings.SITE_URL + reverse("instruments:file", args=[item.pk, "large"])
                for item in attachments
                if item.kind == Attachment.Kind.PHOTO
            ],
            host=host.name,
            host_ror=host.ror,
            facility=facility.name,
            address=facility.address,
            position=(str(facility.latitude), str(facility.longitude)) if has_position else None,
            is_bookable=instrument.publication == Instrument.Publication.PUBLISHED,
        )
    )
