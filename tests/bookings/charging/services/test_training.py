"""Places in courses are charged once they were attended, at the price for which they were taken."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, OutboxMessage, RoleGrant, TrailEntry
from accounts.services.memberships import membership_start, role_grant
from bookings.audit.selectors.hits import charge_hits
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.replay import charge_replay, replay_all
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open, dispute_reject, dispute_withdraw
from bookings.models import Charge, Dispute, LedgerEntry, Statement, StatementLine
from bookings.organisations.selectors.mergers import kinds_going, load_open_business, rows_going
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.selectors.charges import charges_for
from bookings.privacy.selectors.leaving import load_places
from bookings.privacy.selectors.persons import load_obstacles, load_person
from bookings.privacy.services.leaving import member_leave
from bookings.settlement.adapters.papers import quantity
from bookings.settlement.selectors.papers import paper_lines, paper_rows, tax_sums
from bookings.settlement.services.statements import statements_draw
from bookings.statistics.selectors.reports import load_report
from bookings.templatetags.money import minimum_of
from instruments.models import Enrolment, RateCard
from instruments.training.selectors.fees import own_payers, places_priced
from instruments.training.services.enrolments import (
    enrolment_make,
    enrolment_result,
    enrolment_undo,
    enrolments_make,
)
from tests.factories.blocks import block
from tests.factories.cast import NOW, at
from tests.factories.charges import agreement
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.django_db
RATES = {"internal": "0.00", "regional": "150.00", "partner": "200.00", "external": "250.00"}
BEGUN = at("2026-03-10 10:00")
DAY = timedelta(days=1)


@pytest.fixture
def priced(cast):
    """A session of a course for an instrument whose card has a price of places, with 6 % tax."""
    card = {"training": {"rates": RATES}, "tax_percent": "6", "setup_fee": "30.00", "minimum_minutes": 240}
    instrument = cast.instrument(card=card)
    return session(cast, course(cast, instrument))


def result(cast, row, how="passed", by="zhao", now=BEGUN):
    return enrolment_result(By(cast.actor(by), now), enrolment_id=row.pk, result=how)


def kinds():
    """Kind, state and amount of every charge, in the order in which they were made."""
    rows = Charge.objects.order_by("id")
    return [(row.kind, row.state, f"{row.payable:.2f}") for row in rows]


def told():
    rows = OutboxMessage.objects.filter(kind__startswith="training.", payload__has_key="charge")
    return list(rows.order_by("created_at", "id").values_list("kind", flat=True))


@pytest.fixture
def charge(cast, priced):
    """The charge of Wang, of another region without an agreement."""
    result(cast, enrol(cast, priced))
    return Charge.objects.get()


def test_a_place_that_was_attended_is_charged_once_with_tax_and_nothing_of_the_use(cast, priced):
    row = enrol(cast, priced)
    assert (row.organisation, row.payable, row.currency) == (cast.fudan, Decimal("265.00"), "CNY")
    assert kinds() == []
    result(cast, row, "failed")
    result(cast, row, "passed")
    charge = Charge.objects.get()
    assert (charge.kind, charge.tax, charge.total, charge.covered) == (
        "training", Decimal(15), Decimal(265), Decimal(0),
    )  # fmt: skip
    assert charge.result["lines"] == [{"kind": "training", "rate": "250.00", "amount": "250.00"}]
    assert (charge.reservation_id, charge.enrolment_id) == (None, row.pk)
    assert (charge.organisation, charge.host) == (cast.fudan, cast.ustc)
    assert (charge.payer_region, charge.host_region) == (cast.shanghai, cast.anhui)
    assert charge.open_until == BEGUN + 7 * DAY
    assert LedgerEntry.objects.filter(charge=charge).exists()
    assert told() == ["training.charged"]
    entry = TrailEntry.objects.get(action="charge.create")
    assert entry.after["enrolment"] == str(row.pk)
    assert entry.actor_id == cast.people["zhao"].pk
    assert charge_replay(cast.actor("wang"), charge.pk).replay.agrees


def test_who_left_meanwhile_takes_no_place_at_the_payers_cost(cast, priced):
    """Their rights were read before they left."""
    wang = cast.actor("wang")
    own = Membership.objects.get(user=cast.wang, ended_at=None)
    member_leave(By(wang, NOW), membership_id=own.pk, cancel=False, reason="")
    with pytest.raises(NotPermitted):
        enrolment_make(By(wang, NOW), user=cast.wang, session_id=priced.pk)
    assert not Enrolment.objects.exists()


def test_an_agreement_lowers_it(cast, priced):
    agreement(cast, "10")
    assert enrol(cast, priced).payable == Decimal("190.80")  # 200 less 10 %, and 6 % tax


def test_later_prices_do_not_change_what_was_agreed(cast, priced):
    row = enrol(cast, priced)
    RateCard.objects.filter(instrument=priced.course.instrument).update(valid_until="2026-03-09")
    result(cast, row)
    assert kinds() == [("training", "open", "265.00")]


@pytest.mark.parametrize("what", ["absent", "none"])
def test_who_did_not_attend_pays_nothing(cast, priced, what):
    row = enrol(cast, priced)
    if what == "absent":
        result(cast, row, "absent")
    assert kinds() == []


def test_withdrawn_attendance_takes_the_charge_back_and_a_new_one_charges_again(cast, priced):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    result(cast, row, "absent", now=BEGUN + DAY)
    assert kinds() == [("training", "reversed", "265.00"), ("reversal", "final", "-265.00")]
    assert told() == ["training.charged", "training.corrected"]
    result(cast, row, "failed", now=BEGUN + 2 * DAY)
    assert kinds()[2:] == [("training", "open", "265.00")]


def test_a_disputed_charge_is_not_taken_back_by_the_result(cast, priced):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    charge = Charge.objects.get()
    dispute_open(By(cast.actor("wang"), BEGUN + DAY), charge_id=charge.pk, reason="I was ill.")
    with pytest.raises(WrongState) as refused:
        result(cast, row, "absent", now=BEGUN + 2 * DAY)
    assert refused.value.code == "result-disputed"
    assert Dispute.objects.get().state == "open"
    assert kinds() == [("training", "disputed", "265.00")]


@pytest.mark.parametrize("has_job_run", [True, False])
def test_a_final_charge_is_not_taken_back_by_the_result(cast, priced, has_job_run):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    if has_job_run:
        assert charges_finalise(now=BEGUN + 8 * DAY) == 1
    with pytest.raises(WrongState) as refused:
        result(cast, row, "absent", now=BEGUN + 9 * DAY)
    assert refused.value.code == "result-final"
    row.refresh_from_db()
    assert row.state == "failed"
    assert kinds() == [("training", "final" if has_job_run else "open", "265.00")]


def test_a_place_is_charged_within_sixty_days(cast, priced):
    row, late = enrol(cast, priced), enrol(cast, priced, "chen")
    last = priced.end_at + 60 * DAY
    result(cast, row, "failed", now=last)
    with pytest.raises(WrongState) as refused:
        result(cast, late, "failed", now=last + timedelta(seconds=1))
    assert (refused.value.code, refused.value.numbers) == ("result-too-late", {"days": 60})
    late.refresh_from_db()
    assert (late.state, kinds()) == ("enrolled", [("training", "open", "265.00")])
    result(cast, late, "absent", now=last + DAY)  # which costs nothing
    result(cast, row, "passed", now=last + DAY)  # charged already


def test_auditors_find_what_a_result_took_back(cast, priced):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    result(cast, row, "absent")
    charge = Charge.objects.get(kind="training")
    [hit] = charge_hits([charge.pk])
    assert (hit.rule, hit.key) == ("manual-correction", str(charge.pk))


def test_a_correction_under_way_keeps_the_result(cast, priced):
    role_grant(By(PLATFORM, NOW), user=cast.people["sun"], role="manager", organisation=cast.ustc)
    row = enrol(cast, priced)
    result(cast, row, "failed")
    waive = Amendment(waive_percent=Decimal(50))
    by = By(cast.actor("zhao"), BEGUN)
    correction = correction_propose(by, charge_id=Charge.objects.get().pk, amendment=waive, reason="Late.")
    with pytest.raises(WrongState) as refused:
        result(cast, row, "absent")
    assert refused.value.code == "correction-proposed"
    row.refresh_from_db()
    assert (row.state, kinds()) == ("failed", [("training", "open", "265.00")])
    correction_agree(By(cast.actor("gao"), BEGUN + DAY), correction_id=correction.pk)
    assert kinds() == [
        ("training", "reversed", "265.00"),
        ("training", "open", "132.50"),
        ("reversal", "final", "-265.00"),
    ]
    again = Charge.objects.get(state="open")
    assert (again.enrolment_id, again.organisation) == (row.pk, cast.fudan)
    assert charge_replay(cast.actor("zhao"), again.pk).replay.agrees


def test_waived_in_full_stays_waived_when_the_result_changes(cast, priced):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    waive = Amendment(waive_percent=Decimal(100))
    by = By(cast.actor("zhao"), BEGUN)
    correction = correction_propose(by, charge_id=Charge.objects.get().pk, amendment=waive, reason="Gift.")
    correction_agree(By(cast.actor("gao"), BEGUN), correction_id=correction.pk)
    result(cast, row, "passed")
    assert kinds() == [("training", "reversed", "265.00"), ("reversal", "final", "-265.00")]


@pytest.mark.parametrize(("percent", "again"), [(100, []), (50, [("training", "open", "132.50")])])
def test_absent_and_back_again_charges_as_two_people_agreed(cast, priced, percent, again):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    waive = Amendment(waive_percent=Decimal(percent))
    by = By(cast.actor("zhao"), BEGUN)
    correction = correction_propose(by, charge_id=Charge.objects.get().pk, amendment=waive, reason="Late.")
    correction_agree(By(cast.actor("gao"), BEGUN), correction_id=correction.pk)
    result(cast, row, "absent")
    before = len(kinds())
    result(cast, row, "failed")
    assert kinds()[before:] == again


@pytest.mark.parametrize(
    "amendment",
    [
        Amendment(usage=(BEGUN, BEGUN + DAY)),
        Amendment(options={"operator": Decimal(1)}),
        Amendment(quantity=Decimal(2)),
    ],
)
def test_a_course_has_no_use_to_correct(cast, charge, amendment):
    with pytest.raises(Invalid) as refused:
        correction_propose(
            By(cast.actor("zhao"), BEGUN), charge_id=charge.pk, amendment=amendment, reason="?"
        )
    assert [each.code for each in refused.value.problems] == ["was-a-course"]


def test_disputed_by_who_attended_and_answered_by_the_host(cast, charge):
    by = By(cast.actor("wang"), BEGUN + DAY)
    dispute_open(by, charge_id=charge.pk, reason="I left early.")
    dispute_withdraw(by, charge_id=charge.pk)
    dispute_open(by, charge_id=charge.pk, reason="I left early.")
    with pytest.raises(NotPermitted):
        dispute_reject(by, charge_id=charge.pk, answer="No.")
    dispute_reject(By(cast.actor("gao"), BEGUN + DAY), charge_id=charge.pk, answer="You sat there.")
    assert kinds() == [("training", "final", "265.00")]
    assert told() == ["training.charged", *["training.disputed"] * 2, "training.dispute-settled"]


def test_who_sees_it(cast, charge):
    sees = {name for name in cast.people if charge in charges_for(cast.actor(name))}
    # The attendant, managers and finance of both sides, the auditor of the region.
    assert sees == {"wang", "chen", "lin", "zhao", "gao", "auditor"}
    with pytest.raises(NotFound):
        dispute_open(By(cast.actor("hu"), BEGUN), charge_id=charge.pk, reason="?")


def test_the_host_pays_for_whom_it_enrols(cast, priced):
    row = enrol(cast, priced, "wang", by="zhao")
    assert (row.organisation, row.payable) == (cast.ustc, Decimal(0))
    result(cast, row)
    assert kinds() == []  # nothing is to be paid


def test_nobody_spends_the_money_of_others(cast, priced):
    for who, by, payer in (("wang", "zhao", "fudan"), ("wang", "wang", "ustc"), ("hu", "zhao", "fudan")):
        with pytest.raises(Invalid):
            enrol(cast, priced, who, by=by, organisation=payer)
    assert not Enrolment.objects.exists()
    assert not TrailEntry.objects.filter(action="enrolment.make").exists()


def test_a_manager_of_both_may_let_the_other_pay_for_its_members_only(cast, priced):
    role_grant(By(PLATFORM, NOW), user=cast.people["zhao"], role="manager", organisation=cast.fudan)
    assert enrol(cast, priced, "wang", by="zhao", organisation="fudan").organisation == cast.fudan
    with pytest.raises(Invalid):
        enrol(cast, priced, "hu", by="zhao", organisation="fudan")


def test_who_belongs_to_several_chooses(cast, priced):
    membership_start(By(PLATFORM, NOW), user=cast.people["sun"], organisation=cast.fudan)
    role_grant(By(PLATFORM, NOW), user=cast.people["sun"], role="researcher", organisation=cast.fudan)
    with pytest.raises(Invalid) as refused:
        enrol(cast, priced, "sun")
    assert [each.code for each in refused.value.problems] == ["organisation-needed"]
    prices = places_priced([priced], own_payers(cast.actor("sun")))[priced.pk]
    assert [(each.organisation.code, each.payable) for each in prices] == [
        ("fudan", Decimal(265)), ("ustc", Decimal(0)),
    ]  # fmt: skip
    assert enrol(cast, priced, "sun", organisation="fudan").payable == Decimal(265)


def test_a_group_without_a_price_is_refused(cast, priced):
    with pytest.raises(WrongState) as refused:
        enrol(cast, priced, "hu")  # of an enterprise
    assert refused.value.code == "place-not-priced"
    assert not Enrolment.objects.exists()


def test_only_those_who_may_book_spend_money(cast, priced):
    with pytest.raises(NotPermitted):
        enrol(cast, priced, "lin")
    assert enrol(cast, priced, "chen").organisation == cast.fudan


def test_who_waits_keeps_the_price_of_the_moment_when_they_asked(cast, priced):
    for name in ("chen", "sun"):
        enrol(cast, priced, name)
    row = enrol(cast, priced, "wang", waits=True)
    assert (row.state, row.payable) == ("waiting", Decimal(265))


def test_courses_without_a_price_cost_nothing(cast):
    row = enrol(cast, session(cast, course(cast)))
    assert (row.organisation, row.price) == (None, None)
    result(cast, row)
    assert kinds() == []


def test_several_are_enrolled_at_the_cost_of_the_host(cast, priced):
    people = [cast.people[name] for name in ("wang", "sun")]
    rows = enrolments_make(By(cast.actor("zhao"), NOW), users=people, session_id=priced.pk)
    assert {row.organisation for row in rows} == {cast.ustc}


def test_on_the_statement_of_its_month(cast, charge):
    charges_finalise(now=BEGUN + 8 * DAY)
    statements_draw(month=date(2026, 3, 1), host=cast.ustc, now=at("2026-04-02 10:00"))
    line = StatementLine.objects.get()
    assert line.charge_id == charge.pk
    [paper] = paper_lines(paper_rows(line.statement))
    assert (paper.instrument, paper.enrolment, paper.reservation) == (
        "Using the microscope", charge.enrolment_id, None,
    )  # fmt: skip
    assert (paper.tax_percent, paper.net) == (Decimal(6), Decimal(250))
    assert quantity(paper) == "–"


def test_what_was_taken_back_is_on_the_statement_with_its_tax(cast, priced):
    row = enrol(cast, priced)
    result(cast, row, "failed")
    result(cast, row, "absent")
    statements_draw(month=date(2026, 3, 1), host=cast.ustc, now=at("2026-04-02 10:00"))
    statement = Statement.objects.get()
    papers = paper_lines(paper_rows(statement))
    assert [(paper.kind, paper.tax_percent, paper.minutes) for paper in papers] == [
        ("training", Decimal(6), None),
        ("reversal", Decimal(6), None),
    ]
    assert [each.percent for each in tax_sums(statement)] == [Decimal(6)]


def test_it_is_counted_as_money_of_its_instrument(cast, priced):
    result(cast, enrol(cast, priced), "failed")
    charges_finalise(now=BEGUN + 8 * DAY)
    instrument, year = priced.course.instrument, (date(2026, 1, 1), date(2027, 1, 1))
    for narrowed in ({"instrument": str(instrument.pk)}, {"organisation": "ustc"}):
        report = load_report(cast.actor("zhao"), narrowed, *year)
        (money,) = [each for each in report.sections if each.code == "money"]
        assert [Decimal(cell) for cell in money.rows[0][2:8]] == [1, 250, 15, 265, 0, 265]
    other = load_report(cast.actor("zhao"), {"instrument": str(cast.microscope.pk)}, *year)
    assert not any(each.rows for each in other.sections if each.code == "money")
    charge = Charge.objects.get()
    assert [each.id for each in replay_all(instrument_id=instrument.pk)] == [charge.pk]
    assert list(replay_all(instrument_id=cast.microscope.pk)) == []


def test_no_least_minutes_are_named_for_a_course(charge):
    assert charge.inputs["card"]["minimum_minutes"] == 240 > 180
    assert minimum_of(charge) == 0


def test_the_database_refuses_a_charge_of_two_things_or_none(cast, charge):
    for values in ({"enrolment": None}, {"kind": "use"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Charge.objects.filter(pk=charge.pk).update(**values)


def test_an_organisation_with_places_to_pay_for_is_not_closed_but_merged_with_them(cast, priced):
    row = enrol(cast, priced)
    assert {each.code for each in load_open_business(cast.fudan)} == {"places-to-settle"}
    [kind] = [each for each in kinds_going() if each.kind == "course_places"]
    assert list(rows_going(kind, cast.fudan, NOW)) == [row]
    [kind] = [each for each in kinds_going() if each.kind == "course_places"]
    assert list(rows_going(kind, cast.fudan, priced.end_at + 60 * DAY)) == [row]
    assert list(rows_going(kind, cast.fudan, priced.end_at + 61 * DAY)) == []  # nothing is charged any more
    result(cast, row, "absent")
    assert load_open_business(cast.fudan) == ()


def test_a_person_whose_charge_is_open_is_not_forgotten(cast, charge):
    assert [each.code for each in load_obstacles(cast.people["wang"], BEGUN)] == ["charges-not-final"]
    exported = load_person(cast.people["wang"])
    assert [each["enrolment_id"] for each in exported["charges"]] == [charge.enrolment_id]


def test_whom_the_host_blocks_gets_no_place(cast, priced):
    block(cast, organisation=cast.fudan)
    with pytest.raises(WrongState) as refused:
        enrol(cast, priced)
    assert refused.value.code == "blocked"
    assert refused.value.numbers["why"] == "payer" and not Enrolment.objects.exists()
    free = session(cast, course(cast), "2026-03-12 09:00")
    assert enrol(cast, free).organisation is None  # it costs nothing: nobody pays
    block(cast, "wang", facility=cast.facility)
    for one in (priced, session(cast, course(cast, cast.technique), "2026-03-13 09:00")):
        with pytest.raises(WrongState) as refused:
            enrol(cast, one)
        assert refused.value.code == "blocked"
        assert refused.value.numbers["reason"] == "The stage was broken"
    # The host itself may still enrol them, and a block that is over keeps nobody out.
    assert enrol(cast, priced, by="zhao").state == "enrolled"
    late = session(cast, course(cast), "2026-04-09 09:00")
    assert enrol(cast, late, now=at("2026-04-02 09:00")).state == "enrolled"


@pytest.mark.parametrize(("how", "left"), [("failed", "265.00"), ("absent", None)])
def test_a_pass_that_is_undone_is_charged_as_what_it_was(cast, priced, how, left):
    row = enrol(cast, priced)
    result(cast, row)
    enrolment_undo(By(cast.actor("zhao"), BEGUN), enrolment_id=row.pk, result=how, reason="Mixed up")
    standing = Charge.objects.exclude(state="reversed").filter(kind="training")
    assert [f"{each.payable:.2f}" for each in standing] == ([left] if left else [])
    effects_carry_out(now=BEGUN)
    letters = [letter for letter in mail.outbox if "wang@fudan.example" in letter.to]
    assert [each.subject.partition(":")[0] for each in letters if "Mixed up" in each.body] == [
        "Result corrected"
    ]
    # That they have passed is not true any more.
    assert not any(each.subject.startswith("Passed") for each in letters)


def test_a_place_ends_with_the_membership_of_its_payer(cast, priced):
    row = enrol(cast, priced)
    waiting = enrol(cast, session(cast, priced.course, "2026-03-12 09:00", places=1), "wang")
    free = enrol(cast, session(cast, course(cast), "2026-03-13 09:00"))
    guest = enrol(cast, session(cast, course(cast), "2026-03-14 09:00"), by="zhao")
    membership = Membership.objects.get(user=cast.wang)
    assert {each.pk for each in load_places(membership, NOW)} == {row.pk, waiting.pk}
    left = member_leave(
        By(cast.actor("chen"), NOW), membership_id=membership.pk, cancel=False, reason="Moves away"
    )
    assert left.places == 2
    states = {each.pk: each.state for each in Enrolment.objects.all()}
    assert (states[row.pk], states[waiting.pk]) == ("withdrawn", "withdrawn")
    assert (states[free.pk], states[guest.pk]) == ("enrolled", "enrolled")
    letters = OutboxMessage.objects.filter(kind="training.payer-left")
    assert {letter.payload["enrolment"] for letter in letters} == {str(row.pk), str(waiting.pk)}
    effects_carry_out(now=NOW)
    assert sum("Fudan University was to pay for this place" in letter.body for letter in mail.outbox) == 2
    with pytest.raises(WrongState):  # nothing is left to do
        member_leave(By(cast.actor("chen"), NOW), membership_id=membership.pk, cancel=True, reason="x")


def test_the_manager_of_the_instrument_alone_spends_nothing_of_the_host(cast):
    instrument = cast.instrument(card={"training": {"rates": RATES | {"internal": "40.00"}}})
    of = session(cast, course(cast, instrument))
    RoleGrant.objects.create(
        user=cast.sun, role="manager", organisation=cast.ustc, instrument_id=instrument.pk, granted_at=NOW
    )
    with pytest.raises(NotPermitted):
        enrol(cast, of, "wang", by="sun")
    assert not Enrolment.objects.exists()
    assert enrol(cast, of, "wang", by="zhao").organisation == cast.ustc
    free = session(cast, course(cast, instrument, name="Free"), "2026-03-11 09:00")
    RateCard.objects.filter(instrument=instrument).delete()
    assert enrol(cast, free, "wang", by="sun").price is None
