"""What is wrong at night is said with the same words on the home page, the page of health and by doctor."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from smtplib import SMTPRecipientsRefused
from zoneinfo import ZoneInfo

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.findings import State, note, ok, red, remember
from accounts.models import OutboxMessage
from accounts.services.jobs import run_begin, run_end
from accounts.work import timetable
from bookings.operations.services.health import broker_findings, load_standing, work_findings
from bookings.overview.services.effects import effects_carry_out
from config.operations import doctor
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, reserve

MINUTE = timedelta(minutes=1)


@pytest.fixture
def seen(cast, client, settings, monkeypatch):
    """Returns the home page, the page of health, its JSON, and what doctor prints. Slow parts that need
    workers are left out."""
    monkeypatch.setattr(
        doctor,
        "PARTS",
        {
            name: look
            for name, look in doctor.PARTS.items()
            if name in ("broker", "work", "mails", "failures")
        },
    )
    monkeypatch.setattr(doctor, "SLOW", frozenset({"mails"}))
    client.force_login(cast.people["admin"])

    def look():
        printed = StringIO()
        with suppress(CommandError):
            call_command("doctor", stdout=printed)
        found = client.get("/api/v1/operations/health/").json()
        return [
            page_of(client.get("/home/")),
            page_of(client.get("/operations/health/")),
            "\n".join(each["sentence"] for each in found["findings"]),
            printed.getvalue(),
        ]

    return look


def all_ran(now):
    for entry in timetable():
        run_end(run_begin(entry, now), outcome="done", now=now)


def test_the_same_words_everywhere(cast, seen, client, monkeypatch, settings):
    OutboxMessage.objects.all().delete()  # due long before today
    all_ran(NOW)
    calm = seen()
    assert all("Everything runs as it should." in page for page in calm[:2])
    assert "workers take what is due" in calm[2] and "ok    broker: the broker answers" in calm[3]

    def bounces(self, messages):
        raise SMTPRecipientsRefused({messages[0].to[0]: (552, b"5.2.2 Mailbox full")})

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", bounces)
        reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
        effects_carry_out(now=NOW)
    for said in seen():
        assert "Mails: mailbox full (" in said
        assert "Nothing is waiting for you" not in said
    mails = seen()[1]
    assert "the last mail that failed" in mails.lower() and cast.people["wang"].email in mails

    OutboxMessage.objects.create(
        kind="charge.due", key="x", lane="effects", due_at=NOW - 20 * MINUTE, created_at=NOW
    )
    for said in seen():  # a worker hangs
        assert "ane effects: 1 are due since" in said

    settings.CELERY_BROKER_URL = "redis://:secret@127.0.0.1:1/0"
    for said in seen():
        assert "he broker does not answer (ConnectionError)" in said
        assert "secret" not in said
    client.force_login(cast.people["zhao"])
    assert client.get("/operations/health/").status_code == 403
    assert "What needs attention" not in page_of(client.get("/home/"))


def test_what_was_examined_is_remembered(cast):
    all_ran(NOW)
    assert load_standing(NOW).findings[0].code == "examined"
    remember([red("clock-cache", "the clock differs", "set it"), note("standby", "no standby")], NOW)
    standing = load_standing(NOW + MINUTE)
    assert [each.code for each in standing.red] == ["clock-cache"]
    assert standing.number == 1 and standing.examined_at == NOW
    late = load_standing(NOW + 20 * MINUTE)
    assert {each.code for each in late.red} >= {"examined", "clock-cache", "job-late"}


def test_causes_stand_before_what_follows_from_them(cast, client):
    """On the home page as on that of health, which the home page and the operators' page lead to."""
    for kind in range(9):
        OutboxMessage.objects.create(
            kind=f"kind-{kind}", key=f"x{kind}", lane="effects", due_at=NOW, created_at=NOW, attempts=9,
            last_error=f"E{kind}: x", outcome="failed", done_at=NOW,
        )  # fmt: skip
    OutboxMessage.objects.create(
        kind="charge.due", key="x", lane="effects", due_at=NOW - 20 * MINUTE, created_at=NOW
    )
    unchecked = replace(
        red("versions-unchecked", "cannot be checked: {why}", "", why="late"), area="versions"
    )
    remember([unchecked, replace(red("disk", "full", ""), area="disk")], NOW)
    standing = load_standing(NOW + 20 * MINUTE)
    codes = [each.code for each in standing.wrong]
    assert set(codes[:2]) == {"disk", "work-waits"}
    assert codes.index("examined") > 1 and codes.index("versions-unchecked") > 1
    client.force_login(cast.people["admin"])
    home = page_of(client.get("/home/"))
    number = load_standing(timezone.now()).number
    assert number > 8 and f"{number - 8} more" in home
    operations = page_of(client.get("/operations/"))
    assert f"{number} things need attention." in operations and 'href="/operations/health/"' in operations


def test_instants_are_the_readers(db):
    found = ok("mail-sent", "the last mail was sent {at}", at=NOW)
    assert found.sentence.endswith(f"{NOW:%Y-%m-%d %H:%M} UTC")
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        assert found.sentence.endswith(f"{NOW + timedelta(hours=8):%Y-%m-%d %H:%M}")


def test_a_worker_that_died_and_one_that_failed(db):
    all_ran(NOW)
    run_begin("imports", NOW - 70 * MINUTE)
    run_end(run_begin("ratings", NOW + MINUTE), outcome="failed", error="x", now=NOW)
    found = list(work_findings(NOW + 2 * MINUTE))
    assert [(each.code, each.state) for each in found] == [("job-failed", State.RED)]
    assert [each.state for each in broker_findings()] == [State.OK]
