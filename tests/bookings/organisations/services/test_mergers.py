"""An organisation is merged into another, or closed: what goes over, what stays, what refuses."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from accounts.domain.errors import NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By, DutiesConflict
from accounts.models import (
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OutboxMessage,
    RoleGrant,
    TrailEntry,
)
from accounts.selectors.memberships import no_second, people_in_conflict, roles_left_out
from accounts.selectors.verification import trail_verify
from accounts.services.invitations import invitation_send
from accounts.services.joining import join_ask
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisation_moves import move_decide
from accounts.services.organisations import organisation_create
from accounts.services.seals import trail_seal
from bookings import models
from bookings.audit.selectors.comparison import BOOKS, FIRST, LAST, differences_between
from bookings.availability.selectors.kept_hours import kept_rows
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.organisations.selectors.mergers import load_merger
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_cancel
from bookings.settlement.services.statements import statements_draw
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.policy.services.blocks import block_lift
from instruments.register.models import HostBlock, Instrument, PastHost
from tests.factories.agreements import agree, grant, programme
from tests.factories.blocks import block
from tests.factories.cast import NOW, at, reserve
from tests.factories.funding import paid_by, source
from tests.factories.kept_hours import grant as keep
from tests.factories.qualifications import certify

pytestmark = pytest.mark.django_db
AHEAD = ("2026-03-12 10:00", "2026-03-12 12:00")
D = Decimal


def merge(cast, gone, into, *, by="admin", now=NOW, **values):
    return organisations_merge(
        By(cast.actor(by), now, values.pop("expected_version", None)),
        organisation_id=gone.pk,
        into=Organisation.objects.get(pk=into.pk),
        **values,
    )


def found(model, row):
    return model.objects.get(pk=row.pk)


def everything():
    """What a refusal must not change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (
            Organisation,
            Membership,
            RoleGrant,
            models.Reservation,
            models.FundingSource,
            models.Earmark,
        )
    ]


def test_what_is_ahead_of_a_payer_goes_over_and_what_has_begun_stays(cast):
    over = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=over.pk)
    ahead = reserve(cast, *AHEAD)
    merge(cast, cast.fudan, cast.optics, now=at("2026-03-06 11:00"))
    over, ahead = found(models.Reservation, over), found(models.Reservation, ahead)
    assert (over.organisation, over.state) == (cast.fudan, "in_use")
    assert (ahead.organisation, ahead.host, ahead.state) == (cast.optics, cast.ustc, "confirmed")
    assert (ahead.price_group, ahead.payer_region) == ("external", cast.shanghai)
    assert models.Quote.objects.filter(reservation=ahead).count() == 1
    entry = TrailEntry.objects.get(action="reservation.merged")
    assert (entry.object_id, entry.before, entry.after) == (
        ahead.pk, {"payer": str(cast.fudan.pk)}, {"payer": str(cast.optics.pk)},
    )  # fmt: skip
    # What has begun is charged to whom it was booked for.
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=over.pk)
    charge_make(reservation_id=over.pk, now=at("2026-03-06 12:00"))
    assert models.Charge.objects.get(reservation=over).organisation == cast.fudan
    # The person may still cancel what is ahead.
    reservation_cancel(By(cast.actor("wang"), at("2026-03-06 13:00")), reservation_id=ahead.pk, reason="")


def test_kept_hours_go_over_with_what_is_used_of_them(cast):
    row = keep(cast, minutes=480)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reserve(cast, "2026-03-06 13:00", "2026-03-06 14:00")
    merge(cast, cast.fudan, cast.optics, now=at("2026-03-06 11:00"))
    row = kept_rows(NOW).get(pk=row.pk)
    assert (row.organisation, row.used_minutes) == (cast.optics, 180)
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-06 14:00", "2026-03-06 19:00", who="sun")
    reserve(cast, "2026-03-06 14:00", "2026-03-06 19:00", who="hu")
    assert kept_rows(NOW).get(pk=row.pk).left_minutes == 0


def test_hours_that_are_kept_for_both_stand_in_the_way(cast):
    keep(cast, minutes=60)
    keep(cast, minutes=60, holder=cast.optics, ends_at=at("2026-03-10 00:00"))
    before = everything()
    with pytest.raises(RulesRefuse) as refused:
        merge(cast, cast.fudan, cast.optics)
    assert [refusal.code for refusal in refused.value.refusals] == ["kept-for-both"]
    assert everything() == before
    merge(cast, cast.fudan, cast.optics, now=at("2026-03-08 00:00"))


def test_a_host_goes_over_with_its_instruments_and_bookings_ahead(cast):
    ahead = reserve(cast, *AHEAD)
    certify(cast, cast.microscope)
    merge(cast, cast.ustc, cast.fudan)
    microscope = found(Instrument, cast.microscope)
    assert (microscope.organisation, microscope.region) == (cast.fudan, cast.shanghai)
    assert microscope.facility.organisation == cast.fudan
    ahead = found(models.Reservation, ahead)
    assert (ahead.host, ahead.host_region, ahead.price_group) == (
        cast.fudan, cast.anhui, "external",
    )  # fmt: skip
    past = PastHost.objects.get(instrument=microscope)
    assert (past.organisation, past.region, past.until_date) == (
        cast.ustc, cast.anhui, date(2026, 3, 5),
    )  # fmt: skip
    # Managers of the other manage it now, and for its own people it is theirs.
    later = reserve(cast, "2026-03-13 10:00", "2026-03-13 12:00")
    assert (later.host, later.price_group) == (cast.fudan, "internal")


def test_the_organisation_is_closed_and_the_other_absorbs_it(cast):
    merge(cast, cast.optics, cast.fudan)
    merge(cast, cast.fudan, cast.ustc, now=NOW + timedelta(days=1))
    optics, fudan, ustc = (found(Organisation, row) for row in (cast.optics, cast.fudan, cast.ustc))
    assert (optics.closed_at, optics.merged_into) == (NOW, fudan)
    assert (fudan.closed_at, fudan.merged_into) == (NOW + timedelta(days=1), ustc)
    assert set(ustc.absorbed) == {optics.pk, fudan.pk}
    assert OutboxMessage.objects.filter(kind="people.merged").count() == 2


def test_what_was_merged_twice_has_its_second_people_where_it_is_now(cast):
    merge(cast, cast.optics, cast.fudan)
    merge(cast, cast.fudan, cast.ustc)
    optics = found(Organisation, cast.optics)
    assert no_second("manage-charges", besides=[cast.gao.pk], organisation=optics) is None
    everybody = [cast.gao.pk, cast.zhao.pk, cast.lin.pk, cast.chen.pk]
    missing = no_second("manage-charges", besides=everybody, organisation=optics)
    assert missing is not None and missing.code == "no-second-accountant"


def test_members_and_roles_go_over_once_and_old_money_can_be_accounted_for(cast):
    membership_start(By(PLATFORM, NOW), user=cast.lin, organisation=cast.optics)
    merge(cast, cast.fudan, cast.optics)
    assert not Membership.objects.filter(organisation=cast.fudan, ended_at=None).exists()
    assert not RoleGrant.objects.filter(organisation=cast.fudan, revoked_at=None).exists()
    here = Membership.objects.filter(organisation=cast.optics, ended_at=None)
    assert {row.user for row in here} == {cast.hu, cast.wang, cast.chen, cast.lin}
    lin, wang = cast.actor("lin"), cast.actor("wang")
    assert lin.organisations == {cast.optics.pk}
    assert lin.organisations_where("account") == {cast.optics.pk, cast.fudan.pk}
    assert wang.organisations_where("book") == {cast.optics.pk}


def test_what_absorbed_grants_give_does_not_act_in_the_name_of_the_closed(cast):
    merge(cast, cast.fudan, cast.optics)
    chen, fudan = cast.actor("chen"), found(Organisation, cast.fudan)
    with pytest.raises(WrongState) as refused:
        invitation_send(By(chen, NOW), organisation=fudan, email="new@fudan.example", roles=[])
    assert refused.value.code == "organisation-closed"
    with pytest.raises(WrongState) as refused:
        reserve(cast, *AHEAD, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    assert refused.value.code == "organisation-closed"
    with pytest.raises(WrongState):
        source(cast, by="lin", organisation=fudan)


def test_a_role_whose_duties_exclude_another_is_not_given(cast):
    # Somebody who audits Shanghai keeps accounts in Anhui.
    role_grant(By(PLATFORM, NOW), user=cast.gao, role="auditor", region=cast.shanghai)
    preview = load_merger(
        found(Organisation, cast.ustc), found(Organisation, cast.fudan), NOW, by=cast.actor("admin")
    )
    assert [(grant.user, grant.role) for grant in preview.left_out] == [(cast.gao, "finance")]
    merge(cast, cast.ustc, cast.fudan)
    assert not RoleGrant.objects.filter(user=cast.gao, role="finance", revoked_at=None).exists()
    assert Membership.objects.filter(user=cast.gao, organisation=cast.fudan, ended_at=None).exists()


def test_whoever_merges_gives_themselves_no_role(cast):
    membership_start(By(PLATFORM, NOW), user=cast.coordinator, organisation=cast.optics)
    role_grant(By(PLATFORM, NOW), user=cast.coordinator, role="finance", organisation=cast.optics)
    merger = merge(cast, cast.optics, cast.ustc, by="coordinator")
    assert [(grant.user, grant.role) for grant in merger.left_out] == [(cast.coordinator, "finance")]
    mine = RoleGrant.objects.filter(user=cast.coordinator, revoked_at=None)
    assert list(mine.values_list("role", flat=True)) == ["coordinator"]


@pytest.mark.parametrize(
    ("by", "into", "given"),
    [("coordinator", "ustc", ["researcher"]), ("admin", "ustc", None), ("coordinator", "new", None)],
)
def test_a_coordinator_brings_no_manager_to_where_one_is(cast, by, into, given):
    roles = ["finance", "manager", "operator", "researcher"]
    membership_start(By(PLATFORM, NOW), user=cast.alice, organisation=cast.optics)
    for role in roles:
        role_grant(By(PLATFORM, NOW), user=cast.alice, role=role, organisation=cast.optics)
    target = (
        cast.ustc
        if into == "ustc"
        else organisation_create(
            By(PLATFORM, NOW), code="new", region=cast.anhui, name="New", kind="university"
        )
    )
    merger = merge(cast, cast.optics, target, by=by)
    held = RoleGrant.objects.filter(user=cast.alice, organisation=target, revoked_at=None)
    expected = given or roles
    assert sorted(held.values_list("role", flat=True)) == expected
    assert sorted(grant.role for grant in merger.left_out) == sorted({*roles} - {*expected})


def test_a_role_for_one_instrument_goes_over_and_an_operator_keeps_what_is_in_hand(cast):
    give = partial(role_grant, By(PLATFORM, NOW), role="operator", organisation=cast.ustc)
    give(user=cast.hu), give(user=cast.sun, instrument=cast.microscope.pk)
    left = {(grant.user, grant.role) for grant in roles_left_out(cast.actor("alice"), cast.ustc, cast.fudan)}
    assert (cast.hu, "operator") in left and (cast.sun, "operator") not in left
    Organisation.objects.filter(pk=cast.fudan.pk).update(absorbed=[cast.optics.pk])
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="operator", organisation=cast.fudan)
    assert cast.optics.pk in cast.actor("alice").organisations_where("operate-instruments")


def test_an_auditor_of_what_was_absorbed_does_not_account_for_it_unnoticed(cast):
    # Accounts for Fudan and audits Anhui: no conflict before Fudan absorbs an organisation there.
    role_grant(By(PLATFORM, NOW), user=cast.auditor, role="finance", organisation=cast.fudan)
    assert people_in_conflict() == []
    merge(cast, cast.optics, cast.fudan)
    assert people_in_conflict() == [(cast.auditor, "auditor", "finance")]
    with pytest.raises(DutiesConflict):
        role_grant(By(PLATFORM, NOW), user=cast.lin, role="auditor", region=cast.anhui)
    assert not RoleGrant.objects.filter(user=cast.lin, role="auditor").exists()


@pytest.mark.parametrize(
    ("gone_admits", "into_admits", "domains"),
    [
        (False, True, ["ustc.example"]),
        (True, True, ["optics.example", "ustc.example"]),
        (False, False, ["optics.example", "ustc.example"]),
        (True, False, ["optics.example", "ustc.example"]),
    ],
)
def test_who_had_to_ask_is_not_let_in_unasked(cast, gone_admits, into_admits, domains):
    for row, admits in ((cast.optics, gone_admits), (cast.ustc, into_admits)):
        Organisation.objects.filter(pk=row.pk).update(
            mail_domains=[f"{row.code}.example"], admits_by_mail=admits
        )
    merge(cast, cast.optics, cast.ustc)
    ustc = found(Organisation, cast.ustc)
    assert (ustc.mail_domains, ustc.admits_by_mail) == (domains, into_admits)
    assert found(Organisation, cast.optics).mail_domains == []


def test_invitations_are_withdrawn_and_requests_readdressed(cast):
    invitation_send(By(cast.actor("chen"), NOW), organisation=cast.fudan, email="new@fudan.example", roles=[])
    join_ask(By(cast.actor("alice"), NOW), organisation=cast.fudan, text="")
    join_ask(By(cast.actor("sun"), NOW), organisation=cast.fudan, text="")
    merge(cast, cast.fudan, cast.ustc)
    assert Invitation.objects.get().withdrawn_at == NOW
    alice, sun = JoinRequest.objects.order_by("created_at", "id")
    assert (alice.organisation, alice.state) == (cast.ustc, "requested")
    assert (sun.organisation, sun.state) == (cast.fudan, "withdrawn")  # a member there already


def test_default_sources_go_to_the_new_purses(cast):
    agree(cast)
    one, other = source(cast, "A", is_open=True), source(cast, "B", is_open=True)
    theirs = models.FundingSource.objects.create(
        organisation=cast.optics, code="C", name="C", owner=cast.lin, currency="CNY",
        valid_from=date(2026, 1, 1), created_by=cast.lin, created_at=NOW,
    )  # fmt: skip
    values = {"set_by": cast.lin, "set_at": NOW}
    for user, row, percent, is_own in (
        (cast.wang, one, 60, True), (cast.wang, other, 40, True), (cast.wang, other, 100, False),
        (cast.lin, one, 100, False), (cast.lin, theirs, 100, False),
    ):  # fmt: skip
        models.DefaultSource.objects.create(user=user, source=row, percent=percent, is_own=is_own, **values)
    merge(cast, cast.fudan, cast.optics)
    rows = models.DefaultSource.objects.values_list("user__name", "source__code", "percent", "is_own")
    assert set(models.DefaultSource.objects.values_list("source__organisation", flat=True)) == {
        cast.optics.pk
    }
    assert sorted(rows) == [
        ("Lin Na", "C", 100, False), ("Wang Li", "A", 60, True), ("Wang Li", "B", 40, True),
        ("Wang Li", "B", 100, False),
    ]  # fmt: skip


def test_money_that_is_left_goes_to_new_purses_and_nothing_counts_twice(cast):
    agree(cast)
    vouchers = programme(cast, budget=D(1000))
    old_grant = grant(cast, vouchers)
    old_source = source(cast)
    ahead = reserve(cast, *AHEAD, funding=paid_by("NSFC-17"))
    held = {
        row.grant_id or row.source_id: row.held for row in models.Earmark.objects.filter(reservation=ahead)
    }
    assert all(held.values()) and len(held) == 2
    merge(cast, cast.fudan, cast.optics)
    old_grant, old_source = found(models.VoucherGrant, old_grant), found(models.FundingSource, old_source)
    new_grant = models.VoucherGrant.objects.get(organisation=cast.optics)
    new_source = models.FundingSource.objects.get(organisation=cast.optics)
    assert (old_grant.amount, old_grant.transferred, old_grant.held) == (1000, 1000, 0)
    assert (new_grant.amount, new_grant.held) == (1000, held[old_grant.pk])
    assert new_grant.former_codes == [old_grant.code]
    assert (old_source.budget, old_source.transferred, old_source.held) == (10000, 10000, 0)
    assert (new_source.budget, new_source.held) == (10000, held[old_source.pk])
    assert (old_grant.left, old_source.left) == (0, 0)
    assert found(models.VoucherProgramme, vouchers).granted == 1000
    transfers = models.PurseTransfer.objects.all()
    assert {(t.grant_from, t.grant_to, t.source_to, t.amount) for t in transfers} == {
        (old_grant, new_grant, None, D(1000)), (None, None, new_source, D(10000)),
    }  # fmt: skip
    # Use is charged, and its voucher redeemed, from the new purses.
    reservation_check_in(By(cast.actor("wang"), at(AHEAD[0])), reservation_id=ahead.pk)
    reservation_check_out(By(cast.actor("wang"), at(AHEAD[1])), reservation_id=ahead.pk)
    charge_make(reservation_id=ahead.pk, now=at(AHEAD[1]))
    charge = models.Charge.objects.get()
    assert (charge.organisation, charge.grant) == (cast.optics, new_grant)
    assert found(models.VoucherGrant, new_grant).redeemed == charge.covered > 0
    assert found(models.FundingSource, new_source).spent == charge.payable > 0
    assert found(models.FundingSource, old_source).spent == 0


def test_a_transfer_is_never_altered(cast):
    source(cast)
    merge(cast, cast.fudan, cast.optics)
    for act in (
        models.PurseTransfer.objects.all().delete,
        lambda: models.PurseTransfer.objects.update(amount=1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_source_of_the_same_code_and_a_facility_of_the_same_name_get_the_code_of_who_goes(cast):
    source(cast)
    role_grant(By(PLATFORM, NOW), user=cast.hu, role="finance", organisation=cast.optics)
    source(cast, by="hu", owner="hu", organisation=cast.optics)
    facility_create(
        By(PLATFORM, NOW), organisation=cast.optics, name="Instruments Centre", time_zone="Asia/Shanghai"
    )
    merge(cast, cast.fudan, cast.optics)
    merge(cast, cast.ustc, cast.optics)
    theirs = models.FundingSource.objects.filter(organisation=cast.optics)
    assert set(theirs.values_list("code", flat=True)) == {
        "NSFC-17", "NSFC-17-fudan",
    }  # fmt: skip
    assert set(found(Organisation, cast.optics).facilities.values_list("name", flat=True)) == {
        "Instruments Centre", "Instruments Centre (ustc)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("case", "code"),
    [("itself", "same-organisation"), ("closed", "organisation-closed"), ("moving", "move-ahead")],
)
def test_what_stands_in_the_way_leaves_everything(cast, case, code):
    into = cast.fudan if case == "itself" else cast.optics
    if case == "closed":
        organisation_close(By(cast.actor("admin"), NOW), organisation_id=into.pk)
    if case == "moving":
        move_decide(
            By(cast.actor("admin"), NOW),
            organisation_id=cast.fudan.pk,
            region=cast.anhui,
            starts_on=date(2026, 4, 1),
        )
    before = everything()
    with pytest.raises(RulesRefuse) as refused:
        merge(cast, cast.fudan, into)
    assert [refusal.code for refusal in refused.value.refusals] == [code]
    assert everything() == before


@pytest.mark.parametrize("who", ["chen", "zhao", "xu", "coordinator", "auditor", "wang"])
def test_only_who_manages_organisations_at_both_merges(cast, who):
    before = everything()
    with pytest.raises(NotPermitted):
        merge(cast, cast.fudan, cast.ustc, by=who)
    assert everything() == before


def test_a_coordinator_merges_two_of_their_region_on_the_version_they_read(cast):
    with pytest.raises(WrongVersion):
        merge(cast, cast.optics, cast.ustc, by="coordinator", expected_version=9)
    merge(cast, cast.optics, cast.ustc, by="coordinator", expected_version=1)
    assert found(Organisation, cast.optics).version == 2


def test_the_books_and_the_trail_are_right_afterwards(cast):
    agree(cast)
    grant(cast, programme(cast))
    source(cast)
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    reserve(cast, *AHEAD, funding=paid_by("NSFC-17"))
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=used.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=used.pk)
    charge_make(reservation_id=used.pk, now=at("2026-03-06 12:00"))
    before = list(models.Charge.objects.values()), list(models.Posting.objects.order_by("pk").values())
    later = at("2026-03-07 12:00")
    merge(cast, cast.fudan, cast.optics, now=later)
    merge(cast, cast.ustc, cast.optics, now=later)
    assert (
        list(models.Charge.objects.values()),
        list(models.Posting.objects.order_by("pk").values()),
    ) == before
    for kind in BOOKS:
        assert differences_between(kind, FIRST, LAST) == []
    trail_seal(now=later)
    # The test's clock is another than that of the entries' ids.
    assert {problem.code for problem in trail_verify().problems} <= {"misdated"}
    said = StringIO()
    for command, arguments in (
        ("check_statements", []), ("replay_fees", []), ("find_exceptions", ["--full"]),
    ):  # fmt: skip
        call_command(command, *arguments, stdout=said)
    effects_carry_out(now=later)
    assert not OutboxMessage.objects.exclude(last_error="").exists()


# Closing


def close(cast, organisation, *, by="admin", now=NOW, **values):
    return organisation_close(
        By(cast.actor(by), now, values.pop("expected_version", None)),
        organisation_id=organisation.pk,
        **values,
    )


def test_what_is_open_keeps_an_organisation_from_being_closed_and_is_counted(cast):
    reserve(cast, *AHEAD)
    before = everything()
    for organisation, expected in (
        (cast.fudan, {"bookings-ahead": 1}),
        (cast.ustc, {"bookings-ahead": 1, "instruments-published": 1}),
    ):
        with pytest.raises(RulesRefuse) as refused:
            close(cast, organisation)
        assert {r.code: r.numbers["count"] for r in refused.value.refusals} == expected
    assert everything() == before


def test_what_is_owed_keeps_it_open_until_it_is_paid(cast):
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=used.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=used.pk)

    def hindrances(now):
        before = everything()
        with pytest.raises(RulesRefuse) as refused:
            close(cast, cast.fudan, now=now)
        assert everything() == before
        return {r.code: r.numbers["count"] for r in refused.value.refusals}

    assert hindrances(at("2026-03-06 12:00")) == {"charges-to-make": 1}
    effects_carry_out(now=at("2026-03-06 12:00"))
    assert hindrances(at("2026-03-07 12:00")) == {"charges-open": 1}
    charges_finalise(now=at("2026-03-25 12:00"))
    assert hindrances(at("2026-03-25 12:00")) == {"charges-not-drawn": 1}
    statements_draw(month=date(2026, 3, 1), now=at("2026-04-10 12:00"))
    assert hindrances(at("2026-04-10 12:00")) == {"statements-unpaid": 1}
    models.Statement.objects.update(state="paid", paid=F("payable"))
    close(cast, cast.fudan, now=at("2026-04-11 12:00"))
    assert found(Organisation, cast.fudan).closed_at == at("2026-04-11 12:00")


def test_what_is_owed_by_an_absorbed_organisation_keeps_it_open_too(cast):
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    begun = at("2026-03-06 10:00")
    reservation_check_in(By(cast.actor("wang"), begun), reservation_id=used.pk)
    merge(cast, cast.fudan, cast.optics, now=begun)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=used.pk)
    charge_make(reservation_id=used.pk, now=at("2026-03-06 12:00"))
    charges_finalise(now=at("2026-03-25 12:00"))
    statements_draw(month=date(2026, 3, 1), now=at("2026-04-10 12:00"))
    with pytest.raises(RulesRefuse) as refused:
        close(cast, cast.optics, now=at("2026-04-10 12:00"))
    codes = {r.code: r.numbers["count"] for r in refused.value.refusals}
    assert codes["statements-unpaid"] == 1
    assert found(Organisation, cast.optics).closed_at is None


def test_a_closed_organisation_has_no_people_and_takes_nothing_new(cast):
    join_ask(By(cast.actor("alice"), NOW), organisation=cast.fudan, text="")
    close(cast, cast.fudan)
    fudan = found(Organisation, cast.fudan)
    assert fudan.closed_at == NOW
    assert not Membership.objects.filter(organisation=fudan, ended_at=None).exists()
    assert not RoleGrant.objects.filter(organisation=fudan, revoked_at=None).exists()
    assert JoinRequest.objects.get().state == "withdrawn"
    refused = []
    for act in (
        lambda: join_ask(By(cast.actor("alice"), NOW), organisation=fudan, text=""),
        lambda: membership_start(By(PLATFORM, NOW), user=cast.alice, organisation=fudan),
        lambda: role_grant(By(PLATFORM, NOW), user=cast.wang, role="researcher", organisation=fudan),
        lambda: facility_create(By(PLATFORM, NOW), organisation=fudan, name="x", time_zone="UTC"),
        lambda: grant(cast, programme(cast), organisation=fudan),
    ):
        with pytest.raises(WrongState) as problem, transaction.atomic():
            act()
        refused.append(problem.value.code)
    assert refused == ["organisation-closed"] * 5
    with pytest.raises(WrongState):
        close(cast, cast.fudan)


def test_instruments_are_not_registered_at_a_closed_host(cast):
    instrument_publication(By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, act="retire")
    zhao = cast.actor("zhao")
    close(cast, cast.ustc)
    with pytest.raises(WrongState) as refused:
        instrument_create(By(zhao, NOW), facility=cast.facility, techniques=[], name="x")
    assert refused.value.code == "organisation-closed"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_membership (id, user_id, organisation_id, started_at)"
            " VALUES (gen_random_uuid(), %s, %s, now())",
            [cast.alice.pk, cast.ustc.pk],
        )


def test_blocks_go_over_at_the_facilities_they_were_for_and_end_between_the_two(cast):
    facility_create(By(PLATFORM, NOW), organisation=cast.ustc, name="Annex", time_zone="Asia/Shanghai")
    everywhere, between = block(cast, "hu"), block(cast, organisation=cast.fudan)
    lifted = block_lift(By(cast.actor("zhao"), NOW), block_id=block(cast, "alice").pk, reason="Settled")
    sites = set(cast.ustc.facilities.values_list("pk", flat=True))
    merge(cast, cast.ustc, cast.fudan)
    mine = HostBlock.objects.filter(user=cast.hu)
    assert {(row.host_id, row.facility_id) for row in mine} == {(cast.fudan.pk, pk) for pk in sites}
    assert len(sites) == len(mine) == 2 and everywhere in mine
    assert found(HostBlock, between).lifted_at == NOW
    lifted = found(HostBlock, lifted)
    assert (lifted.host, lifted.facility) == (cast.fudan, None)
    acts = TrailEntry.objects.filter(object_id__in=[*mine.values_list("pk", flat=True), between.pk], at=NOW)
    assert acts.filter(action="block.hand-over").count() == 2
    assert acts.filter(action="block.lift").count() == 1


def test_the_heirs_block_of_whom_it_absorbs_ends_and_others_are_named(cast):
    own = block(cast, organisation=cast.fudan)
    merger = load_merger(cast.fudan, cast.ustc, NOW, by=cast.actor("admin"))
    assert [part.names for part in merger.parts if part.kind == "blocks_of_it"] == [("USTC",)]
    merge(cast, cast.fudan, cast.ustc)
    assert found(HostBlock, own).lifted_at == NOW


def test_formats_of_bank_files_go_over_and_keep_apart(cast):
    for host in (cast.optics, cast.fudan):
        models.BankMapping.objects.create(host=host, name="ICBC")
    merge(cast, cast.fudan, cast.optics, now=at("2026-03-06 11:00"))
    names = (
        models.BankMapping.objects.filter(host=cast.optics).order_by("name").values_list("name", flat=True)
    )
    assert list(names) == ["ICBC", f"ICBC ({cast.fudan.code})"]
