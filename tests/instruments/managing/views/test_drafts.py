"""Many drafts completed from one instrument, and published together."""

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.policy.models import BookingPolicy
from instruments.policy.services.policies import policy_set
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from tests.factories.cast import NOW
from tests.instruments.conftest import signed_in

DRAFTS = reverse("instruments:drafts")
RECORD = {
    "description": "Measures surfaces.",
    "manufacturers": [{"name": "Bruker"}],
    "service_modes": ["self"],
}


@pytest.fixture
def drafts(cast):
    by = By(cast.actor("zhao"), NOW)

    def made(name, **record):
        return instrument_create(by, facility=cast.facility, techniques=[], name=name, **record)

    return [made("AFM one", **RECORD), made("AFM two", **RECORD), made("No description")]


def carried_out(client, drafts, template=None, **more):
    data = {"drafts": [str(row.pk) for row in drafts], **more}
    if template:
        data["template"] = str(template.pk)
    return client.post(DRAFTS, data)


def states(drafts):
    return [Instrument.objects.get(pk=row.pk).publication for row in drafts]


def test_completed_and_published_and_the_other_says_what_it_lacks(cast, zhao, drafts):
    answer = carried_out(zhao, drafts, cast.microscope, publish="on")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert states(drafts) == ["published", "published", "draft"]
    assert "2 of 3 are published." in html and "description" in html
    for row in drafts:
        own = Instrument.objects.select_related("schedule", "policy").get(pk=row.pk)
        assert own.schedule_id == cast.microscope.schedule_id
        assert own.policy.slot_minutes == cast.microscope.policy.slot_minutes
        card = RateCard.objects.get(instrument=own)
        assert card.published_at == NOW and str(card.valid_from) == "2026-03-05"


def test_a_facility_opens_on_one_day_from_a_draft_that_is_set_up(cast, zhao, drafts):
    """A file seldom says how its instruments can be used: that is copied, too."""
    Instrument.objects.filter(pk=drafts[1].pk).update(service_modes=[])
    Instrument.objects.filter(pk=drafts[2].pk).update(**RECORD | {"service_modes": ["remote"]})
    html = carried_out(zhao, drafts[:1], cast.microscope).content.decode()
    assert "Nothing is published yet." in html
    html = carried_out(zhao, drafts, drafts[0], publish="on").content.decode()
    assert "All 3 are published and can be booked." in html
    assert states(drafts) == ["published"] * 3
    rows = [Instrument.objects.get(pk=row.pk) for row in drafts]
    assert [row.service_modes for row in rows] == [["self"], ["self"], ["remote"]]


def test_what_a_draft_has_of_its_own_stays(cast, zhao, drafts):
    from dataclasses import replace

    from instruments.policy.selectors.policies import load_policy

    own = replace(load_policy(cast.microscope.policy), slot_minutes=15)
    policy_set(By(cast.actor("zhao"), NOW), instrument_id=drafts[0].pk, policy=own)
    carried_out(zhao, drafts[:1], cast.microscope)
    assert BookingPolicy.objects.get(instrument=drafts[0]).slot_minutes == 15
    assert states(drafts) == ["draft"] * 3
    # Once more: there is nothing left to take over, and no second card.
    carried_out(zhao, drafts[:1], cast.microscope)
    assert RateCard.objects.filter(instrument=drafts[0]).count() == 1


@pytest.mark.parametrize("chosen", [[], ["microscope"], ["other"]])
def test_only_drafts_of_ones_own(cast, zhao, drafts, chosen):
    """None, one that is public, one of another organisation."""
    theirs = facility_create(
        By(cast.actor("chen"), NOW), organisation=cast.fudan, name="Lab", time_zone="Asia/Shanghai"
    )
    foreign = instrument_create(
        By(cast.actor("chen"), NOW), facility=theirs, techniques=[], name="AFM of Fudan", **RECORD
    )
    rows = {"microscope": cast.microscope, "other": foreign}
    answer = carried_out(zhao, [rows[name] for name in chosen], cast.microscope, publish="on")
    assert answer.status_code == 400
    assert states(drafts) == ["draft"] * 3


def test_neither_template_nor_publishing_asks_for_one(cast, zhao, drafts):
    answer = carried_out(zhao, drafts)
    assert answer.status_code == 400
    assert "Choose an instrument, or publish, or both." in answer.content.decode()


def test_only_managers(cast, noon, drafts):
    assert signed_in(cast.people["wang"]).get(DRAFTS).status_code == 403
