"""A calendar kept elsewhere is brought in: by the same rules, once, all or what passes."""

from dataclasses import replace

import pytest
from django.db import transaction

from accounts.domain.errors import Invalid, NotFound, NotPermitted
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from bookings.catalogue.selectors.parties import Booking
from bookings.models import BookingImport, ImportedBooking, Occupancy, Quote, Reservation, UnmetDemand
from bookings.plans.domain.imports import RowsRefused
from bookings.plans.services.imports import bookings_import
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.managing.services.registry import facility_create
from tests.factories.cast import NOW, at, reserve

HEADER = "instrument,starts,ends,person,subject,reference\n"
TEM = "Transmission electron microscope"


@pytest.fixture
def cast(shared_cast, db):
    return shared_cast


def line(day="06", starts="10:00", ends="12:00", person="", reference="", instrument=TEM, text=""):
    return f"{instrument},2026-03-{day} {starts},2026-03-{day} {ends},{person},{text},{reference}\n"


def bring(cast, *lines, who="wang", organisation=None, header=HEADER, now=NOW, **values):
    return bookings_import(
        By(cast.actor(who), now),
        content=(header + "".join(lines)).encode(),
        file_name="old.csv",
        organisation=organisation,
        **values,
    )


def verdicts(report):
    """Of each row its result and the codes of all that speaks against it."""
    return [
        (o.result.value, [r.code for r in o.refusals] + [p.code for p in o.problems]) for o in report.outcomes
    ]


def written():
    return tuple(
        model.objects.count()
        for model in (
            Reservation, Occupancy, Quote, OutboxMessage, TrailEntry, BookingImport,
            ImportedBooking,
        )
    )  # fmt: skip


def refused_of(cast, *lines, **values):
    before = written()
    with pytest.raises(RowsRefused) as refused:
        bring(cast, *lines, **values)
    assert written() == before
    return refused.value.report


def test_each_row_is_a_booking_with_one_message_for_all(cast):
    report = bring(cast, line(reference="B-1", text="Perovskites"), line("09", reference="B-2"))
    assert verdicts(report) == [("booked", []), ("booked", [])]
    first, second = Reservation.objects.order_by("start_at")
    assert (first.start_at, first.end_at) == (at("2026-03-06 10:00"), at("2026-03-06 12:00"))
    assert (first.user, first.made_by, first.organisation) == (cast.wang, cast.wang, cast.fudan)
    assert (first.state, first.service_mode, first.purpose_text) == (
        "confirmed", "self", "Perovskites",
    )  # fmt: skip
    assert report.reservation_ids == {2: first.pk, 3: second.pk}
    kinds = OutboxMessage.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["mail.imported"] + ["mail.reminder"] * 3
    entry = TrailEntry.objects.get(action="bookings.import")
    assert entry.object_id == report.id
    assert entry.after["sha256"] == report.sha256
    assert [entry.after[name] for name in ("booked", "unchanged", "refused")] == [2, 0, 0]
    entry = TrailEntry.objects.get(object_id=second.pk)
    assert (entry.after["import"], entry.after["line"]) == (str(report.id), 3)
    assert second.imported.reference == "B-2"


def test_the_same_file_again_books_nothing_also_what_was_cancelled_or_has_no_reference(cast):
    lines = [line(reference="B-1"), line("09"), line("10", person="wang@fudan.example")]
    first = bring(cast, *lines)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=first.reservation_ids[2], reason="")
    before = written()
    again = bring(cast, *lines)
    assert verdicts(again) == [("unchanged", [])] * 3
    assert (again.id, written()) == (None, before)
    # What is new in it is booked, what it says otherwise is refused.
    report = bring(cast, *lines, line("11"), on_refused="skip")
    assert [v[0] for v in verdicts(report)] == ["unchanged"] * 3 + ["booked"]
    other = refused_of(cast, line(starts="11:00", reference="B-1"))
    assert verdicts(other) == [("refused", ["imported-otherwise"])]
    # Another payer's references are its own.
    assert bring(cast, line("12", reference="B-1"), who="sun").booked == 1


def test_rows_of_the_file_are_in_each_others_way(cast):
    lines = [
        line(reference="1"),
        line(starts="11:00", ends="13:00", reference="2"),
        line(starts="12:00", ends="13:00", reference="1"),
    ]
    report = refused_of(cast, *lines)
    assert verdicts(report) == [
        ("booked", []),
        ("refused", ["slot-taken"]),
        ("refused", ["reference-repeated"]),
    ]
    (taken,) = report.outcomes[1].refusals
    assert taken.nearest.start == at("2026-03-06 12:00")
    assert bring(cast, *lines, on_refused="skip").booked == 1
    assert UnmetDemand.objects.count() == 1
    refused_of(cast, lines[1], on_refused="skip")  # nothing of it passes


def test_two_rows_that_say_the_same_are_two_units(cast):
    pool = cast.instrument(name="Pool", policy={"units": 2})
    report = refused_of(cast, *[line(instrument=pool.name)] * 3)
    assert [v[0] for v in verdicts(report)] == ["booked", "booked", "refused"]
    assert bring(cast, *[line(instrument=pool.name)] * 2).booked == 2
    assert bring(cast, *[line(instrument=pool.name)] * 2).unchanged == 2


def test_a_preview_says_row_for_row_what_the_import_does_and_booking_alone_would(cast):
    """Quotas, grants of time, approval, the past, hours, rights: every kind of row there is."""
    cast.instrument(name="Asks", policy={"approval": "manual"})
    cast.instrument(
        name="Few", policy={"quotas": [{"scope": "user", "unit": "bookings", "per": "week", "limit": 2}]}
    )
    cast.instrument(name="Certified", policy={"qualification": "instrument"})
    cast.instrument(name="Internal", card={"rates": {"internal": "10.00"}})
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="sun")
    lines = [
        line(),
        line(starts="11:00", ends="13:00"),
        line(starts="13:00", ends="14:30"),
        line("04"),
        line("06", "07:00", "09:00"),
        line("06", "16:10", "17:10"),
        line(instrument="Asks"),
        *(line(day, instrument="Few") for day in ("06", "09", "10", "11")),
        line(instrument="Certified"),
        line(instrument="Internal"),
        line(instrument="No such"),
        line(person="sun@ustc.example"),
        line(day="31", starts="8", ends="soon"),
        "TEM\n",
        line(instrument=TEM).replace("2026", "2019"),
        line(instrument=TEM).replace("2026", "2031"),
        line("09"),
    ]
    before = written()
    preview = bring(cast, *lines, dry_run=True)
    assert written() == before
    done = bring(cast, *lines, on_refused="skip")
    assert [replace(o, quote=None) for o in preview.outcomes] == [
        replace(o, quote=None) for o in done.outcomes
    ]
    assert [o.quote and o.quote.total for o in preview.outcomes] == [
        o.quote and o.quote.total for o in done.outcomes
    ]
    said = zip(done.outcomes, verdicts(done), strict=True)
    assert [(outcome.line, *codes) for outcome, (_, codes) in said if codes] == [
        (3, "slot-taken"),
        (4, "slot-taken"),
        (5, "too-soon"),
        (6, "outside-opening-hours"),
        (7, "off-grid"),
        (12, "user-quota"),
        (13, "qualification-missing"),
        (14, "audience-not-served"),
        (15, "unknown-instrument"),
        (16, "not-for-others"),
        (17, "not-a-moment", "not-a-moment"),
        (18, "wrong-cells"),
        (19, "too-soon"),
        (20, "too-far"),
    ]
    assert [o.line for o in done.outcomes if o.needs_approval] == [8]
    states = {r.pk: r.state for r in Reservation.objects.all()}
    assert states[done.reservation_ids[8]] == "requested"
    for outcome in done.outcomes:
        if outcome.line in done.reservation_ids:
            quote = Quote.objects.get(reservation=done.reservation_ids[outcome.line])
            assert quote.total == outcome.quote.total
        elif outcome.refusals and outcome.line not in {19, 20}:
            with pytest.raises(RulesRefuse) as alone, transaction.atomic():
                period = outcome.period
                reserve_again(cast, outcome.instrument, period)
            assert [r.code for r in alone.value.refusals] == [r.code for r in outcome.refusals]


def reserve_again(cast, instrument, period):
    booking = Booking(instrument, period, None, "self")
    return reservation_request(By(cast.actor("wang"), NOW), booking=booking)


class TestWhom:
    def test_the_hosts_manager_at_the_hosts_cost_without_asking(self, cast):
        cast.instrument(name="Asks", policy={"approval": "manual"})
        report = bring(
            cast,
            line(person="sun@ustc.example", instrument="Asks"),
            line("09", person="WANG@fudan.example", instrument="Asks"),
            who="zhao",
            organisation="ustc",
        )
        assert verdicts(report) == [("booked", []), ("booked", [])]
        assert {(r.state, r.organisation) for r in Reservation.objects.all()} == {("confirmed", cast.ustc)}
        told = OutboxMessage.objects.filter(kind="mail.imported")
        assert told.count() == 2  # each person their own

    def test_nobody_at_anothers_cost(self, cast):
        """The host's manager may not let another region's organisation pay; its own may, for its
        members alone; nobody puts a row on somebody else without the right."""
        with pytest.raises(Invalid):
            bring(cast, line(person="wang@fudan.example"), who="zhao", organisation="fudan")
        lines = [line(person="wang@fudan.example"), line("09", person="sun@ustc.example")]
        report = refused_of(cast, *lines, who="chen", organisation="fudan")
        assert verdicts(report) == [("booked", []), ("refused", ["not-one-of-theirs"])]
        report = refused_of(cast, line("10"), *lines, line("11", person="no@body.example"))
        assert [v[1] for v in verdicts(report)] == [[], [], ["not-for-others"], ["not-for-others"]]
        for who, error in (("alice", Invalid), ("lin", NotPermitted)):
            with pytest.raises(error):
                bring(cast, line(), who=who)
        with pytest.raises(NotFound):
            bring(cast, line(), organisation="nowhere")

    def test_a_manager_who_may_not_book_imports_only_for_others(self, cast):
        report = refused_of(cast, line(), who="zhao")
        assert verdicts(report) == [("refused", ["not-for-yourself"])]


def test_instruments_are_called_many_things_ones_own_first(cast):
    own = cast.instrument(
        name="Twin",
        name_zh="双胞胎",
        identifier="10.1/TWIN",
        alternate_identifiers=[{"identifier": "INV-7", "identifier_type": "InventoryNumber"}],
    )
    cast.instrument(name="Same")
    cast.instrument(name="same")
    names = {
        "06": "twin", "09": "双胞胎", "10": "10.1/twin", "11": "inv-7", "12": str(own.pk)
    }  # fmt: skip
    lines = [line(day, instrument=name) for day, name in names.items()]
    report = bring(cast, *lines, line(instrument="SAME"), who="sun", dry_run=True)
    assert [o.instrument for o in report.outcomes[:5]] == [own.pk] * 5
    assert verdicts(report)[5] == ("refused", ["several-instruments"])
    # To those elsewhere it is called what the catalogue calls it.
    report = bring(cast, *lines, dry_run=True, on_refused="skip")
    assert [v[0] for v in verdicts(report)] == ["refused", "booked", "refused", "refused", "booked"]


def test_times_are_of_the_instruments_zone_and_what_a_clock_change_hides_is_refused(cast):
    away = facility_create(By(PLATFORM, NOW), organisation=cast.ustc, name="Away", time_zone="Europe/Berlin")
    here, cast.facility = cast.facility, away
    always = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
    cast.instrument(name="Berlin", hours=always)
    cast.facility = here
    report = bring(
        cast,
        line("29", "02:30", "04:00", instrument="Berlin"),
        line("29", "01:30", "03:30", instrument="Berlin"),
        dry_run=True,
    )
    assert verdicts(report) == [("refused", ["time-skipped"]), ("booked", [])]
    assert report.outcomes[1].period.minutes == 60


def test_a_file_that_is_no_table_and_a_way_there_is_none_of(cast):
    with pytest.raises(Invalid) as refused:
        bring(cast, header="name\n")
    assert [(p.field, p.code) for p in refused.value.problems] == [("file", "column-missing")]
    with pytest.raises(Invalid):
        bring(cast, line(), on_refused="perhaps")
