"""What a record has and lacks."""

from datetime import date

from instruments.domain.publishing import Record
from instruments.models import Instrument
from instruments.selectors.ratecards import load_card_in_force


def load_record(instrument: Instrument, today: date) -> Record:
    """What the publishing checklist looks at; schedule and policy loaded with the instrument."""
    hours = instrument.schedule.hours if instrument.schedule else {}
    return Record(
        name=instrument.name,
        description=instrument.description or instrument.description_zh,
        manufacturers=len(instrument.manufacturers),
        service_modes=len(instrument.service_modes),
        has_opening_hours=bool(hours.get("weekly") or hours.get("overrides")),
        has_policy=hasattr(instrument, "policy"),
        has_rate_card_in_force=load_card_in_force(instrument.pk, today) is not None,
    )
