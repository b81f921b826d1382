"""Ratings of sessions, what is answered, and what of them everybody may read."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Membership, Message, Organisation, TrailEntry, User
from accounts.models.keys import new_id
from bookings.models import InstrumentRating, Reservation, SessionRating, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.ratings import Rateable, shown_rating
from bookings.usage.services.ratings import rating_answer, ratings_review, session_rate
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.charges import use

DAY = timedelta(days=1)
MARKS = {"usable": 2, "support": 5, "on_time": 4, "price_as_quoted": 3}


@pytest.fixture
def used(cast: Cast) -> Reservation:
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    return Reservation.objects.get(pk=charge.reservation_id)


def rate(cast: Cast, row: Reservation, when: str, who: str = "wang", **values: Any) -> SessionRating:
    given: dict[str, Any] = {"rating": 4} | values
    return session_rate(By(cast.actor(who), at(when)), reservation_id=row.pk, **given)


def answer(cast: Cast, row: Reservation, when: str, who: str = "zhao", text: str = "Mended.") -> Any:
    return rating_answer(By(cast.actor(who), at(when)), reservation_id=row.pk, answer=text)


def acts() -> list[str]:
    rows = TrailEntry.objects.filter(action__contains="rat", object_type="reservation")
    return list(rows.order_by("at", "id").values_list("action", flat=True))


@pytest.mark.django_db
def test_a_person_rates_a_session_once(cast: Cast, used: Reservation) -> None:
    row = rate(cast, used, "2026-03-08 10:00", rating=2, remarks=" It drifts ", **MARKS)
    session = UsageSession.objects.get()
    assert (session.rating, session.remarks) == (2, "It drifts")
    assert {name: getattr(row, name) for name in MARKS} == MARKS
    assert acts() == ["reservation.rate"]
    effects_carry_out(now=at("2026-03-08 10:01"))
    assert [m.user for m in Message.objects.filter(kind="mail.poor-rating")] == [cast.zhao]
    with pytest.raises(WrongState) as again:
        rate(cast, used, "2026-03-09 10:00", rating=5)
    assert again.value.code == "rated-already"
    session.refresh_from_db()
    assert (session.rating, acts()) == (2, ["reservation.rate"])


@pytest.mark.django_db
def test_what_was_said_at_check_out_stands_until_it_is_rated(cast: Cast) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang = cast.actor("wang")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=made.pk)
    with pytest.raises(WrongState) as early:
        rate(cast, made, "2026-03-06 11:00")
    assert early.value.code == "not-used"
    with pytest.raises(Invalid):  # a host rates nothing for its guests
        zhao = By(cast.actor("zhao"), at("2026-03-06 11:00"))
        reservation_check_out(zhao, reservation_id=made.pk, rating=5)
    assert UsageSession.objects.get().checked_out_at is None
    out = By(wang, at("2026-03-06 11:00"))
    reservation_check_out(out, reservation_id=made.pk, rating=5, remarks="Fine")
    rate(cast, made, "2026-03-07 11:00", rating=3)
    session = UsageSession.objects.get()
    assert (session.rating, session.remarks) == (3, "Fine")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "when", "values", "refusal"),
    [
        ("zhao", "2026-03-07 10:00", {}, NotPermitted),
        ("sun", "2026-03-07 10:00", {}, NotFound),
        ("wang", "2026-04-05 12:00", {}, WrongState),
        ("wang", "2026-03-07 10:00", {"rating": 6}, Invalid),
        ("wang", "2026-03-07 10:00", {"usable": 0}, Invalid),
        ("wang", "2026-03-07 10:00", {"remarks": "x" * 1001}, Invalid),
    ],
)
def test_what_is_refused_writes_nothing(
    cast: Cast, used: Reservation, who: str, when: str, values: Any, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        rate(cast, used, when, who, **values)
    assert UsageSession.objects.get().rating is None
    assert not SessionRating.objects.exists() and acts() == []


@pytest.mark.django_db
def test_another_version_is_refused(cast: Cast, used: Reservation) -> None:
    by = By(cast.actor("wang"), at("2026-03-07 10:00"), used.version + 1)
    with pytest.raises(WrongVersion):
        session_rate(by, reservation_id=used.pk, rating=4)


@pytest.mark.django_db
def test_the_host_answers_and_edits_for_a_day(cast: Cast, used: Reservation) -> None:
    with pytest.raises(WrongState) as unsaid:
        answer(cast, used, "2026-03-08 10:00")
    assert unsaid.value.code == "nothing-rated"
    rate(cast, used, "2026-03-08 10:00")
    for who, refusal in (("wang", NotPermitted), ("sun", NotFound), ("chen", NotPermitted)):
        with pytest.raises(refusal):
            answer(cast, used, "2026-03-08 11:00", who)
    with pytest.raises(Invalid):
        answer(cast, used, "2026-03-08 11:00", text="  ")
    assert SessionRating.objects.get().answer == ""
    answer(cast, used, "2026-03-08 11:00")
    answer(cast, used, "2026-03-09 10:59", text="Mended, thank you.")
    with pytest.raises(WrongState):
        answer(cast, used, "2026-03-09 11:00", text="Never mind.")
    row = SessionRating.objects.get()
    assert (row.answer, row.answered_at) == ("Mended, thank you.", at("2026-03-08 11:00"))
    assert acts() == ["reservation.rate", *["reservation.answer-rating"] * 2]
    effects_carry_out(now=at("2026-03-09 11:00"))
    told = Message.objects.filter(kind="mail.rating-answered")
    assert {message.user for message in told} == {cast.wang}
    assert "Mended, thank you." in told.order_by("pk")[0].text


class World:
    """Sessions of twelve people of four organisations at two instruments, made directly."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.first = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
        self.instruments = [cast.microscope, cast.instrument(name="Second")]
        self.others = [cast.fudan, cast.optics] + [
            Organisation.objects.create(code=f"o{n}", name=f"O {n}", region=cast.shanghai, kind="institute")
            for n in range(2)
        ]
        self.people = [User.objects.create_user(f"p{n}@x.example", "x", name=f"P {n}") for n in range(8)]

    def session(
        self, person: int, instrument: int, rating: int | None, usable: int | None, days: int
    ) -> None:
        row = Reservation.objects.get(pk=self.first.pk)
        row.pk = new_id()
        row._state.adding = True
        row.user = self.people[person]
        row.organisation = self.others[person % 4]
        row.instrument = self.instruments[instrument]
        row.save()
        ended = NOW - timedelta(days=days)
        session = UsageSession.objects.create(
            reservation=row,
            instrument=row.instrument,
            checked_in_at=ended - timedelta(hours=1),
            checked_out_at=ended,
            service_mode="self",
            rating=rating,
        )
        if usable is not None and rating is not None:
            SessionRating.objects.create(session=session, usable=usable, rated_at=ended + timedelta(days=2))

    def member_of_host(self, person: int, since: int, until: int | None) -> None:
        Membership.objects.create(
            user=self.people[person],
            organisation=self.cast.ustc,
            started_at=NOW - timedelta(days=since),
            ended_at=None if until is None else NOW - timedelta(days=until),
        )


def of_rule(world: World) -> dict[Any, Any]:
    """What the rule says of each instrument, from rows read one by one."""
    sessions: dict[Any, list[Rateable]] = {one.pk: [] for one in world.instruments}
    for session in UsageSession.objects.select_related("reservation"):
        out = session.checked_out_at
        assert out is not None
        try:
            marks = session.marks
        except ObjectDoesNotExist:
            marks = None
        rated_at = marks.rated_at if marks and marks.rated_at else out
        of_host = any(
            m.started_at <= rated_at and (m.ended_at is None or m.ended_at > session.checked_in_at)
            for m in Membership.objects.filter(user=session.reservation.user_id, organisation=world.cast.ustc)
        )
        if out > two_years_before(NOW) and not of_host:
            sessions[session.instrument_id].append(
                Rateable(
                    session.reservation.user_id,
                    session.reservation.organisation_id,
                    session.rating,
                    marks.usable if marks else None,
                )
            )
    marked = [one.rating for each in sessions.values() for one in each if one.rating]
    technique = [(len(marked), sum(marked))]
    found = {pk: shown_rating(rows, technique) for pk, rows in sessions.items()}
    return {pk: shown for pk, shown in found.items() if shown}


def two_years_before(now: datetime) -> datetime:
    return now.replace(year=now.year - 2)


sessions = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(0, 1),
        st.none() | st.integers(1, 5),
        st.none() | st.integers(1, 5),
        st.sampled_from([1, 5, 40, 700, 729, 731, 800]),
    ),
    min_size=5,
    max_size=40,
)
memberships = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([900, 41, 6, 4]), st.sampled_from([None, 3, 4, 39])),
    max_size=3,
    unique_by=lambda one: one[0],
)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(used=sessions, of_host=memberships)
def test_the_job_says_what_the_rule_says(cast: Cast, used: Any, of_host: Any) -> None:
    with transaction.atomic():
        world = World(cast)
        for one in used:
            world.session(*one)
        for person, since, until in of_host:
            if until is None or until < since:
                world.member_of_host(person, since, until)
        expected = of_rule(world)
        assert ratings_review(now=NOW) == len(expected)
        names = ("mean", "ratings", "raters", "organisations", "not_usable", "response")
        assert {row.pk: [getattr(row, n) for n in names] for row in InstrumentRating.objects.all()} == {
            pk: [getattr(shown, n) for n in names] for pk, shown in expected.items()
        }
        UsageSession.objects.update(rating=None)
        assert ratings_review(now=NOW + DAY) == 0
        assert not InstrumentRating.objects.exists()
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_page_and_the_api_show_the_mean_alone(cast: Cast, client: Any, program: Any) -> None:
    path = f"instruments/{cast.microscope.pk}/rating/"
    assert program().get(path).body["mean"] is None
    assert "data-shown-rating" not in client.get(f"/instruments/{cast.microscope.pk}/").text
    with transaction.atomic():
        InstrumentRating.objects.create(
            instrument=Instrument.objects.get(pk=cast.microscope.pk),
            mean="4.33",
            ratings=12,
            raters=6,
            organisations=3,
            not_usable="0.083",
            response="0.400",
            as_of=NOW,
        )
    body = program().get(path).body
    assert (body["mean"], body["not_usable"], body["response"]) == ("4.33", "0.083", "0.400")
    page = client.get(f"/instruments/{cast.microscope.pk}/").text
    assert "4.3 of 5" in page and "8.3 %" in page and "40.0 %" in page
