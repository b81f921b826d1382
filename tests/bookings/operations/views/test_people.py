"""People's accounts: what administrators are shown, what they can do, and that it is told and recorded."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache
from django.middleware.csrf import get_token
from django.test import Client
from django.utils import timezone

from accounts.domain.administration import HELD_FOR, AccountRefused
from accounts.domain.errors import Invalid, NotPermitted, TooOften, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import (
    ApiToken,
    Membership,
    Message,
    MessageSettings,
    RoleGrant,
    TrailEntry,
    User,
    Viewing,
)
from accounts.selectors.administration import accounts_for, accounts_in, marked
from accounts.selectors.waits import kinds as kinds_of_waiting
from accounts.selectors.waits import load_waiting
from accounts.services.memberships import role_grant_to_new
from accounts.services.tokens import token_issue
from accounts.services.users import sign_in_blocked, sign_in_changed
from bookings.messaging.services.feeds import feed_make
from bookings.operations.services import people as services
from bookings.overview.services.effects import effects_carry_out, mails_carry_out
from tests.factories.cast import NOW

WHY = "Asked by telephone, called back."


def second(cast, name="second", since=NOW - HELD_FOR):
    """Another administrator."""
    user = User.objects.create_user(f"{name}@example.org", "x", name=f"{name.title()} Admin")
    RoleGrant.objects.create(user=user, role="administrator", granted_at=since, granted_by=user)
    cast.people[name] = user
    return By(cast.actor(name), NOW)


def deliver(now):
    effects_carry_out(now=now)
    mails_carry_out(now=now)


def acts_on(user):
    return list(
        TrailEntry.objects.filter(object_id=user.pk, action__startswith="user.").values_list(
            "action", flat=True
        )
    )


def test_the_page_shows_the_account_and_only_administrators_open_it(cast, client):
    wang = cast.wang
    client.force_login(cast.people["chen"])
    assert client.get(f"/operations/people/{wang.pk}/").status_code == 403
    client.force_login(cast.people["admin"])
    found = client.get("/operations/people/", {"q": wang.email}).content.decode()
    assert f"/operations/people/{wang.pk}/" in found
    TOTP.activate(wang, "A" * 32)
    token_issue(user=wang, label="x", lifetime=timedelta(days=1), now=timezone.now())
    sign_in_changed(user=wang, action="user.factor-add", now=NOW, after={"type": "totp"})
    page = client.get(f"/operations/people/{wang.pk}/").content.decode()
    asked = re.findall(r'data-confirm="([^"]+)"', page)
    assert wang.email in page and len(asked) == len(set(asked)) == 2, "each act asks its own question"
    assert f"Second factor turned on: {Authenticator.Type.TOTP.label}" in page
    posted = client.post(f"/operations/people/{wang.pk}/suspend/", {"reason": WHY})
    assert "/reauthenticate/" in posted["Location"], "a stolen session is not enough"
    assert User.objects.get(pk=wang.pk).is_active


def test_suspended_and_brought_back(cast):
    wang, admin = cast.wang, By(cast.actor("admin"), NOW)
    token_issue(user=wang, label="x", lifetime=timedelta(days=1), now=NOW)
    with pytest.raises(Invalid):
        services.person_suspend(admin, user_id=wang.pk, reason=" ")
    with pytest.raises(NotPermitted):
        services.person_suspend(By(cast.actor("chen"), NOW), user_id=wang.pk, reason=WHY)
    with pytest.raises(AccountRefused, match="own-account"):
        services.person_suspend(admin, user_id=cast.people["admin"].pk, reason=WHY)
    services.person_suspend(admin, user_id=wang.pk, reason=WHY)
    with pytest.raises(WrongState):
        services.person_suspend(admin, user_id=wang.pk, reason=WHY)
    assert not User.objects.get(pk=wang.pk).is_active
    assert ApiToken.objects.get(user=wang).revoked_at is None, "it works again when the account does"
    services.person_restore(admin, user_id=wang.pk, reason=WHY)
    assert sorted(acts_on(wang))[:2] == ["user.restore", "user.suspend"]
    deliver(NOW)
    assert WHY in Message.objects.get(user=wang, kind="people.restored").text


def test_a_token_changes_nobodys_account(cast, client):
    admin = cast.people["admin"]
    _, secret = token_issue(user=admin, label="x", lifetime=timedelta(days=1), now=timezone.now())
    sent = {"headers": {"authorization": f"Bearer {secret}"}, "content_type": "application/json"}
    assert client.get(f"/api/v1/operations/people/{cast.wang.pk}/", **sent).status_code == 200
    refused = client.post(f"/api/v1/operations/people/{cast.wang.pk}/suspend/", {"reason": WHY}, **sent)
    assert refused.status_code == 403 and refused.json()["code"] == "session-needed"
    assert User.objects.get(pk=cast.wang.pk).is_active


@pytest.mark.parametrize("act", [services.sign_in_unlock, services.password_link_send])
def test_five_times_a_day_are_enough(cast, act):
    for hour in range(5):
        by = By(cast.actor("admin"), NOW + timedelta(hours=hour))
        act(by, user_id=cast.wang.pk, reason=WHY)
    with pytest.raises(TooOften, match="too-often-today"):
        act(By(second(cast).actor, NOW + timedelta(hours=23)), user_id=cast.wang.pk, reason=WHY)
    act(By(cast.actor("admin"), NOW + timedelta(hours=23)), user_id=cast.people["chen"].pk, reason=WHY)
    act(By(cast.actor("admin"), NOW + timedelta(hours=24)), user_id=cast.wang.pk, reason=WHY)


def test_the_list_marks_and_finds_who_is_locked_out_or_suspended(cast, client):
    wang, zhao, admin = cast.wang, cast.people["zhao"], cast.people["admin"]
    sign_in_blocked(user=wang, now=timezone.now() - timedelta(minutes=1))
    services.person_suspend(By(cast.actor("admin"), timezone.now()), user_id=zhao.pk, reason=WHY)
    client.force_login(admin)
    for state, found in (("locked", wang), ("suspended", zhao)):
        page = client.get("/operations/people/", {"state": state})
        assert page.context["rows"] == [found], state
        rows = client.get("/api/v1/operations/people/", {"state": state}).json()["results"]
        assert [(row["id"], row["locked"]) for row in rows] == [(str(found.pk), state == "locked")]
    assert client.get("/api/v1/operations/people/", {"state": "odd"}).status_code == 400
    services.sign_in_unlock(By(cast.actor("admin"), timezone.now()), user_id=wang.pk, reason=WHY)
    assert not accounts_in(accounts_for(cast.actor("admin")), "locked", timezone.now())


def test_the_last_administrator_is_not_suspended(cast):
    other = second(cast)
    admin = cast.people["admin"]
    User.objects.filter(pk=other.actor.person).update(is_active=False)
    with pytest.raises(WrongState, match="last-administrator"):
        services.person_suspend(other, user_id=admin.pk, reason=WHY)


def test_two_administrators_reset_a_second_factor(cast):
    zhao, admin = cast.people["zhao"], By(cast.actor("admin"), NOW)
    with pytest.raises(WrongState, match="no-factor"):
        services.factor_reset_ask(admin, user_id=zhao.pk, reason=WHY)
    TOTP.activate(zhao, "A" * 32)
    with pytest.raises(WrongState, match="no-second-administrator"):
        services.factor_reset_ask(admin, user_id=zhao.pk, reason=WHY)
    other = second(cast)
    services.factor_reset_ask(admin, user_id=zhao.pk, reason=WHY)
    with pytest.raises(WrongState, match="reset-asked"):
        services.factor_reset_ask(other, user_id=zhao.pk, reason=WHY)
    with pytest.raises(AccountRefused, match="own-reset"):
        services.factor_reset_confirm(admin, user_id=zhao.pk)
    with pytest.raises(WrongState, match="request-expired"):
        services.factor_reset_confirm(By(other.actor, NOW + timedelta(days=1)), user_id=zhao.pk)
    deliver(NOW)
    assert Message.objects.filter(user=other.actor.person, kind="people.factor-to-confirm").exists()
    token, _ = token_issue(user=zhao, label="x", lifetime=timedelta(days=1), now=NOW)
    feed = feed_make(By(cast.actor("zhao"), NOW), instrument_id=None)
    for name, count in (("second", 1), ("admin", 0)):
        kinds = {"factor-resets": kinds_of_waiting()["factor-resets"]}.values()
        assert sum(one.number for one in load_waiting(cast.actor(name), NOW, kinds)) == count
    assert [one.pk for one in accounts_in(accounts_for(admin.actor), "reset", NOW)] == [zhao.pk]
    assert [one.reset_asked for one in marked([zhao, cast.wang], NOW)] == [True, False]
    services.factor_reset_confirm(other, user_id=zhao.pk)
    assert not zhao.authenticator_set.exists()
    token.refresh_from_db()
    feed.refresh_from_db()
    assert token.revoked_at == feed.revoked_at == NOW, "whoever had the factor could have made them"
    with pytest.raises(WrongState, match="no-reset-asked"):
        services.factor_reset_confirm(other, user_id=zhao.pk)
    assert set(acts_on(zhao)) == {"user.factor-reset-ask", "user.factor-reset"}


def test_one_administrator_does_not_make_the_other_one(cast):
    zhao, admin = cast.people["zhao"], By(cast.actor("admin"), NOW)
    TOTP.activate(zhao, "A" * 32)
    mine = role_grant_to_new(admin, email="mine@example.org", role="administrator", region=None).user
    User.objects.filter(pk=mine.pk).update(is_active=True)
    cast.people["mine"] = mine
    with pytest.raises(WrongState, match="no-second-administrator"):
        services.factor_reset_ask(admin, user_id=zhao.pk, reason=WHY)
    other = second(cast)
    services.factor_reset_ask(admin, user_id=zhao.pk, reason=WHY)
    with pytest.raises(AccountRefused, match="new-administrator"):
        services.factor_reset_confirm(By(cast.actor("mine"), NOW), user_id=zhao.pk)
    assert zhao.authenticator_set.exists()
    deliver(NOW)
    told = Message.objects.filter(kind="people.new-administrator", text__contains="mine@example.org")
    assert {cast.people["admin"].pk, other.actor.person} == set(told.values_list("user", flat=True))


def test_nothing_is_confirmed_for_an_administrator_who_has_gone(cast):
    zhao, admin = cast.people["zhao"], By(cast.actor("admin"), NOW)
    TOTP.activate(zhao, "A" * 32)
    other, third = second(cast), second(cast, "third")
    services.factor_reset_ask(other, user_id=zhao.pk, reason=WHY)
    services.person_suspend(admin, user_id=other.actor.person, reason=WHY)
    with pytest.raises(WrongState, match="no-reset-asked"):
        services.factor_reset_confirm(third, user_id=zhao.pk)
    services.person_restore(admin, user_id=other.actor.person, reason=WHY)
    services.factor_reset_ask(other, user_id=zhao.pk, reason=WHY)
    RoleGrant.objects.filter(user=other.actor.person).update(revoked_at=NOW)
    with pytest.raises(WrongState, match="asker-gone"):
        services.factor_reset_confirm(third, user_id=zhao.pk)
    assert zhao.authenticator_set.exists()


def test_one_administrator_resets_it_with_a_recovery_code(cast):
    zhao, admin = cast.people["zhao"], By(cast.actor("admin"), NOW)
    cache.clear()
    TOTP.activate(zhao, "A" * 32)
    code = RecoveryCodes.activate(zhao).get_unused_codes()[0]
    for _ in range(4):
        with pytest.raises(Invalid):
            services.factor_reset_by_code(admin, user_id=zhao.pk, code="00000000x", reason=WHY)
    services.factor_reset_by_code(admin, user_id=zhao.pk, code=code, reason=WHY)
    assert not zhao.authenticator_set.exists()
    TOTP.activate(zhao, "A" * 32)
    code = RecoveryCodes.activate(zhao).get_unused_codes()[0]
    for _ in range(5):
        with pytest.raises(Invalid):
            services.factor_reset_by_code(admin, user_id=zhao.pk, code="00000000x", reason=WHY)
    with pytest.raises(TooOften):
        services.factor_reset_by_code(admin, user_id=zhao.pk, code=code, reason=WHY)
    services.factor_reset_here(By(PLATFORM, NOW), user_id=zhao.pk, reason=WHY)
    assert not zhao.authenticator_set.exists()


def test_a_mail_is_sent_again_once_it_does_not_wait(cast, mailoutbox):
    wang, admin = cast.wang, By(cast.actor("admin"), NOW)
    services.sign_in_unlock(admin, user_id=wang.pk, reason=WHY)
    deliver(NOW)
    message = Message.objects.get(user=wang, kind="people.unlocked")
    sent = len([mail for mail in mailoutbox if mail.to == [wang.email]])
    services.message_resend(admin, user_id=wang.pk, message_id=message.pk, reason=WHY)
    with pytest.raises(WrongState, match="mail-waits"):
        services.message_resend(admin, user_id=wang.pk, message_id=message.pk, reason=WHY)
    deliver(NOW)
    assert len([mail for mail in mailoutbox if mail.to == [wang.email]]) == sent + 1


def looks_as(cast, client, user):
    """Let the administrator's browser look at pages as somebody."""
    client.force_login(cast.people["admin"])
    viewing = services.look_begin(By(cast.actor("admin"), timezone.now()), user_id=user.pk, reason=WHY)
    session = client.session
    session["looking_as"] = str(viewing.pk)
    session.save()
    return viewing


def test_a_page_that_writes_is_refused_while_looking(cast, client, monkeypatch):
    def writes(actor, **given):
        User.objects.filter(pk=cast.wang.pk).update(name="Written")

    looks_as(cast, client, cast.wang)
    for where, path in (
        ("accounts.api.messages.inbox_of", "/api/v1/messages/"),
        ("accounts.views.messages.inbox_of", "/messages/"),
    ):
        monkeypatch.setattr(where, writes)
        answer = client.get(path)
        assert answer.status_code == 403 and "looking at pages" in answer.content.decode(), path
    assert User.objects.get(pk=cast.wang.pk).name != "Written"


def test_forms_of_looking_do_nothing_when_it_is_over(cast):
    client = Client(enforce_csrf_checks=True)
    stop, unread = "/operations/look/stop/", "/messages/read/"

    def sent(path):
        return client.post(path, {"csrfmiddlewaretoken": token})

    viewing = looks_as(cast, client, cast.wang)
    token = get_token(client.get("/bookings/").wsgi_request)
    Viewing.objects.filter(pk=viewing.pk).update(expires_at=timezone.now())
    over = sent(unread)
    assert over.status_code == 403 and "done as yourself" in over.content.decode()
    assert sent(unread).status_code == 403, "a form of another tab"
    looks_as(cast, client, cast.wang)
    token = get_token(client.get("/bookings/").wsgi_request)
    assert sent(stop).status_code == 302
    assert sent(unread).status_code == 403, "it was opened while looking"
    token = get_token(client.get("/operations/people/").wsgi_request)
    assert sent(unread).status_code == 302


def test_signing_out_ends_looking(cast, client):
    viewing = looks_as(cast, client, cast.wang)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert "_auth_user_id" not in client.session and "looking_as" not in client.session
    viewing.refresh_from_db()
    assert viewing.ended_at and "user.look-end" in acts_on(cast.wang)


def test_what_may_be_a_thief_is_told_in_quiet_hours_too(cast):
    wang, admin = cast.wang, By(cast.actor("admin"), NOW)
    hour = NOW.astimezone(ZoneInfo(wang.time_zone)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    quiet = {
        "quiet_from": (hour - timedelta(hours=1)).time(),
        "quiet_until": (hour + timedelta(hours=8)).time(),
    }
    MessageSettings.objects.create(user=wang, **quiet)
    services.sessions_end(admin, user_id=wang.pk, reason=WHY)
    services.sign_in_unlock(admin, user_id=wang.pk, reason=WHY)
    effects_carry_out(now=NOW)
    due = dict(Message.objects.filter(user=wang).values_list("kind", "mail_due_at"))
    assert due["people.sessions-ended"] == NOW < due["people.unlocked"]


def test_looking_begins_under_a_new_key_that_no_process_has_an_old_copy_of(cast, client, monkeypatch):
    monkeypatch.setattr(
        "accounts.adapters.allauth.AccountAdapter.is_reauthentication_required", lambda *a, **k: False
    )
    wang, admin = cast.wang, cast.people["admin"]
    client.force_login(admin)
    before = client.session.session_key
    UserSession.objects.update_or_create(
        session_key=before, defaults={"user": admin, "ip": "192.0.2.1", "user_agent": "x"}
    )
    client.post(f"/operations/people/{wang.pk}/look/", {"reason": WHY})
    after = client.session.session_key
    assert after != before and UserSession.objects.get(user=admin).session_key == after
    assert client.get("/bookings/").wsgi_request.user == wang
    stale = Client()
    stale.cookies[settings.SESSION_COOKIE_NAME] = before
    assert stale.get("/bookings/").wsgi_request.user != admin


def test_looking_as_somebody_changes_nothing_and_is_told(cast, client):
    wang, admin = cast.wang, cast.people["admin"]
    Message.objects.create(
        user=wang, topic="account", kind="x", language="en", subject="Unread", text="x",
        link="/bookings/", created_at=NOW, mail="off",
    )  # fmt: skip
    client.force_login(admin)
    with pytest.raises(AccountRefused, match="look-privileged"):
        services.look_begin(By(cast.actor("admin"), NOW), user_id=second(cast).actor.person, reason=WHY)
    viewing = services.look_begin(By(cast.actor("admin"), timezone.now()), user_id=wang.pk, reason=WHY)
    session = client.session
    session["looking_as"] = str(viewing.pk)
    session.save()
    page = client.get("/bookings/")
    assert page.status_code == 200 and page.wsgi_request.user == wang
    assert "/operations/look/stop/" in page.content.decode()
    assert Message.objects.get(subject="Unread").read_at is None
    assert client.get("/operations/people/").status_code == 403
    for path in (
        "/profile/",
        "/accounts/2fa/",
        "/api/v1/tokens/",
        "/oauth/authorize/",
        "/bookings/?format=csv",
    ):
        assert client.get(path).status_code == 403, path
    refused = client.post("/messages/read/")
    assert refused.status_code == 403 and "roles" not in refused.content.decode().lower().split("<main")[1]
    assert client.post("/api/v1/messages/read/", {}).status_code == 403
    assert client.post("/operations/look/stop/")["Location"] == f"/operations/people/{wang.pk}/"
    assert client.get("/operations/people/").status_code == 200
    assert acts_on(wang)[-2:] == ["user.look", "user.look-end"]
    deliver(timezone.now())
    told = Message.objects.get(user=wang, kind="people.looked-at").text
    at = viewing.created_at.astimezone(ZoneInfo(wang.time_zone))
    assert WHY in told and re.search(rf"from \w+ {at:%-d %b %H:%M} until .* \(\w+ time\)", told), told
    assert Viewing.objects.get().ended_at
    assert Membership.objects.filter(user=wang).exists()
