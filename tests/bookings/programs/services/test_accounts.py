"""Service accounts: who makes them, what they may, and how they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import ApiToken, OutboxMessage, ServiceAccount, TrailEntry, User
from accounts.permissions import actor_of
from accounts.selectors.administration import accounts_for
from accounts.selectors.memberships import has_manager, members_of, no_second
from accounts.services.erasure import account_close
from accounts.services.memberships import role_grant
from bookings.organisations.services.mergers import organisations_merge
from bookings.programs.services import accounts
from bookings.record.models import Reservation
from bookings.reserving.selectors.moves import is_by_host
from instruments.policy.domain.blocks import BlockTerms
from instruments.policy.services.blocks import block_lift, block_make
from instruments.training.services.qualifications import qualification_grant
from tests.accounts.pages import mails
from tests.factories.api import Clock, Program
from tests.factories.api import clock as clock
from tests.factories.api import program as program
from tests.factories.cast import NOW, PASSWORD, Cast, reserve
from tests.factories.conversations import propose

pytestmark = pytest.mark.django_db
HOOK = {
    "organisation": "ustc", "address": "https://lab.example/hooks", "events": ["reservation.confirmed"],
}  # fmt: skip


def made(cast: Cast, who: str = "zhao", **changes: Any) -> ServiceAccount:
    given: dict[str, Any] = {"name": "LIMS", "purpose": "Reports samples", "roles": ["manager"]}
    given |= {"scopes": ["read", "manage"]} | changes
    return accounts.account_make(By(cast.actor(who), NOW), organisation_id=cast.ustc.pk, **given)


def token(cast: Cast, account: ServiceAccount, *scopes: str) -> Program:
    by = By(cast.actor("zhao"), NOW)
    _, secret = accounts.token_make(by, account_id=account.pk, label="machine", scopes=scopes or ["read"])
    return Program(secret)


def test_it_acts_under_its_own_name(cast: Cast, clock: Clock) -> None:
    account = made(cast)
    lims = token(cast, account, "read", "manage")
    answer = lims.get("webhooks/")
    assert answer.status == 200
    hook = {
        "organisation": "ustc",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    }
    assert lims.post("webhooks/", hook).status == 201
    entry = TrailEntry.objects.get(action="webhook.add")
    assert entry.actor_id == account.user_id
    assert str(account.user) == "LIMS"
    assert lims.post("webhooks/", HOOK | {"organisation": "fudan"}).code == "not-permitted"
    clock += timedelta(days=5 * 366)
    assert lims.get("webhooks/").status == 200, "it does not expire"


def test_scopes_of_the_account_limit_those_of_its_tokens(cast: Cast) -> None:
    account = made(cast)
    lims = token(cast, account, "read", "manage")
    by = By(cast.actor("zhao"), NOW)
    with pytest.raises(Invalid):
        accounts.token_make(by, account_id=account.pk, label="wide", scopes=["upload"])
    accounts.account_change(
        by, account_id=account.pk, name="LIMS", purpose="Reads", roles=["manager"], scopes=["read"]
    )
    hook = {
        "organisation": "ustc",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    }
    assert lims.post("webhooks/", hook).code == "scope-missing"
    accounts.account_change(
        by, account_id=account.pk, name="LIMS", purpose="Reads", roles=[], scopes=["read"]
    )
    assert lims.get("webhooks/").status == 403, "the role is gone at once"


def test_it_is_told_what_it_is(cast: Cast) -> None:
    account = made(cast)
    told = token(cast, account).get("me/").body
    assert told["service_account"] == {
        "id": str(account.pk), "organisation": "ustc", "purpose": "Reports samples", "roles": ["manager"]
    }  # fmt: skip
    assert [told[name] for name in ("name", "email", "organisation")] == ["LIMS", "", "ustc"]
    assert told["token"]["scopes"] == ["read"]


@pytest.mark.parametrize("who", ["sun", "gao", "chen", "auditor", "coordinator"])
def test_others_make_none(cast: Cast, who: str) -> None:
    with pytest.raises(NotPermitted):
        made(cast, who)
    assert not ServiceAccount.objects.exists()


def test_nobody_gives_it_more_than_they_hold(cast: Cast) -> None:
    with pytest.raises(NotPermitted, match="own-role"):
        made(cast, roles=["finance"])
    with pytest.raises(Invalid):
        made(cast, roles=["administrator"])
    account = made(cast, "admin", roles=["finance"])
    by = By(cast.actor("zhao"), NOW)
    with pytest.raises(NotPermitted, match="own-role"):
        accounts.token_make(by, account_id=account.pk, label="mine", scopes=["read"])
    # Changing something else leaves the role.
    accounts.account_change(
        by, account_id=account.pk, name="ERP", purpose="Pays", roles=["finance"], scopes=["read"]
    )


def test_the_other_organisations_manager(cast: Cast) -> None:
    account = made(cast)
    by = By(cast.actor("chen"), NOW)
    acts: list[Callable[[], Any]] = [
        lambda: accounts.account_end(by, account_id=account.pk),
        lambda: accounts.account_confirm(by, account_id=account.pk),
        lambda: accounts.token_make(by, account_id=account.pk, label="mine", scopes=["read"]),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert not ApiToken.objects.exists()


def test_it_makes_no_other_and_gives_no_roles(cast: Cast) -> None:
    account = made(cast)
    by = By(actor_of(User.objects.get(pk=account.user_id)), NOW)
    with pytest.raises(NotPermitted, match="person-needed"):
        accounts.account_make(
            by, organisation_id=cast.ustc.pk, name="B", purpose="b", roles=[], scopes=["read"]
        )
    for act in (accounts.account_end, accounts.account_confirm):
        with pytest.raises(NotPermitted, match="person-needed"):
            act(by, account_id=account.pk)
    with pytest.raises(NotPermitted, match="person-needed"):
        role_grant(by, user=cast.sun, role="finance", organisation=cast.ustc)
    role_grant(by, user=cast.zhao, role="researcher", organisation=cast.ustc)


def test_what_is_a_persons_own_is_refused_to_it(cast: Cast) -> None:
    account = made(cast, scopes=["read", "book", "manage"])
    lims = token(cast, account, "read", "book", "manage")
    booking = {
        "instrument": str(cast.microscope.pk), "start": "2026-03-10T02:00:00Z",
        "end": "2026-03-10T04:00:00Z", "service_mode": "self", "organisation": "ustc",
        "purpose": {"code": "research", "text": "x"},
    }  # fmt: skip
    assert lims.post("reservations/", booking).problems == [("on_behalf_of", "for-whom-needed")]
    for_member = booking | {"on_behalf_of": cast.sun.email}
    assert lims.post("reservations/", for_member).status == 201
    later = {"start": "2026-03-10T06:00:00Z", "end": "2026-03-10T08:00:00Z"}
    own_pays = {name: value for name, value in for_member.items() if name != "organisation"} | later
    assert lims.post("reservations/", own_pays).body["organisation"] == "ustc"
    assert lims.post("reservations/", own_pays | {"organisation": "fudan"}).code == "not-permitted"
    assert lims.post("calendar-feeds/", {"instrument": str(cast.microscope.pk)}).code == "person-needed"
    assert lims.post("join-requests/", {"organisation": "fudan"}).code == "person-needed"
    with pytest.raises(NotPermitted, match="person-needed"):
        actor = actor_of(User.objects.get(pk=account.user_id))
        account_close(actor=actor, by=None, reason="", now=NOW)


def test_it_is_not_the_second_person(cast: Cast) -> None:
    """Whoever makes one could else decide on their own request."""
    lims = token(cast, made(cast), "read", "manage")
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    assert lims.post(f"reservations/{row.pk}/approve/").code == "person-needed"
    row.refresh_from_db()
    assert row.state == "requested"


def test_nobody_approves_their_own_request_through_it(cast: Cast) -> None:
    """By booking for its manager, by agreeing to another time, by moving what is approved."""
    account = made(cast, scopes=["read", "book", "manage"])
    lims = token(cast, account, "read", "book", "manage")
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    booking = {
        "instrument": str(asks.pk), "start": "2026-03-10T02:00:00Z", "end": "2026-03-10T04:00:00Z",
        "service_mode": "self", "organisation": "ustc", "purpose": {"code": "research", "text": "x"},
    }  # fmt: skip
    for_sun = lims.post("reservations/", booking | {"on_behalf_of": cast.sun.email})
    assert for_sun.body["state"] == "confirmed", "as a manager's own word would be"
    later = booking | {"start": "2026-03-11T02:00:00Z", "end": "2026-03-11T04:00:00Z"}
    for_zhao = lims.post("reservations/", later | {"on_behalf_of": cast.zhao.email})
    assert for_zhao.body["state"] == "requested"
    row = reserve(cast, "2026-03-12 10:00", "2026-03-12 12:00", instrument=asks, who="zhao")
    assert row.state == "requested"
    proposal = propose(cast, row, "2026-03-12 14:00", "2026-03-12 16:00", who="zhao")
    answer = lims.post(f"proposals/{proposal.pk}/accept/")
    assert answer.code == "person-needed", answer.body
    row.refresh_from_db()
    assert row.state == "requested"
    program = actor_of(User.objects.get(pk=account.user_id))
    assert not is_by_host(program, asks, row)
    assert is_by_host(program, asks, Reservation.objects.get(user=cast.sun)) is False, "which it made"
    assert is_by_host(program, asks, reserve(cast, "2026-03-13 10:00", "2026-03-13 12:00", instrument=asks))


def test_nobody_certifies_or_frees_themselves_through_it(cast: Cast) -> None:
    """Who manages the organisation makes its tokens."""
    account = made(cast)
    by = By(actor_of(User.objects.get(pk=account.user_id)), NOW)
    day = NOW.date()

    def certify(who: User) -> object:
        return qualification_grant(by, user=who, issuer=cast.ustc, instrument=cast.microscope, valid_from=day)

    with pytest.raises(WrongState, match="no-second-manager"):
        certify(cast.zhao)
    certify(cast.wang)
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    with pytest.raises(WrongState, match="own-qualification"):
        certify(cast.zhao)
    terms = BlockTerms("late", day + timedelta(days=30), cast.sun.email)
    blocks = [
        block_make(By(cast.actor("sun"), NOW), host=cast.ustc, user=who, terms=terms)
        for who in (cast.zhao, cast.wang)
    ]
    with pytest.raises(NotPermitted, match="own-block"):
        block_lift(by, block_id=blocks[0].pk, reason="better")
    block_lift(by, block_id=blocks[1].pk, reason="better")


def test_it_is_nobody_among_people(cast: Cast, client: Any) -> None:
    account = made(cast)
    user = User.objects.get(pk=account.user_id)
    assert user not in [member.user for member in members_of(cast.ustc)]
    assert user not in accounts_for(cast.actor("admin"))
    assert no_second("manage-instruments", besides=[cast.zhao.pk], organisation=cast.ustc) is not None
    cast.zhao.is_active = False
    cast.zhao.save()
    assert not has_manager(cast.ustc.pk)
    user.set_password(PASSWORD)
    user.save()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    with pytest.raises(WrongState, match="member-first"):
        role_grant(By(cast.actor("admin"), NOW), user=user, role="manager", organisation=cast.ustc)


def test_a_new_token_takes_the_place_of_an_old_one(cast: Cast, clock: Clock) -> None:
    account = made(cast)
    old = token(cast, account)
    by = By(cast.actor("zhao"), NOW)
    row, secret = accounts.token_rotate(by, token_id=ApiToken.objects.get().pk)
    new = Program(secret)
    assert (row.label, row.scopes) == ("machine", ["read"])
    clock += timedelta(days=6)
    assert (old.get("regions/").status, new.get("regions/").status) == (200, 200)
    clock += timedelta(days=2)
    assert (old.get("regions/").code, new.get("regions/").status) == ("bad-token", 200)
    with pytest.raises(NotFound):
        accounts.token_rotate(
            By(by.actor, clock.now), token_id=ApiToken.objects.get(expires_at__isnull=False).pk
        )


def test_ended_for_good(cast: Cast) -> None:
    account = made(cast)
    lims = token(cast, account)
    by = By(cast.actor("zhao"), NOW)
    accounts.account_end(by, account_id=account.pk)
    assert lims.get("regions/").code == "bad-token"
    with pytest.raises(WrongState):
        accounts.account_confirm(by, account_id=account.pk)
    with pytest.raises(WrongState):
        accounts.token_make(by, account_id=account.pk, label="again", scopes=["read"])
    ApiToken.objects.update(revoked_at=None)
    assert lims.get("regions/").code == "bad-token", "whatever its tokens say"


def test_with_its_organisation(cast: Cast) -> None:
    by = By(cast.actor("admin"), NOW)
    given: dict[str, Any] = {"name": "ERP", "purpose": "Reads", "roles": ["manager"], "scopes": ["read"]}
    account = accounts.account_make(by, organisation_id=cast.optics.pk, **given)
    _, secret = accounts.token_make(by, account_id=account.pk, label="machine", scopes=["read"])
    stays = token(cast, made(cast))
    organisations_merge(by, organisation_id=cast.optics.pk, into=cast.ustc)
    assert Program(secret).get("regions/").code == "bad-token"
    account.refresh_from_db()
    assert account.state == "ended", "it does not manage the other one"
    assert stays.get("regions/").status == 200
    assert TrailEntry.objects.filter(action="serviceaccount.end", object_id=account.pk).exists()


def test_once_a_year_somebody_says_that_it_is_needed(cast: Cast, clock: Clock) -> None:
    account = made(cast)
    lims = token(cast, account)

    def look(days: int) -> str:
        clock.now = NOW + timedelta(days=days)
        accounts.accounts_look(now=clock.now)
        account.refresh_from_db()
        return account.state

    assert [look(day) for day in (364, 365, 400, 424)] == ["active", "asked", "asked", "asked"]
    assert OutboxMessage.objects.filter(kind="program.look").count() == 1
    assert lims.get("regions/").status == 200
    assert look(425) == "stopped"
    assert lims.get("regions/").code == "bad-token"
    assert look(900) == "stopped"
    by = By(cast.actor("zhao"), clock.now)
    accounts.account_confirm(by, account_id=account.pk)
    assert lims.get("regions/").status == 200
    assert look(900 + 364) == "active"


def test_its_managers_are_told(cast: Cast) -> None:
    account = made(cast)
    token(cast, account)
    sent = [mail for mail in mails() if "LIMS" in mail.subject]
    assert {mail.to[0] for mail in sent} == {cast.zhao.email}
    assert len(sent) == 2
    assert all(f"/service-accounts/{account.pk}/" in str(mail.body) for mail in sent)
