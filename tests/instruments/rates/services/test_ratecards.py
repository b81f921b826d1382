"""Putting rate cards in force."""

from datetime import date

import pytest
from django.db import transaction

from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.models import RateCard
from instruments.rates.services.ratecards import rate_card_change, rate_card_create, rate_card_delete
from tests.factories.cast import CARD, NOW, reserve


def test_the_trail_says_which_version_was_ended_and_when(cast):
    card = parse_rate_card(CARD | {"valid_from": "2026-05-01"})
    rate_card_create(By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, card=card, publish=True)
    old = RateCard.objects.get(instrument=cast.microscope, version=1)
    assert old.valid_until == date(2026, 5, 1)
    entry = TrailEntry.objects.filter(action="ratecard.publish").latest("at")
    assert entry.before == {"in_force": {"1": None}}
    assert entry.after["version"] == 2
    assert entry.after["ended"] == {"1": "2026-05-01"}


def create(cast, publish=True, **changes):
    return rate_card_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        card=parse_rate_card(CARD | changes),
        publish=publish,
    )


def change(cast, version, who="zhao", publish=False, expected=None, **changes):
    return rate_card_change(
        By(cast.actor(who), NOW, expected),
        instrument_id=cast.microscope.pk,
        version=version,
        card=parse_rate_card(CARD | changes),
        publish=publish,
    )


def delete(cast, version, who="zhao", expected=None):
    rate_card_delete(By(cast.actor(who), NOW, expected), instrument_id=cast.microscope.pk, version=version)


def everything():
    rows = RateCard.objects.order_by("version").values(
        "version", "card", "valid_from", "valid_until", "published_at", "replaced_at", "revision"
    )
    return list(rows), TrailEntry.objects.count()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"valid_from": "2026-03-04"}, ("valid_from", "version-used")),
        ({"valid_from": "2026-01-01"}, ("valid_from", "version-used")),
        ({"valid_from": "2025-06-01"}, ("valid_from", "overlaps-version")),
        ({"valid_from": "2025-06-01", "valid_until": "2026-03-05"}, ("valid_until", "in-the-past")),
    ],
)
def test_refused_with_its_field_and_nothing_written(cast, changes, problem):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    before = everything()
    with pytest.raises(Invalid) as refusal, transaction.atomic():
        create(cast, **changes)
    assert [(each.field, each.code) for each in refusal.value.problems] == [problem]
    assert everything() == before


def test_a_gap_is_refused_with_its_field(cast):
    create(cast, valid_from="2026-05-01", valid_until="2026-06-01")
    before = everything()
    with pytest.raises(Invalid) as refusal, transaction.atomic():
        create(cast, valid_from="2026-07-01")
    assert refusal.value.problems == (
        FieldProblem("valid_from", "leaves-gap", {"version": 2, "day": "2026-06-01"}),
    )
    assert everything() == before
    assert create(cast, valid_from="2026-06-01").version == 3


def test_a_card_that_was_used_is_ended_from_a_later_day_and_bookings_keep_it(cast):
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    create(cast, valid_from="2026-03-05", rates={"external": "1.00"})
    booked.refresh_from_db()
    assert booked.rate_card.version == 1
    assert booked.rate_card.valid_until == date(2026, 3, 5)
    later = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00")
    assert later.rate_card.version == 2


def test_an_unused_card_with_the_same_first_day_is_replaced_and_stays_on_record(cast):
    create(cast, valid_from="2026-01-01")
    old = RateCard.objects.get(version=1)
    assert (old.published_at, old.replaced_at) == (None, NOW)
    for act in (lambda: change(cast, 1), lambda: delete(cast, 1)):
        with pytest.raises(WrongState) as refusal:
            act()
        assert refusal.value.numbers["state"] == "replaced"


def test_a_draft_is_changed_published_and_then_frozen(cast):
    draft = create(cast, publish=False, valid_from="2026-06-01")
    changed = change(cast, 2, valid_from="2026-07-01", tax_percent="9", expected=draft.revision)
    assert (changed.pk, changed.valid_from, changed.revision) == (draft.pk, date(2026, 7, 1), 2)
    entry = TrailEntry.objects.filter(action="ratecard.update").latest("at")
    assert (entry.before["card"]["tax_percent"], entry.after["card"]["tax_percent"]) == ("6", "9")
    published = change(cast, 2, publish=True, valid_from="2026-07-01")
    assert published.published_at == NOW
    assert RateCard.objects.get(version=1).valid_until == date(2026, 7, 1)
    before = everything()
    for act in (lambda: change(cast, 2), lambda: delete(cast, 2), lambda: change(cast, 1)):
        with pytest.raises(WrongState):
            act()
    assert everything() == before


def test_a_draft_is_deleted_and_the_trail_keeps_it(cast):
    create(cast, publish=False, valid_from="2026-06-01")
    delete(cast, 2)
    assert RateCard.objects.count() == 1
    entry = TrailEntry.objects.filter(action="ratecard.delete").latest("at")
    assert entry.before["card"]["valid_from"] == "2026-06-01"
    with pytest.raises(NotFound):
        delete(cast, 2)


@pytest.mark.parametrize("who", ["sun", "chen", "gao", "auditor", "admin"])
def test_drafts_are_the_hosts_managers_to_change(cast, who):
    create(cast, publish=False)
    refusal = NotPermitted if who in {"gao", "auditor"} else NotFound
    for act in (lambda: change(cast, 2, who=who), lambda: delete(cast, 2, who=who)):
        with pytest.raises(refusal):
            act()


def test_a_draft_that_somebody_else_changed_meanwhile(cast):
    create(cast, publish=False)
    change(cast, 2)
    for act in (lambda: change(cast, 2, expected=1), lambda: delete(cast, 2, expected=1)):
        with pytest.raises(WrongVersion):
            act()
