"""Announcing samples, saying more of them, and each step they go."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.models import BookedSample, SampleItem, SamplePhoto, SampleStep
from bookings.record.domain.refusals import RulesRefuse
from bookings.samples.domain.samples import STEPS, code_in
from bookings.samples.services import samples
from tests.factories.attachments import picture
from tests.factories.cast import NOW, reserve
from tests.factories.samples import announce, join, refuse, step

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def booked(cast):
    """A booking of Wang Li's with a sample of his."""
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    return booking, sample


def change(cast, sample, who="wang", version=None, **values):
    given = {"name": sample.name} | values
    by = By(cast.actor(who), NOW, version)
    return samples.sample_change(by, sample_id=sample.pk, values=samples.SampleValues(**given))


def test_who_no_longer_sees_a_sample_once_it_is_locked_records_nothing(cast, booked, monkeypatch):
    _, sample = booked
    lock = samples.lock_samples

    def late(ids):
        BookedSample.objects.filter(sample=sample).delete()  # it leaves the booking at this moment
        return lock(ids)

    monkeypatch.setattr(samples, "lock_samples", late)
    with pytest.raises(NotFound):
        step(cast, "zhao", "received", sample)
    assert sample.steps.count() == 1


def test_the_table_of_steps_knows_every_state():
    assert set(STEPS) == set(SampleItem.State.values)


def test_it_gets_a_code_and_a_first_step(cast):
    sample = announce(cast, hazards=["toxic", "explosive", "toxic"], amount=" 5 mg ")
    assert code_in(sample.code) == sample.code
    assert (sample.state, sample.hazards, sample.amount) == ("announced", ["explosive", "toxic"], "5 mg")
    assert sample.organisation == cast.fudan
    first = sample.steps.get()
    assert (first.state, first.by, first.at) == ("announced", cast.wang, NOW)
    assert TrailEntry.objects.get(object_id=sample.pk).action == "sample.announce"


def test_several_of_a_kind_are_numbered_each_with_a_code_of_its_own(cast):
    by = By(cast.actor("wang"), NOW)
    rows = samples.sample_announce(by, values=samples.SampleValues("晶片"), number=12)
    assert [row.name for row in rows] == [f"晶片 {n}" for n in range(1, 13)]
    assert len({row.code for row in rows}) == 12


@pytest.mark.parametrize(
    ("values", "number", "field", "code"),
    [
        ({"name": "  "}, 1, "name", "required"),
        ({"hazards": ["dull"]}, 1, "hazards", "unknown-choice"),
        ({"afterwards": "eat"}, 1, "afterwards", "unknown-value"),
        ({}, 101, "number", "out-of-range"),
        ({"name": "x" * 116}, 2, "name", "too-long"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_kept(cast, values, number, field, code):
    with pytest.raises(Invalid) as refused:
        samples.sample_announce(
            By(cast.actor("wang"), NOW), values=samples.SampleValues(**{"name": "A"} | values), number=number
        )
    problem = refused.value.problems[0]
    assert (problem.field, problem.code) == (field, code)
    assert not SampleItem.objects.exists()


def test_who_may_not_book_announces_none(cast):
    for who, refusal in (("alice", Invalid), ("lin", NotPermitted)):
        with pytest.raises(refusal):
            announce(cast, who)
    assert not SampleItem.objects.exists()


def test_the_way_of_a_sample(cast, booked):
    _, sample = booked
    step(cast, "wang", "shipped", sample, carrier="SF", tracking="SF123", condition="damaged")
    step(cast, "zhao", "received", sample, condition="damaged", note="the lid is off")
    step(cast, "zhao", "in_work", sample)
    step(cast, "zhao", "measured", sample)
    step(cast, "zhao", "return_shipped", sample, carrier="SF", tracking="SF124")
    step(cast, "wang", "returned", sample)
    rows = list(sample.steps.values_list("state", "by__name", "place", "carrier", "condition"))
    assert rows == [
        ("announced", "Wang Li", "", "", ""),
        ("shipped", "Wang Li", "", "SF", ""),
        ("received", "Zhao Min", "Instruments Centre", "", "damaged"),
        ("in_work", "Zhao Min", "Instruments Centre", "", ""),
        ("measured", "Zhao Min", "Instruments Centre", "", ""),
        ("return_shipped", "Zhao Min", "Instruments Centre", "SF", ""),
        ("returned", "Wang Li", "", "", ""),
    ]
    sample.refresh_from_db()
    assert (sample.state, sample.version) == ("returned", 8)


def test_what_was_wrong_is_put_right_by_another_step(cast, booked):
    _, sample = booked
    step(cast, "zhao", "received", sample)
    step(cast, "zhao", "received", sample, condition="damaged")
    step(cast, "zhao", "discarded", sample, note="spilt")
    step(cast, "zhao", "received", sample, note="it was another")
    assert list(sample.steps.values_list("state", flat=True)) == [
        "announced",
        "received",
        "received",
        "discarded",
        "received",
    ]


@pytest.mark.parametrize(
    ("who", "state", "refusal"),
    [
        ("wang", "received", WrongState),  # not the owner's
        ("zhao", "shipped", WrongState),  # not the host's
        ("zhao", "measured", WrongState),  # not from there
        ("sun", "received", NotFound),  # of the host, but not its staff
        ("hu", "received", NotFound),
        ("lin", "shipped", NotFound),  # of the owner's organisation, but neither they nor a manager
        ("auditor", "received", NotFound),
        ("alice", "cancelled", NotFound),
    ],
)
def test_who_may_not_changes_nothing(cast, booked, who, state, refusal):
    _, sample = booked
    with pytest.raises(refusal):
        step(cast, who, state, sample)
    sample.refresh_from_db()
    assert (sample.state, sample.version, sample.steps.count()) == ("announced", 2, 1)


def test_the_owners_manager_is_on_the_owners_side(cast, booked):
    _, sample = booked
    step(cast, "chen", "shipped", sample)
    assert sample.steps.count() == 2


def test_staff_of_a_host_it_is_not_booked_at_see_nothing(cast):
    sample = announce(cast)
    with pytest.raises(NotFound):
        step(cast, "zhao", "received", sample)


def test_twelve_are_received_in_one_go_and_the_owner_is_told_once(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    by = By(cast.actor("wang"), NOW)
    rows = samples.sample_announce(
        by, values=samples.SampleValues("Film"), number=12, reservation_id=booking.pk
    )
    step(cast, "zhao", "received", *rows)
    assert SampleItem.objects.filter(state="received").count() == 12
    told = OutboxMessage.objects.get(kind="sample.received")
    assert len(told.payload["samples"]) == 12


def test_of_many_all_go_or_none(cast, booked):
    booking, sample = booked
    other = announce(cast)
    join(cast, booking, other)
    step(cast, "zhao", "received", sample)
    with pytest.raises(WrongState) as refused:
        step(cast, "zhao", "discarded", sample, other, note="x")
    assert refused.value.numbers["state"] == "announced"
    sample.refresh_from_db()
    assert sample.state == "received"


@pytest.mark.parametrize("state", ["refused", "lost", "discarded"])
def test_what_is_grave_needs_a_note(cast, booked, state):
    _, sample = booked
    step(cast, "zhao", "received", sample)
    with pytest.raises(Invalid) as refused:
        step(cast, "zhao", state, sample, note=" ")
    assert refused.value.problems[0].field == "note"
    assert sample.steps.count() == 2


def test_another_version_is_refused(cast, booked):
    _, sample = booked
    with pytest.raises(WrongVersion):
        change(cast, sample, version=1)
    assert change(cast, sample, version=2, amount="2").amount == "2"


def test_a_sample_of_another_is_not_changed(cast, booked):
    _, sample = booked
    for who in ("zhao", "sun", "hu"):
        with pytest.raises(NotFound):
            change(cast, sample, who, name="mine")
    assert SampleItem.objects.get().name == "Perovskite film"


# Hazards


def test_a_hazard_that_is_not_accepted_is_refused_while_the_sample_is_with_its_owner(cast, booked):
    _, sample = booked
    refuse(cast, cast.microscope, "magnetic")
    with pytest.raises(RulesRefuse) as refused:
        change(cast, sample, hazards=["magnetic", "toxic"])
    (refusal,) = refused.value.refusals
    assert refusal.code == "hazard-not-accepted"
    assert (refusal.numbers["hazard"], refusal.numbers["name"]) == ("magnetic", "Perovskite film")
    sample.refresh_from_db()
    assert (sample.hazards, sample.version) == ([], 2)


def test_of_a_sample_that_has_left_the_hazard_is_stated_and_the_host_told(cast, booked):
    _, sample = booked
    refuse(cast, cast.microscope, "magnetic")
    step(cast, "wang", "shipped", sample)
    assert change(cast, sample, hazards=["magnetic"]).hazards == ["magnetic"]
    told = OutboxMessage.objects.get(kind="sample.hazard")
    assert told.payload["hosts"] == [str(cast.ustc.pk)]


def test_what_it_had_already_stands_in_no_change_of_a_word(cast, booked):
    booking, sample = booked
    change(cast, sample, hazards=["magnetic"])
    refuse(cast, cast.microscope, "magnetic")
    assert change(cast, sample, hazards=["magnetic"], amount="2 mg").amount == "2 mg"
    assert BookedSample.objects.get().reservation == booking


def test_a_booking_that_is_over_does_not_bind_its_hazards(cast, booked):
    booking, sample = booked
    refuse(cast, cast.microscope, "magnetic")
    type(booking).objects.filter(pk=booking.pk).update(state="cancelled")
    assert change(cast, sample, hazards=["magnetic"]).hazards == ["magnetic"]


# Messages


def kinds():
    rows = OutboxMessage.objects.filter(kind__startswith="sample.")
    return sorted(rows.values_list("kind", flat=True))


def test_both_sides_are_told_of_what_the_other_did(cast, booked):
    _, sample = booked
    step(cast, "wang", "shipped", sample)
    step(cast, "zhao", "received", sample)
    step(cast, "zhao", "in_work", sample)
    step(cast, "zhao", "measured", sample)
    step(cast, "zhao", "lost", sample, note="not on the shelf")
    assert kinds() == ["sample.lost", "sample.measured", "sample.received", "sample.shipped"]


def test_a_sample_that_has_not_arrived_is_told_of_once(cast, booked):
    booking, sample = booked
    assert samples.samples_remind(now=booking.start_at - 2 * DAY) == 0
    for minutes in (0, 10):
        now = booking.start_at - DAY + timedelta(minutes=minutes)
        assert samples.samples_remind(now=now) == 1
    assert kinds() == ["sample.missing"]
    step(cast, "zhao", "received", sample)
    assert samples.samples_remind(now=booking.start_at - timedelta(hours=1)) == 0


# Photos


def test_a_photo_is_put_beside_it_once_and_taken_away_by_who_put_it(cast, booked):
    _, sample = booked
    content = picture()
    by = By(cast.actor("zhao"), NOW)
    row = samples.photo_add(by, sample_id=sample.pk, content=content)
    with pytest.raises(Invalid) as refused:
        samples.photo_add(by, sample_id=sample.pk, content=content)
    assert refused.value.problems[0].code == "file-there-already"
    with pytest.raises(NotFound):
        samples.photo_delete(By(cast.actor("wang"), NOW), photo_id=row.pk)
    with pytest.raises(NotFound):
        samples.photo_add(By(cast.actor("sun"), NOW), sample_id=sample.pk, content=content)
    samples.photo_delete(by, photo_id=row.pk)
    assert not SamplePhoto.objects.exists()


def test_what_is_no_picture_is_refused(cast, booked):
    _, sample = booked
    for content in (b"", b"<svg/>", b"%PDF-1.4 %%EOF"):
        with pytest.raises(Invalid):
            samples.photo_add(By(cast.actor("wang"), NOW), sample_id=sample.pk, content=content)
    assert not SamplePhoto.objects.exists()


def test_who_goes_leaves_no_words_and_no_sample_that_is_with_nobody(cast, booked):
    _, sample = booked
    change(cast, sample, description="of the old vein", storage="dry")
    announce(cast, name="At home")
    samples.photo_add(By(cast.actor("zhao"), NOW), sample_id=sample.pk, content=picture())
    samples.samples_forget(By(cast.actor("wang"), NOW), user=cast.wang)
    left = SampleItem.objects.get()
    assert (left.pk, left.description, left.storage) == (sample.pk, "", "")
    assert SampleStep.objects.count() == 1
    assert not SamplePhoto.objects.exists()


def test_a_code_that_is_taken_is_drawn_anew(cast, monkeypatch):
    first = announce(cast)
    drawn = iter([first.code, first.code, "22222224"])
    monkeypatch.setattr("bookings.samples.domain.samples.new_code", lambda: next(drawn))
    assert announce(cast).code == "22222224"
