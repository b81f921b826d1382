# ruff: noqa: B023  (the calls end within their round)
"""Bookings, cancellations, charges, roles, invitations and moves at the very moment in which an
organisation is merged into another: nothing is lost, nothing ahead is left behind, purses add up,
nobody waits for ever."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.models import Q, Sum

from accounts.domain.errors import Refused, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Invitation, Membership, Organisation, RoleGrant, User
from accounts.services.invitations import invitation_send
from accounts.services.memberships import membership_start, role_grant, role_revoke
from accounts.services.organisation_moves import move_decide, move_withdraw
from accounts.services.organisations import organisation_create
from bookings.audit.selectors.comparison import BOOKS, FIRST, LAST, differences_between
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, Earmark, FundingSource, Reservation, VoucherGrant
from bookings.organisations.services import mergers
from bookings.organisations.services.mergers import organisations_merge
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.managing.services.hosts import moves_carry_out
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.register.models import Instrument
from tests.concurrency.races import ALWAYS, HOUR, booking, consistent
from tests.factories.agreements import agree, grant, programme
from tests.factories.cast import NOW, at, publish
from tests.factories.funding import paid_by, source

pytestmark = pytest.mark.concurrency
D = Decimal
START = at("2026-03-09 08:00")


def closing(act):
    """A refusal also where only the database knew, as the doors say it (config/pages/errors.py)."""

    def run():
        try:
            return act()
        except IntegrityError as error:
            assert error.__cause__.diag.constraint_name == "organisation_open"
            raise WrongState("organisation-closed") from None

    return run


def member_of(cast, organisation, name, *roles):
    user = User.objects.create_user(
        f"{name}@{organisation.code}.example", "x", name=name, time_zone="Asia/Shanghai"
    )
    membership_start(By(PLATFORM, NOW), user=user, organisation=organisation)
    for role in roles:
        role_grant(By(PLATFORM, NOW), user=user, role=role, organisation=organisation)
    cast.people[f"{name}-{organisation.code}"] = user
    return cast.actor(f"{name}-{organisation.code}")


def organisation(cast, code, region):
    return organisation_create(
        By(PLATFORM, NOW), code=code, region=region, name=code.title(), kind="university"
    )


def ask(actor, instrument, payer, start, hours=1, now=NOW, **values):
    wish = booking(instrument, start, hours, **values)
    return reservation_request(
        By(actor, now), booking=type(wish)(**vars(wish) | {"organisation": payer.code})
    )


def nothing_left(gone, now):
    """What a merged organisation must not have."""
    assert not Reservation.objects.filter(
        Q(organisation=gone) | Q(host=gone), state__in=("held", "requested", "confirmed"), start_at__gt=now
    ).exists()
    for rows in (
        Membership.objects.filter(ended_at=None),
        RoleGrant.objects.filter(revoked_at=None),
        Invitation.objects.filter(accepted_at=None, withdrawn_at=None),
        Instrument.objects.all(),
    ):
        assert not rows.filter(organisation=gone).exists()


def purses_add_up():
    """What each purse has set aside is what its bookings hold; what it gave is what the next
    got."""
    for row in (*VoucherGrant.objects.all(), *FundingSource.objects.all()):
        held = row.earmarks.filter(released_at=None).aggregate(held=Sum("held"))["held"] or 0
        assert row.held == held
        spent = row.earmarks.aggregate(redeemed=Sum("redeemed"))["redeemed"] or 0
        assert spent == (row.redeemed if isinstance(row, VoucherGrant) else row.spent)
        if hasattr(row, "gone"):
            after = getattr(row.gone, "grant_to" if isinstance(row, VoucherGrant) else "source_to")
            assert (
                row.transferred
                == row.gone.amount
                == (after.amount if isinstance(row, VoucherGrant) else after.budget)
            )
    for row in Earmark.objects.filter(released_at=None).select_related("grant", "source"):
        assert (row.grant or row.source).organisation_id == row.reservation.organisation_id


def test_a_payer_is_merged_while_its_people_book_cancel_and_are_charged(real_cast, race, rounds, instrument):
    cast, admin = real_cast, real_cast.actor("admin")
    agree(cast)
    vouchers = programme(cast)
    for round_ in range(rounds(2)):
        gone = organisation(cast, f"gone{round_}", cast.shanghai)
        actor = member_of(cast, gone, "ann", "researcher", "finance")
        other = member_of(cast, gone, "ben", "researcher", "manager")
        grant(cast, vouchers, "2000", organisation=gone)
        source(cast, by=f"ann-gone{round_}", owner=f"ann-gone{round_}", organisation=gone)
        start = START + timedelta(hours=8 * round_)
        paid = {"funding": paid_by("NSFC-17")}
        first = ask(actor, instrument, gone, start, now=NOW, **paid)
        to_cancel = ask(actor, instrument, gone, start + HOUR, **paid)
        to_move = ask(actor, instrument, gone, start + 2 * HOUR, **paid)
        begun = at("2026-03-06 00:00") + timedelta(hours=round_)
        used = ask(actor, instrument, gone, begun, now=NOW, **paid)
        reservation_check_in(By(actor, begun), reservation_id=used.pk)
        reservation_check_out(By(actor, begun + HOUR), reservation_id=used.pk)
        now = begun + HOUR
        granted = RoleGrant.objects.get(user=actor.user_id, role="finance", revoked_at=None)
        into = cast.fudan
        acts = [
            lambda: ask(actor, instrument, gone, start + 3 * HOUR, now=now, **paid),
            lambda: ask(other, instrument, gone, start + 4 * HOUR, now=now),
            lambda: ask(actor, instrument, gone, start + 5 * HOUR, now=now, **paid),
            lambda: reservation_cancel(By(actor, now), reservation_id=to_cancel.pk, reason=""),
            lambda: reservation_move(
                By(actor, now), reservation_id=to_move.pk, period=Period(start + 6 * HOUR, start + 7 * HOUR)
            ),
            lambda: charge_make(reservation_id=used.pk, now=now),
            lambda: role_revoke(By(admin, now), grant_id=granted.pk, reason="test"),
            lambda: role_grant(
                By(admin, now),
                user=cast.people[f"ben-gone{round_}"],
                role="finance",
                organisation=Organisation.objects.get(pk=gone.pk),
            ),
            lambda: invitation_send(
                By(other, now), organisation=gone, email=f"new{round_}@x.example", roles=[]
            ),
            lambda: grant(cast, vouchers, "10", organisation=gone, now=now),
            lambda: organisations_merge(By(admin, now), organisation_id=gone.pk, into=into),
        ]
        results = race([closing(act) for act in acts])
        assert not isinstance(results[-1], Refused)
        for made in results[:3]:  # what was said yes to is there, for the other
            if not isinstance(made, Refused):
                assert Reservation.objects.get(pk=made.pk).organisation == into
        assert Reservation.objects.get(pk=first.pk).organisation == into
        assert not isinstance(results[5], Refused)
        assert Charge.objects.get(reservation=used).organisation == gone
        nothing_left(gone, now)
        purses_add_up()
    consistent()
    for kind in BOOKS:
        assert differences_between(kind, FIRST, LAST) == []


def test_a_host_is_merged_or_moved_while_others_book_at_its_instruments(real_cast, race, rounds):
    cast, admin, wang = real_cast, real_cast.actor("admin"), real_cast.actor("wang")
    agree(cast)
    source(cast, budget="1000000")
    paid = {"funding": paid_by("NSFC-17")}
    for round_ in range(rounds(2)):
        code = f"host{round_}"
        gone = organisation(cast, code, cast.anhui)
        zoe = member_of(cast, gone, "zoe", "manager")
        site = facility_create(By(zoe, NOW), organisation=gone, name="Site", time_zone="Asia/Shanghai")
        offered = at_host(cast, zoe, site)
        start = START + timedelta(hours=8 * round_)
        to_cancel = ask(wang, offered, cast.fudan, start, **paid)
        to_move = ask(wang, offered, cast.fudan, start + HOUR, **paid)
        day = NOW.date()
        acts = [
            lambda: ask(wang, offered, cast.fudan, start + 2 * HOUR, **paid),
            lambda: ask(wang, offered, cast.fudan, start + 3 * HOUR, **paid),
            lambda: reservation_cancel(By(wang, NOW), reservation_id=to_cancel.pk, reason=""),
            lambda: reservation_move(
                By(wang, NOW), reservation_id=to_move.pk, period=Period(start + 4 * HOUR, start + 5 * HOUR)
            ),
            lambda: instrument_create(By(zoe, NOW), facility=site, techniques=[], name="New"),
            lambda: move_decide(By(admin, NOW), organisation_id=gone.pk, region=cast.shanghai, starts_on=day),
            lambda: moves_carry_out(now=NOW),
            lambda: organisations_merge(By(admin, NOW), organisation_id=gone.pk, into=cast.ustc),
        ]
        results = race([closing(act) for act in acts])
        ahead = [made for made in results[:2] if not isinstance(made, Refused)]
        if isinstance(results[-1], Refused):  # the move was first: it is carried out, then merged
            assert not isinstance(results[5], Refused)
            move = results[5]
            moves_carry_out(now=NOW)
            assert set(Instrument.objects.filter(organisation=gone).values_list("region_id", flat=True)) == {
                cast.shanghai.pk
            }
            move.refresh_from_db()
            if move.carried_out_at is None:
                move_withdraw(By(admin, NOW), organisation_id=gone.pk, move_id=move.pk)
            organisations_merge(By(admin, NOW), organisation_id=gone.pk, into=cast.ustc)
        nothing_left(gone, NOW)
        for made in ahead:
            assert Reservation.objects.get(pk=made.pk).host == cast.ustc
        theirs = Instrument.objects.filter(organisation=cast.ustc)
        assert set(theirs.values_list("region_id", flat=True)) == {cast.anhui.pk}
        purses_add_up()
    consistent()


def at_host(cast, manager, site):
    """A published instrument of another host than the cast's."""

    class Elsewhere:
        facility, technique = site, cast.technique

        def actor(self, name):
            return manager

    return publish(Elsewhere(), name="Elsewhere", hours=ALWAYS)


def test_a_merger_that_dies_half_way_leaves_everything_and_can_be_done_again(
    real_cast, instrument, monkeypatch
):
    cast, admin = real_cast, real_cast.actor("admin")
    source(cast)
    wang = cast.actor("wang")
    ahead = ask(wang, instrument, cast.fudan, START, funding=paid_by("NSFC-17"))

    def state():
        return [
            list(model.objects.order_by("pk").values())
            for model in (Organisation, Membership, RoleGrant, Reservation, FundingSource, Earmark)
        ]

    def die(*by, **rest):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    before = state()
    kept = mergers.members_let_go
    monkeypatch.setattr(mergers, "members_let_go", die)
    with pytest.raises(OperationalError):
        organisations_merge(By(admin, NOW), organisation_id=cast.fudan.pk, into=cast.optics)
    connection.close()
    assert state() == before
    monkeypatch.setattr(mergers, "members_let_go", kept)
    organisations_merge(By(admin, NOW), organisation_id=cast.fudan.pk, into=cast.optics)
    assert Reservation.objects.get(pk=ahead.pk).organisation == cast.optics
    nothing_left(cast.fudan, NOW)
    purses_add_up()
