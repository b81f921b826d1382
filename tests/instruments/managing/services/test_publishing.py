"""Submitting, giving back, confirming; who is told."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.overview.services.effects import effects_carry_out
from instruments.managing.selectors.managing import load_standings
from instruments.managing.selectors.quality import load_qualities
from instruments.managing.services.publishing import (
    instrument_confirm,
    instrument_publication,
    stale_records_tell,
)
from instruments.managing.services.registry import instrument_create
from instruments.register.models import Instrument
from tests.factories.cast import NOW
from tests.instruments.conftest import signed_in

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=400)


@pytest.fixture(autouse=True)
def _letters(settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}


def letters():
    return sorted((m.to[0], m.subject) for m in mail.outbox)


def publication(cast, who, instrument, act, **more):
    return instrument_publication(By(cast.actor(who), NOW), instrument_id=instrument.pk, act=act, **more)


def submitted(cast):
    made = instrument_create(By(cast.actor("sun"), NOW), facility=cast.facility, techniques=[], name="Raman")
    return publication(cast, "sun", made, "submit")


def test_managers_hear_of_what_is_submitted_and_its_author_of_the_answer(shared_cast):
    made = submitted(shared_cast)
    effects_carry_out(now=NOW)
    assert letters() == [("zhao@ustc.example", "To publish: Raman")]
    assert "Missing: description, maker" in mail.outbox[0].body
    mail.outbox.clear()
    publication(shared_cast, "zhao", made, "return", reason="Name the maker.")
    effects_carry_out(now=NOW)
    assert letters() == [("sun@ustc.example", "Returned: Raman")]
    assert "Name the maker." in mail.outbox[0].body
    # The reason lies where it can be erased, not in the outbox.
    assert not OutboxMessage.objects.filter(payload__icontains="maker").exists()


def test_only_what_was_submitted_is_given_back(shared_cast):
    with pytest.raises(WrongState):
        publication(shared_cast, "zhao", shared_cast.microscope, "return", reason="x")
    made = submitted(shared_cast)
    with pytest.raises(NotPermitted):
        publication(shared_cast, "sun", made, "return", reason="x")
    assert Instrument.objects.get(pk=made.pk).publication == "submitted"


def test_a_message_that_came_to_nothing_is_not_sent(shared_cast):
    made = submitted(shared_cast)
    publication(shared_cast, "zhao", made, "retire", reason="twice")
    effects_carry_out(now=NOW)
    assert letters() == []


def test_hosts_hear_of_stale_records_once_a_month_until_they_confirm(shared_cast):
    second = shared_cast.instrument(name="Old X-ray", name_zh="")
    assert stale_records_tell(now=NOW) == 0
    assert stale_records_tell(now=LATER) == 1
    stale_records_tell(now=LATER + timedelta(days=1))
    effects_carry_out(now=LATER + timedelta(days=1))
    assert letters() == [("zhao@ustc.example", "Please confirm: records of USTC")]
    assert "Old X-ray" in mail.outbox[0].body
    for instrument in (second, shared_cast.microscope):
        instrument_confirm(By(shared_cast.actor("zhao"), LATER), instrument_id=instrument.pk)
    assert stale_records_tell(now=LATER + timedelta(days=40)) == 0
    entry = TrailEntry.objects.filter(action="instrument.confirm", object_id=second.pk).get()
    assert entry.before == {"confirmed_at": None}


def test_a_stale_record_loses_gold_alone(shared_cast):
    microscope = Instrument.objects.get(pk=shared_cast.microscope.pk)
    fresh = load_qualities([microscope], NOW)[microscope.pk]
    assert (fresh.mark, fresh.following) == ("bronze", "silver")
    assert set(fresh.lacking) == {"telling-description", "contact"}
    standing = load_standings([microscope], LATER)[0]
    assert standing.is_stale
    assert "confirmation" not in standing.quality.lacking  # gold is not what is next


def test_confirming_a_draft_is_refused_and_others_may_not(shared_cast):
    made = submitted(shared_cast)
    with pytest.raises(WrongState):
        instrument_confirm(By(shared_cast.actor("zhao"), NOW), instrument_id=made.pk)
    with pytest.raises(NotPermitted):
        instrument_confirm(By(shared_cast.actor("sun"), NOW), instrument_id=shared_cast.microscope.pk)
    assert not TrailEntry.objects.filter(action="instrument.confirm").exists()


def test_pages_say_what_would_raise_it_and_confirm_with_one_click(shared_cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    zhao = signed_in(shared_cast.zhao)
    pk = shared_cast.microscope.pk
    page = zhao.get(reverse("instruments:instrument-manage", args=[pk])).content.decode()
    assert "For a silver record it still needs:" in page
    assert "a contact at the facility" in page
    listed = zhao.get(reverse("instruments:manage") + "?stale=on").content.decode()
    assert "Not confirmed for a year." in listed
    zhao.post(reverse("instruments:confirm", args=[pk]), {"list": "1"})
    assert "Not confirmed for a year." not in zhao.get("/manage/").content.decode()
    public = signed_in(shared_cast.wang).get(f"/instruments/{pk}/").content.decode()
    assert "quality-bronze" in public


def test_giving_back_needs_a_reason(shared_cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    made = submitted(shared_cast)
    zhao = signed_in(shared_cast.zhao)
    answer = zhao.post(reverse("instruments:publication", args=[made.pk]), {"act": "return"})
    assert answer.status_code == 400
    assert "Enter what has to be done first." in answer.content.decode()
