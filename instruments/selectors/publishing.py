"""What a record has and lacks."""

from datetime import date

from instruments.domain.quality import Record
from instruments.models import Instrument
from instruments.selectors.quality import record_of
from instruments.selectors.ratecards import load_card_in_force


def load_record(instrument: Instrument, today: date) -> Record:
    """What the publishing checklist looks at; schedule and policy loaded with the instrument."""
    card = load_card_in_force(instrument.pk, today)
    return record_of(instrument, has_rate_card_in_force=card is not None)
