"""Who asked in vain is told of instruments elsewhere, once."""

from datetime import datetime, timedelta

import pytest
from django.core import mail

from accounts.domain.messages import Choice
from accounts.domain.roles import By
from accounts.models import OutboxMessage
from accounts.services.messages import choices_set
from bookings.catalogue.services.demand import demand_refused, demand_searched
from bookings.models import Suggestion, UnmetDemand, WaitingWish
from bookings.needs.services.suggestions import SETTLED, suggestions_tell
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.services.waiting import wishes_settle
from bookings.record.domain.periods import Period
from instruments.managing.services.publishing import instrument_publication
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.search.domain.search import Criteria
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.cards import CARD
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.needs import measurand_of
from tests.factories.waiting import narrow, wait

pytestmark = pytest.mark.django_db
SOON = NOW + SETTLED + timedelta(minutes=1)
SLOT = Period(at("2026-03-09 10:00"), at("2026-03-09 12:00"))


def refuse(cast: Cast, **changed):
    demand_refused(
        By(cast.actor("wang"), changed.pop("now", NOW)),
        organisation=cast.fudan,
        instrument=changed.pop("instrument", cast.microscope),
        period=SLOT,
    )
    return UnmetDemand.objects.latest("id")


def told():
    return list(OutboxMessage.objects.filter(kind="suggestion.told"))


def test_a_refusal_is_answered_by_the_best_elsewhere_once(cast: Cast) -> None:
    other = cast.instrument(name="Other", name_zh="另一台")
    refuse(cast)
    assert suggestions_tell(now=NOW + timedelta(minutes=1)) == 0  # they may be booking right now
    assert suggestions_tell(now=SOON) == 1
    assert suggestions_tell(now=SOON) == 0
    (row,) = Suggestion.objects.all()
    assert (row.user, row.cause, row.instrument) == (cast.wang, "refused", cast.microscope)
    assert [each["instrument"] for each in row.suggested] == [str(other.pk)]
    assert len(told()) == 1


@pytest.mark.parametrize(("language", "words"), [("en", "was not available"), ("zh-hans", "您没有约到")])
def test_the_mail_leads_to_the_booking(cast: Cast, language: str, words: str) -> None:
    cast.wang.language = language
    cast.wang.save()
    other = cast.instrument(name="Other", name_zh="另一台")
    refuse(cast)
    suggestions_tell(now=SOON)
    effects_carry_out(now=SOON)
    (letter,) = [m for m in mail.outbox if m.to == ["wang@fudan.example"]]
    assert words in letter.body
    assert f"/instruments/{other.pk}/book/?start=" in letter.body


def test_no_instrument_is_suggested_twice_in_thirty_days(cast: Cast) -> None:
    cast.instrument(name="Other")
    refuse(cast)
    suggestions_tell(now=SOON)
    refuse(cast, now=NOW + timedelta(days=1))
    assert suggestions_tell(now=SOON + timedelta(days=1)) == 0
    assert [row.suggested for row in Suggestion.objects.order_by("created_at")][1] == []
    assert len(told()) == 1


def test_who_has_found_something_is_left_in_peace(cast: Cast) -> None:
    other = cast.instrument(name="Other")
    refuse(cast)
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=other, now=NOW)
    assert suggestions_tell(now=SOON) == 0
    assert told() == []


def test_where_there_is_nothing_better_nothing_is_said(cast: Cast) -> None:
    refuse(cast)
    assert suggestions_tell(now=SOON) == 0
    assert Suggestion.objects.get().suggested == []


def test_a_search_in_vain_is_answered_by_what_its_words_mean(cast: Cast) -> None:
    measurand_of(cast)
    vocabulary_changed()
    demand_searched(
        By(cast.actor("wang"), NOW),
        organisation=cast.fudan,
        criteria=Criteria(
            text="grain size", free_from=SLOT.start, free_until=SLOT.end, minutes=120,
            region="CN-SH",
        ),
    )  # fmt: skip
    assert suggestions_tell(now=SOON) == 1
    (row,) = Suggestion.objects.all()
    assert row.cause == "search"
    assert [each["instrument"] for each in row.suggested] == [str(cast.microscope.pk)]


def test_an_expired_wish_is_answered(cast: Cast) -> None:
    instrument = narrow(cast)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", instrument=instrument)
    wait(cast, instrument)
    over = at("2026-03-06 21:00")
    wishes_settle(now=over)
    assert WaitingWish.objects.get().state == "expired"
    assert suggestions_tell(now=over) == 1
    assert Suggestion.objects.get().cause == "wish"
    assert suggestions_tell(now=over) == 0


def test_what_is_withdrawn_meanwhile_is_not_told(cast: Cast) -> None:
    other = cast.instrument(name="Other")
    refuse(cast)
    suggestions_tell(now=SOON)
    instrument_publication(By(cast.actor("zhao"), NOW), instrument_id=other.pk, act="suspend")
    effects_carry_out(now=SOON)
    assert [m for m in mail.outbox if m.to == ["wang@fudan.example"]] == []


def test_who_switched_it_off_gets_no_mail(cast: Cast) -> None:
    cast.instrument(name="Other")
    choices_set(By(cast.actor("wang"), NOW), topics={"suggestion": Choice(mail="off")}, quiet=None)
    refuse(cast)
    suggestions_tell(now=SOON)
    effects_carry_out(now=SOON)
    assert [m for m in mail.outbox if m.to == ["wang@fudan.example"]] == []


@pytest.mark.parametrize(("rates", "number"), [("100", 1), ("900", 0)])
def test_a_lower_price_for_a_while_is_told_to_who_asked_in_vain(cast: Cast, rates: str, number: int) -> None:
    refuse(cast)
    suggestions_tell(now=SOON)
    rate_card_create(
        By(cast.actor("zhao"), SOON),
        instrument_id=cast.microscope.pk,
        card=parse_rate_card(
            CARD
            | {
                "valid_from": "2026-03-10",
                "valid_until": "2026-03-20",
                "rates": dict.fromkeys(CARD["rates"], rates),
            }
        ),
        publish=True,
    )
    later = SOON + timedelta(hours=1)
    assert suggestions_tell(now=later) == number
    assert suggestions_tell(now=later) == 0
    row = Suggestion.objects.get(cause="offer")
    assert [each["instrument"] for each in row.suggested] == [str(cast.microscope.pk)] * number
    if number:
        assert datetime.fromisoformat(row.suggested[0]["start"]) >= at("2026-03-10 00:00")
    # Nobody who had not asked is told.
    assert set(Suggestion.objects.values_list("user", flat=True)) == {cast.wang.pk}
