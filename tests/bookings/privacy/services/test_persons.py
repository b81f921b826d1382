"""Somebody takes their data along, and is forgotten."""

import hashlib
import json
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client, TestCase

from accounts import trail
from accounts.areas import EMPTIED, KEPT, areas
from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import ApiToken, Invitation, OutboxMessage, TrailEntry, TrailText, User
from accounts.permissions import actor_of
from accounts.selectors.verification import trail_verify
from accounts.services.invitations import invitation_send
from accounts.services.joining import join_ask
from accounts.services.memberships import membership_start, role_grant
from accounts.services.tokens import token_issue
from bookings import models
from bookings.audit.adapters.archive import archive_write
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.disputes import dispute_open, dispute_reject
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.selectors.persons import load_obstacles, load_person
from bookings.privacy.services.persons import person_close, person_export
from bookings.reserving.services.reservations import reservation_cancel
from instruments.exchange.models import Harvest, Import
from instruments.policy.models import PolicyVersion
from instruments.rates.models import RateCard
from tests.factories.api import Program
from tests.factories.cast import NOW, PASSWORD, person, reserve
from tests.factories.charges import use
from tests.factories.kept_hours import grant as keep
from tests.factories.needs import need_of
from tests.factories.waiting import narrow, wait

LATER = NOW + timedelta(days=8)  # what was charged is final
SOON = LATER + timedelta(minutes=2)
SAYS = "Wang Li’s ferritin; write to Wang@fudan.example. Not Wang Lihua, nor x.wang@fudan.example"

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(shared_cast):
    """Wang Li has done much, and is written about."""
    cast = shared_cast
    wang = User.objects.get(pk=cast.wang.pk)
    EmailAddress.objects.create(user=wang, email=wang.email, verified=True, primary=True)
    EmailAddress.objects.create(user=wang, email="li@home.example", verified=False)
    Authenticator.objects.create(user=wang, type="totp", data={})
    SocialAccount.objects.create(user=wang, provider="orcid", uid="0000-0001", extra_data={"name": "Wang Li"})
    token_issue(user=wang, label="Wang Li’s laptop", lifetime=timedelta(days=30), now=NOW)
    invitation_send(By(cast.actor("zhao"), NOW), organisation=cast.ustc, email="li@home.example", roles=[])
    join_ask(By(actor_of(wang), NOW), organisation=cast.optics, text="I am Wang Li")
    use(cast, "2026-03-03 10:00", "2026-03-03 12:00", purpose_text=SAYS)
    models.UsageSession.objects.update(remarks="Wang Li: 束流不稳，请找wang@fudan.example，王莉")
    cancelled = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    reservation_cancel(By(cast.actor("zhao"), NOW), reservation_id=cancelled.pk, reason="asked by Wang Li")
    disputed = models.Charge.objects.get(kind="use")
    dispute_open(By(cast.actor("wang"), NOW), charge_id=disputed.pk, reason="I, Wang Li")
    dispute_reject(By(cast.actor("zhao"), NOW), charge_id=disputed.pk, answer="No, Wang Li")
    effects_carry_out(now=NOW)
    charges_finalise(now=LATER)
    cast.facility.contact_email, cast.facility.contact_name = wang.email, "Wang Li"
    cast.facility.save()
    return cast


@pytest.fixture
def wang(cast):
    return User.objects.get(pk=cast.wang.pk)


def found_anywhere(*words):
    """(table, column) of every text in the database that has one of the words."""
    hits = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema ="
            " 'public' AND (data_type IN ('text', 'character varying', 'json', 'jsonb')"
            " OR (data_type = 'ARRAY' AND udt_name IN ('_text', '_varchar')))"
        )
        for table, column in cursor.fetchall():
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{word}%"]
                )
                if cursor.fetchone()[0]:
                    hits.append((table, column, word))
    return hits


def digests():
    """Of every entry by its id, after checking each against what is stored."""
    found = {}
    for entry in TrailEntry.objects.all():
        assert hashlib.sha256(trail.canonical(entry)).digest() == bytes(entry.digest)
        found[entry.pk] = bytes(entry.digest)
    return found


def money():
    charges = models.Charge.objects.order_by("pk").values()
    return list(charges), list(models.Posting.objects.order_by("pk").values())


def test_somebody_is_forgotten(cast, wang, settings):
    narrow_one = narrow(cast)
    reserve(cast, "2026-03-20 10:00", "2026-03-20 12:00", who="sun", instrument=narrow_one)
    wait(cast, narrow_one, earliest="2026-03-20 08:00", latest="2026-03-20 20:00", now=LATER)
    ahead = reserve(cast, "2026-03-20 14:00", "2026-03-20 15:00", now=LATER)
    browser = Client()
    browser.force_login(wang)
    key = browser.session.session_key
    UserSession.objects.create(
        user=wang, ip="192.0.2.7", session_key=key, last_seen_at=NOW, data={}, user_agent="x"
    )
    trail_before, money_before = digests(), money()
    assert money_before[0] and ("accounts_trailtext", "content", "Wang Li") in found_anywhere("Wang Li")

    assert person_close(user=wang, now=LATER) == 1
    ahead.refresh_from_db()
    assert ahead.state == "cancelled" and models.WaitingWish.objects.get().state == "withdrawn"
    wang = User.objects.get(pk=wang.pk)
    assert not wang.is_active and not wang.has_usable_password() and wang.name == "Wang Li"
    for rows in (ApiToken, Authenticator, SocialAccount, UserSession):
        assert not rows.objects.filter(user=wang).exists()
    assert not wang.memberships.filter(ended_at=None).exists()
    assert not wang.role_grants.filter(revoked_at=None).exists()
    ended = {"invitation.withdraw", "joinrequest.withdraw", "membership.end", "role.revoke"}
    assert ended <= set(TrailEntry.objects.values_list("action", flat=True))
    assert not browser.session.__class__(key).exists(key)

    effects_carry_out(now=LATER)
    told = [letter for letter in mail.outbox if wang.email in letter.to]
    assert "Your account is closed" in [letter.subject for letter in told]
    effects_carry_out(now=SOON)
    wang.refresh_from_db()
    number = wang.pk.hex[-8:]
    assert wang.erased_at == SOON and str(wang) == f"Former user {number}"
    assert found_anywhere("Wang Li’s", "I am Wang", ", Wang Li", "li@home", "王莉，") == []
    assert found_anywhere("0000-0001", "192.0.2.7") == []
    # Others, of whose name or address theirs is a part, stay.
    used = models.Reservation.objects.get(state="completed")
    assert used.purpose_text == (
        f"Former user {number}’s ferritin; write to {wang.pk.hex}@erased.invalid."
        " Not Wang Lihua, nor x.wang@fudan.example"
    )
    assert used.session.remarks.startswith(f"Former user {number}: 束流不稳，请找{wang.pk.hex}@")
    cast.facility.refresh_from_db()
    assert (cast.facility.contact_email, cast.facility.contact_name) == ("", "")
    models.Reservation.objects.filter(pk=used.pk).update(purpose_text="")
    assert found_anywhere("Wang Li", "wang@fudan") == []

    after = digests()
    assert trail_before.items() <= after.items()
    # Every reason that is gone is named by the erasure.
    erasure = TrailEntry.objects.get(action="user.erase")
    verified = trail_verify()
    assert verified.problems == []
    assert verified.forgotten == erasure.after["reasons"] == len(erasure.after["texts"]) > 0
    assert money() == money_before
    assert not OutboxMessage.objects.filter(outcome="failed").exists()
    # What comes to them later goes nowhere, and nothing is done twice.
    sent = len(mail.outbox)
    OutboxMessage.objects.filter(kind="mail.cancelled").update(done_at=None)
    OutboxMessage.objects.filter(kind="person.forget").update(done_at=None)
    effects_carry_out(now=SOON)
    assert len(mail.outbox) == sent
    with pytest.raises(NotPermitted):
        person_close(user=User.objects.get(pk=wang.pk), now=SOON)


def test_of_two_of_one_name_one_is_forgotten(cast, wang):
    namesake = person("Wang Li", "wangli@optics.example")
    other = reserve(cast, "2026-03-23 10:00", "2026-03-23 11:00", who="sun", purpose_text=SAYS)
    person_close(user=wang, now=LATER)
    effects_carry_out(now=SOON)
    namesake.refresh_from_db()
    other.refresh_from_db()
    assert namesake.name == "Wang Li"
    assert other.purpose_text.startswith("Wang Li’s ferritin; write to ")
    assert "to Wang@" not in other.purpose_text
    used = models.Reservation.objects.get(state="completed")
    assert "Wang Li’s" not in used.purpose_text


def forget(user):
    person_close(user=user, now=LATER)
    effects_carry_out(now=SOON)
    assert User.objects.get(pk=user.pk).erased_at == SOON


@pytest.mark.parametrize("name", ["Centre", "USTC", "理化中心", "electron microscopy"])
def test_who_calls_themselves_like_a_thing_renames_nothing(cast, wang, name):
    User.objects.filter(pk=wang.pk).update(name=name)
    cast.facility.address = f"{name}, Hefei"
    cast.facility.save()
    forget(User.objects.get(pk=wang.pk))
    before = found_anywhere(name)
    assert before
    cast.facility.refresh_from_db()
    assert cast.facility.address == f"{name}, Hefei"
    assert (cast.facility.name, cast.ustc.name) == ("Instruments Centre", "USTC")


@pytest.mark.parametrize("name", ["currency", "false", '": {}, "', "Approval"])
def test_who_calls_themselves_like_a_part_of_json_breaks_none(cast, wang, name):
    User.objects.filter(pk=wang.pk).update(name=name)
    kept = [(RateCard, "card"), (PolicyVersion, "policy")]
    before = [list(model.objects.order_by("pk").values_list(column, flat=True)) for model, column in kept]
    assert "currency" in before[0][0] and "approval" in before[1][0]
    forget(User.objects.get(pk=wang.pk))
    assert before == [
        list(model.objects.order_by("pk").values_list(column, flat=True)) for model, column in kept
    ]


def test_a_stranger_replaces_no_words_of_others(cast):
    stranger = person("Hefei", "stranger@home.example")
    cast.facility.address = "1 Road, Hefei"
    cast.facility.save()
    forget(stranger)
    cast.facility.refresh_from_db()
    assert cast.facility.address == "1 Road, Hefei"


def test_an_address_that_somebody_only_claims_stays_its_owners(cast, wang):
    cast.facility.contact_email = cast.zhao.email
    cast.facility.save()
    need = Invitation.objects.create(
        organisation=cast.ustc, email=cast.zhao.email, roles=["researcher"], digest=b"0" * 32,
        invited_by=cast.sun, created_at=NOW, expires_at=NOW + timedelta(days=9),
    )  # fmt: skip
    TrailText.objects.create(pk=TrailEntry.objects.first().pk, content={"reason": f"ask {cast.zhao.email}"})
    EmailAddress.objects.create(user=wang, email=cast.zhao.email, verified=False)
    forget(wang)
    cast.facility.refresh_from_db()
    need.refresh_from_db()
    assert cast.facility.contact_email == cast.zhao.email
    assert need.withdrawn_at is None and need.email == cast.zhao.email
    assert TrailText.objects.filter(content__reason=f"ask {cast.zhao.email}").exists()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("in use", "booking-under-way"),
        ("charged", "charges-not-final"),
        ("manager", "last-manager"),
        ("administrator", "last-administrator"),
    ],
)
def test_what_stands_in_the_way(cast, wang, case, code):
    user, now = wang, LATER
    match case:
        case "in use":
            reserve(cast, "2026-03-13 11:00", "2026-03-13 13:00", now=LATER - timedelta(days=1))
        case "charged":
            now = NOW
            use(cast, "2026-03-04 10:00", "2026-03-04 12:00")
        case "manager":
            user = cast.chen
        case "administrator":
            user = cast.admin
    assert [found.code for found in load_obstacles(user, now)] == [code]
    before = (TrailEntry.objects.count(), OutboxMessage.objects.count())
    with pytest.raises(WrongState) as refused:
        person_close(user=User.objects.get(pk=user.pk), now=now)
    assert refused.value.code == code
    user.refresh_from_db()
    assert user.is_active and user.memberships.filter(ended_at=None).count() == (case != "administrator")
    assert (TrailEntry.objects.count(), OutboxMessage.objects.count()) == before


def test_another_manager_lets_one_go(cast):
    membership_start(By(PLATFORM, NOW), user=cast.alice, organisation=cast.fudan)
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="manager", organisation=cast.fudan)
    assert load_obstacles(cast.chen, LATER) == []
    assert person_close(user=User.objects.get(pk=cast.chen.pk), now=LATER) == 0


def test_everything_about_oneself_and_nothing_of_others(cast, wang):
    reserve(cast, "2026-03-20 10:00", "2026-03-20 12:00", who="sun", purpose_text="of Sun Tao")
    out = BytesIO()
    archive_write(out, person_export(user=wang, now=NOW), email=wang.email, now=NOW)
    archive = ZipFile(out)
    data = json.loads(archive.read("data.json"))
    assert data["profile"][0]["email"] == wang.email
    assert {row["email"] for row in data["addresses"]} == {wang.email, "li@home.example"}
    assert [row["organisation"] for row in data["memberships"]] == ["fudan"]
    assert [row["state"] for row in data["bookings"]] == ["completed", "cancelled"]
    charge = models.Charge.objects.get(kind="use")
    assert [(row["total"], row["currency"]) for row in data["charges"]] == [(str(charge.total), "CNY")]
    assert data["sessions"] and data["messages"] and data["disputes"][0]["reason"] == "I, Wang Li"
    acts = {row["action"] for row in data["trail"]}
    assert {"charge.dispute", "token.issue", "joinrequest.create"} <= acts
    assert "of Sun Tao" not in json.dumps(data) and "digest" not in json.dumps(data["tokens"])
    rows = archive.read("bookings.csv").decode("utf-8-sig").splitlines()
    assert len(rows) == 3 and rows[0].startswith("id,unit,start_at")
    assert TrailEntry.objects.filter(action="user.export", actor_id=wang.pk).count() == 1


def test_what_somebody_planned_asked_for_and_read_is_theirs(cast, wang):
    """Exported; then what is theirs alone goes, with its files."""
    booked = models.Reservation.objects.filter(user=wang).first()
    same = {"user": wang, "organisation": booked.organisation}
    models.Series.objects.create(
        **same, instrument=booked.instrument, made_by=wang, rule="FREQ=WEEKLY", time_zone="UTC",
        starts_at=NOW, minutes=60, created_at=NOW,
    )  # fmt: skip
    models.Chain.objects.create(**same, created_at=NOW)
    thread = models.Thread.objects.create(reservation=booked, created_at=NOW)
    models.ThreadRead.objects.create(thread=thread, user=wang, read_at=NOW)
    kept = default_storage.save("exports/of-wang.csv", ContentFile(b"x"))
    done = {"user": wang, "state": "done", "file": kept, "created_at": NOW}
    models.HoursExport.objects.create(**done, table="days", format="csv", asked={})
    models.TrailBundle.objects.create(user=wang, created_at=NOW)
    shared = need_of(cast, who="sun")
    shared.readers.add(wang)
    imported = {"file_name": "register.csv", "size": 1, "sha256": "a" * 64, "format": "table"}
    Import.objects.create(**same, **imported, created_at=NOW)
    Harvest.objects.create(
        **same, name="Register", address="https://lab.example/list.csv", format="table",
        rhythm="daily", hour=1, created_at=NOW,
    )  # fmt: skip
    tables = (
        *("series", "chains", "conversations_read", "files_of_hours", "files_of_the_trail"),
        *("needs_shared", "register_imports", "register_harvests"),
    )
    data = load_person(wang)
    assert {name: len(data[name]) for name in tables} == dict.fromkeys(tables, 1)
    assert not any(load_person(cast.people["sun"])[name] for name in tables)

    with TestCase.captureOnCommitCallbacks(execute=True):
        person_close(user=wang, now=LATER)
    effects_carry_out(now=LATER)
    effects_carry_out(now=SOON)
    assert User.objects.get(pk=wang.pk).erased_at == SOON
    assert not default_storage.exists(kept)
    left = set()
    for table in (table for area in areas() for table in area.personal):
        for key, erasure in table.keys.items():
            name = f"{table.model._meta.label}.{key}"
            if table.model._default_manager.filter(**{key: wang}).exists():
                left.add(name)
            assert erasure in {EMPTIED, KEPT} or name not in left, name
    assert {"bookings.Series.user", "bookings.Chain.user", "instruments.Import.user"} <= left


def test_what_one_has_kept_for_others_is_ones_own_act(cast):
    keep(cast)
    (row,) = load_person(cast.zhao)["kept_hours_granted"]
    assert (row["holder"], row["minutes"], row["reason"]) == ("fudan", 480, "Agreed in writing")
    assert load_person(cast.wang)["kept_hours_granted"] == []


def test_the_page_asks_who_one_is_and_for_the_address(cast, wang):
    browser = Client()
    browser.force_login(wang)
    assert browser.get("/profile/close/")["Location"].startswith("/accounts/2fa/reauthenticate/")
    browser = Client()
    Authenticator.objects.filter(user=wang).delete()
    browser.post("/accounts/login/", {"login": wang.email, "password": PASSWORD})
    wrong = browser.post("/profile/close/", {"confirmed": "chen@fudan.example"})
    assert wrong.status_code == 400 and "not the address" in wrong.content.decode()
    assert User.objects.get(pk=wang.pk).is_active
    saved = browser.post("/profile/data/export/")
    assert b"".join(saved.streaming_content)[:2] == b"PK"
    done = browser.post("/profile/close/", {"confirmed": "WANG@fudan.example "})
    assert done.status_code == 302 and done["Location"] == "/closed/"
    assert not User.objects.get(pk=wang.pk).is_active
    assert "_auth_user_id" not in browser.session


def test_a_program_takes_the_data_along_and_asks_what_closing_comes_to(cast, wang, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    ahead = reserve(cast, "2026-03-20 14:00", "2026-03-20 15:00", now=LATER)
    _, token = token_issue(user=wang, label="x", lifetime=timedelta(days=30), now=LATER, scopes=["read"])
    program = Program(token)
    saved = program.post("me/export/", {})
    assert saved.status == 200 and saved.body[:2] == b"PK"
    assert program.post("me/export/", {"all": 1}).problems == [("all", "unknown-field")]
    answer = program.get("me/erasure/").body
    assert [row["reservation"] for row in answer["ahead"]] == [str(ahead.pk)]
    assert answer["obstacles"] == []
    _, token = token_issue(user=cast.chen, label="x", lifetime=timedelta(days=30), now=LATER)
    (obstacle,) = Program(token).get("me/erasure/").body["obstacles"]
    assert obstacle["code"] == "last-manager" and "manager" in obstacle["message"]


def test_whoever_runs_the_platform_closes_it_for_somebody(cast, wang, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    call_command("erase_person", wang.email, reason="asked in writing")
    entry = TrailEntry.objects.get(action="user.close")
    assert entry.actor_id is None and entry.text.content == {"reason": "asked in writing"}
    with pytest.raises(CommandError):
        call_command("erase_person", wang.email, reason="again")
