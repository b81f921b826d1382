"""Putting rate cards in force."""

from datetime import date

from accounts.models import TrailEntry
from instruments.domain.ratecards import parse_rate_card
from instruments.models import RateCard
from instruments.services.ratecards import rate_card_create
from tests.factories.cast import CARD, NOW


def test_the_trail_says_which_version_was_ended_and_when(cast):
    card = parse_rate_card(CARD | {"valid_from": "2026-05-01"})
    rate_card_create(
        actor=cast.actor("zhao"),
        instrument_id=cast.microscope.pk,
        card=card,
        publish=True,
        now=NOW,
    )
    old = RateCard.objects.get(instrument=cast.microscope, version=1)
    assert old.valid_until == date(2026, 5, 1)
    entry = TrailEntry.objects.filter(action="ratecard.publish").latest("at")
    assert entry.before == {"in_force": {"1": None}}
    assert entry.after["version"] == 2
    assert entry.after["ended"] == {"1": "2026-05-01"}
