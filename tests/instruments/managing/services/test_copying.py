"""A copy of an instrument: everything but its name, numbers and history."""

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import Meter, Questionnaire, Reservation
from bookings.questions.services.meters import meter_add
from bookings.questions.services.questions import questionnaire_set
from instruments.attachments.adapters.files import file_open
from instruments.attachments.services.attachments import attachment_add
from instruments.capabilities.models import Capability
from instruments.house_rules.models import HouseRules
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.managing.services.copying import OF_ONE, instrument_copy
from instruments.managing.services.registry import recorded
from instruments.policy.selectors.policies import load_policy
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from tests.factories.attachments import picture
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW, reserve

pytestmark = pytest.mark.django_db


def by(cast, name="zhao"):
    return By(cast.actor(name), NOW)


def copy(cast, **changes):
    return instrument_copy(by(cast), instrument_id=cast.microscope.pk, **{"name": "Second"} | changes)


def test_a_copy_has_everything_but_name_numbers_and_history(cast):
    source = cast.microscope
    Instrument.objects.filter(pk=source.pk).update(
        identifier="10.1/x", identifier_type="DOI", room="B7",
        alternate_identifiers=[{"identifier": "A-1", "identifier_type": "InventoryNumber"}],
    )  # fmt: skip
    reserve(cast, "2026-03-09 09:00", "2026-03-09 11:00")
    meter = meter_add(by(cast), instrument_id=source.pk, name="Beam", unit="h")
    asked = [
        {"key": "beam", "kind": "meter", "label": "Beam now", "meter": str(meter.pk)},
        {"key": "sample", "kind": "text", "label": "Which sample?", "required": True},
    ]
    questionnaire_set(by(cast), instrument_id=source.pk, moment="before", fields=asked)
    house_rules_set(by(cast), instrument_id=source.pk, text="No food.", text_zh="")
    attachment_add(by(cast), instrument_id=source.pk, content=picture(), title="Front")
    parameters_of(cast)
    parameter = Capability._meta.get_field("parameter").related_model.objects.first()
    Capability.objects.create(
        instrument=source, parameter=parameter, minimum=1, maximum=2, unit="nm", source="owner",
        created_at=NOW, updated_at=NOW, checked_on=NOW.date(),
    )  # fmt: skip
    bookings = Reservation.objects.count()
    source.refresh_from_db()
    made = copy(cast, inventory_number="A-2", photos=True)
    mine, theirs = recorded(made), recorded(source)
    assert {k: v for k, v in mine.items() if k not in OF_ONE} == {
        k: v for k, v in theirs.items() if k not in OF_ONE
    }
    assert (made.name, made.publication, made.identifier, made.published_at) == ("Second", "draft", "", None)
    assert made.alternate_identifiers == [{"identifier": "A-2", "identifier_type": "InventoryNumber"}]
    assert made.schedule.hours == source.schedule.hours
    assert load_policy(made.policy) == load_policy(source.policy)
    assert [*made.techniques.all()] == [*source.techniques.all()]
    (card,) = RateCard.objects.filter(instrument=made)
    (old,) = RateCard.objects.filter(instrument=source)
    assert {**card.card, "valid_from": ""} == {**old.card, "valid_from": ""}
    (row,) = Capability.objects.filter(instrument=made)
    assert (row.minimum, row.maximum, row.unit, row.checked_on) == (1, 2, "nm", None)
    assert HouseRules.objects.get(instrument=made).text == "No food." and made.house_rules_version == 1
    own = Meter.objects.get(instrument=made)
    fields = Questionnaire.objects.get(instrument=made).fields
    assert [field.get("meter") for field in fields] == [str(own.pk), None] and made.before_questions == 1
    (photo,) = made.attachments.all()
    (front,) = source.attachments.all()
    assert made.photo_count == 1 and photo.pk != front.pk
    with file_open(photo.pk, "small") as one, file_open(front.pk, "small") as other:
        assert one.read() == other.read()
    assert Reservation.objects.count() == bookings
    entry = TrailEntry.objects.filter(action="instrument.copy").get()
    assert entry.after["of"] == str(source.pk)


def test_photos_are_copied_only_if_asked(cast):
    attachment_add(by(cast), instrument_id=cast.microscope.pk, content=picture(), title="Front")
    assert copy(cast).photo_count == 0


def test_a_number_is_that_of_one_instrument(cast):
    copy(cast, inventory_number="A-2")
    before = Instrument.objects.count()
    with pytest.raises(Invalid) as refused:
        copy(cast, inventory_number=" A-2")
    assert [(p.field, p.code) for p in refused.value.problems] == [("inventory_number", "number-taken")]
    assert Instrument.objects.count() == before


def test_only_the_host_s_managers_copy_what_they_have_read(cast):
    for name in ("wang", "chen", "sun", "admin"):
        with pytest.raises(NotPermitted):
            instrument_copy(by(cast, name), instrument_id=cast.microscope.pk, name="Second")
    stale = By(cast.actor("zhao"), NOW, cast.microscope.version + 9)
    with pytest.raises(WrongVersion):
        instrument_copy(stale, instrument_id=cast.microscope.pk, name="Second")
    assert not Instrument.objects.filter(name="Second").exists()


def test_the_form_proposes_another_name(cast, client):
    Instrument.objects.filter(pk=cast.microscope.pk).update(name="TEM", name_zh="电镜")
    client.force_login(cast.zhao)
    html = client.get(f"/manage/instruments/{cast.microscope.pk}/copy/").content.decode()
    assert 'value="TEM (copy)"' in html and 'value="电镜（副本）"' in html
