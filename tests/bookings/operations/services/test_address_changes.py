"""A change of a person's address that an administrator asks for: proof, stopping and undoing it."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.administration import PROVE_WITHIN, UNDO_WITHIN, AccountRefused, address_answers
from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.letters.administration import address_signed
from accounts.models import AddressChange, Message, TrailEntry, User
from accounts.services.tokens import token_issue
from bookings.operations.services import address_changes as services
from bookings.operations.services.people import person_restore, person_suspend
from bookings.overview.services.effects import effects_carry_out, mails_carry_out
from tests.factories.cast import NOW

WHY = "Left the old institute; called back."
NEW = "wang+lab@new.example.org"


def ask(cast, email=NEW, at=NOW, who="wang", actor="admin"):
    by = By(cast.actor(actor), at)
    return services.address_change_ask(by, user_id=cast.people[who].pk, email=email, reason=WHY)


def mails(at=NOW):
    """What was mailed since the last look, by its reader."""
    mail.outbox.clear()
    effects_carry_out(now=at)
    mails_carry_out(now=at)
    return {sent.to[0]: sent.body for sent in mail.outbox}


def test_a_request_is_held_against_the_rules(cast):
    wang, admin = cast.wang, By(cast.actor("admin"), NOW)
    EmailAddress.objects.create(user=cast.people["chen"], email="chen2@example.org", verified=True)
    for error, code, given_ in (
        (NotPermitted, "", {"actor": "chen"}),
        (Invalid, "", {"email": "wang at example"}),
        (WrongState, "same-address", {"email": wang.email.upper()}),
        (WrongState, "address-in-use", {"email": cast.people["chen"].email.upper()}),
        (WrongState, "address-in-use", {"email": "Chen2@example.org"}),
        (AccountRefused, "own-account", {"who": "admin"}),
        (AccountRefused, "address-privileged", {"who": "auditor"}),
    ):
        with pytest.raises(error, match=code or None):
            ask(cast, **given_)
    person_suspend(admin, user_id=wang.pk, reason=WHY)
    with pytest.raises(WrongState):
        ask(cast)
    person_restore(admin, user_id=wang.pk, reason=WHY)
    assert not AddressChange.objects.exists()
    ask(cast)
    with pytest.raises(WrongState, match="address-asked"):
        ask(cast, "other@example.org")
    services.address_change_withdraw(admin, user_id=wang.pk)
    with pytest.raises(WrongState, match="no-address-asked"):
        services.address_change_withdraw(admin, user_id=wang.pk)
    ask(cast)
    late = ask(cast, at=NOW + PROVE_WITHIN)
    assert AddressChange.objects.get(state="requested") == late, "one that has run out is in nobody's way"


def test_the_new_address_takes_it_on_and_the_old_one_undoes_it(cast, client, monkeypatch):
    wang, old = cast.wang, cast.wang.email
    EmailAddress.objects.create(user=wang, email=old, verified=True, primary=True)
    row = ask(cast)
    told = mails()
    take, stop = (re.search(r"/address/\S+", told[email]).group() for email in (NEW, old))
    assert WHY in told[old] and address_signed(take.split("/")[-2]) == (row.pk, True)
    assert client.get("/address/forged/").status_code == 404
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    assert client.get(take).status_code == 200
    assert User.objects.get(pk=wang.pk).email == old, "opening it alone changes nothing"
    assert client.post(take).status_code == 200
    assert client.post(take).status_code == 409, "it works once"
    assert User.objects.get(pk=wang.pk).email == NEW
    rows = EmailAddress.objects.filter(user=wang).values_list("email", "verified", "primary")
    assert list(rows) == [(NEW, True, True)]
    told = mails()
    assert "/address/" in told[old] and "/address/" not in told[NEW]
    with pytest.raises(WrongState, match="address-recent"):
        ask(cast, "third@example.org")
    # Somebody who has taken over the account adds what they need.
    stolen = EmailAddress.objects.create(user=wang, email="thief@example.org", verified=True)
    token, _ = token_issue(user=wang, label="x", lifetime=timedelta(days=1), now=NOW)
    client.force_login(wang)
    assert client.post(stop).status_code == 200
    assert client.get("/profile/").status_code == 302, "signed out"
    assert client.post(stop).status_code == 409
    wang = User.objects.get(pk=wang.pk)
    token.refresh_from_db()
    assert wang.email == old and not wang.has_usable_password() and token.revoked_at == NOW
    assert not EmailAddress.objects.filter(pk=stolen.pk).exists()
    told = mails()
    assert "password" in told[old]
    assert Message.objects.filter(user=cast.people["admin"], kind="people.address-stopped").exists()
    acts = TrailEntry.objects.filter(object_id=wang.pk, action__startswith="user.address").order_by(
        "at", "id"
    )
    assert list(acts.values_list("action", flat=True)) == [
        "user.address-ask",
        "user.address-take",
        "user.address-undo",
    ]


def test_what_happens_meanwhile_makes_the_link_useless(cast):
    row = ask(cast)
    with pytest.raises(WrongState, match="address-link-over"):
        services.address_change_take(change_id=row.pk, now=NOW + PROVE_WITHIN)
    User.objects.create_user(NEW.upper(), "x")
    with pytest.raises(WrongState, match="address-in-use"):
        services.address_change_take(change_id=row.pk, now=NOW)
    services.address_change_stop(change_id=row.pk, now=NOW)
    with pytest.raises(WrongState, match="address-link-over"):
        services.address_change_take(change_id=row.pk, now=NOW)
    row = ask(cast, "third@example.org")
    User.objects.filter(pk=cast.wang.pk).update(email="self@example.org")
    with pytest.raises(WrongState, match="address-link-over"):
        services.address_change_take(change_id=row.pk, now=NOW)


def test_the_command_does_it_for_administrators_too(cast):
    admin = cast.people["admin"]
    with pytest.raises(CommandError, match="--to"):
        call_command("account", admin.email, "change-address", reason=WHY)
    call_command("account", admin.email, "change-address", reason=WHY, to="boss@example.org")
    row = AddressChange.objects.get(user=admin)
    services.address_change_take(change_id=row.pk, now=row.created_at)
    assert User.objects.get(pk=admin.pk).email == "boss@example.org"


@given(st.sampled_from(AddressChange.State.values), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_the_old_address_answers_only_in_time(state, age):
    answer = address_answers(state=state, expires_at=NOW + PROVE_WITHIN, decided_at=NOW, now=NOW + age)
    assert (answer == "stop") == (state == "requested" and age < PROVE_WITHIN)
    assert (answer == "undo") == (state == "taken" and age < UNDO_WITHIN)
