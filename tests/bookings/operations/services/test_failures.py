"""What failed in a night, by cause: retried once the cause is gone, or given up with a reason."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from accounts.selectors.jobs import queues
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.operations.selectors.failures import load_failures, load_groups, load_named
from bookings.operations.services.failures import group_give_up, group_retry
from bookings.overview.services.effects import effects_carry_out
from bookings.statistics.models import HoursExport
from instruments.exchange.models import Harvest, Import
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, reserve
from tests.factories.jobs import failed

HOUR = timedelta(hours=1)


@pytest.fixture
def bounces(monkeypatch):
    """The mail server answers 550 for one address, until it is told otherwise."""
    send, refused = EmailBackend.send_messages, {"wang@demo.test"}

    def sending(self, messages):
        for message in messages:
            if refused & set(message.to):
                raise SMTPRecipientsRefused({message.to[0]: (550, b"5.1.1 No such user")})
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", sending)
    return refused


def found():
    return {(group.name, group.cause): group.number for group in load_groups()}


def test_a_mail_that_bounces(cast, bounces, client, capsys):
    wang, admin = cast.people["wang"], cast.people["admin"]
    bounces.clear()
    bounces.add(wang.email)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    assert found() == {("letter.send", "no-mailbox"): 1}
    (row,) = load_named(load_failures())
    assert row.failure.to == wang.email
    assert [one.name for one in row.about] == [cast.microscope.name]
    client.force_login(admin)
    for address in ("/operations/", "/operations/failures/"):
        page = page_of(client.get(address))
        assert "Mails: no such mailbox" in page and "Correct the address" in page
    page = page_of(client.get("/operations/failures/?name=letter.send&cause=no-mailbox"))
    assert wang.email in page and cast.microscope.name in page
    assert f'href="/operations/people/{wang.pk}/">{wang.name}</a>' in page
    call_command("retry_failed")
    assert f"letter.send  no-mailbox  {wang.email}" in capsys.readouterr().out

    bounces.clear()
    sent = {"name": "letter.send", "cause": "mailbox-full"}
    assert client.post("/operations/retry/", sent).status_code == 400  # of this cause nothing failed
    client.post("/operations/retry/", sent | {"cause": "no-mailbox"})
    effects_carry_out(now=row.failure.last_at + 400 * 365 * 24 * HOUR)
    assert found() == {} and [one.to for one in mail.outbox] == [[wang.email]]
    assert "No failures." in page_of(client.get("/operations/failures/"))


def test_it_is_given_up_with_a_reason(cast, bounces, client):
    wang, admin = cast.people["wang"], cast.people["admin"]
    bounces.clear()
    bounces.add(wang.email)
    for day in ("10", "11"):
        reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 12:00")
    effects_carry_out(now=NOW)
    first, second = load_failures("letter.send")
    client.force_login(admin)
    sent = {"name": "letter.send", "cause": "no-mailbox", "ids": [str(first.id)]}
    refused = client.post("/operations/give-up/", sent)
    assert refused.status_code == 400 and 'data-code="reason-required"' in refused.content.decode()
    assert len(load_failures("letter.send")) == 2
    client.post("/operations/give-up/", sent | {"reason": "They left."})
    assert [row.id for row in load_failures()] == [second.id]
    entry = TrailEntry.objects.get(action="effect.give-up")
    assert (entry.object_id, entry.actor_id, entry.text.content) == (
        first.id, admin.pk, {"reason": "They left."},
    )  # fmt: skip
    call_command("retry_failed", "letter.send", cause="no-mailbox", give_up="They left, too.")
    assert found() == {} and not any(queue.failed for queue in queues(NOW))
    effects_carry_out(now=NOW + 48 * HOUR)
    assert mail.outbox == []
    assert set(OutboxMessage.objects.filter(kind="letter.send").values_list("outcome", flat=True)) == {
        "given-up"
    }
    with pytest.raises(CommandError):
        call_command("retry_failed", "letter.send", give_up="Again.")


def test_what_areas_have_as_failed(cast):
    by, zhao = By(cast.actor("admin"), NOW + HOUR), cast.people["zhao"]
    endpoint = WebhookEndpoint.objects.create(
        organisation=cast.ustc, address="https://lims.example/secret-path", events=["reservation.confirmed"],
        created_by=zhao, created_at=NOW,
    )  # fmt: skip
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event="reservation.confirmed", cause="x", body="{}", state="failed", attempts=12,
        created_at=NOW,
    )  # fmt: skip
    WebhookAttempt.objects.create(delivery=delivery, at=NOW, milliseconds=5, status=503, answer="secret")
    harvest = Harvest.objects.create(
        organisation=cast.ustc, user=zhao, name="Nightly", format="uniquip", rhythm="daily", hour=2,
        address="https://files.example/x", failures=5, state="paused", created_at=NOW,
    )  # fmt: skip
    by_hand = Harvest.objects.create(
        organisation=cast.ustc, user=zhao, name="Old", format="uniquip", rhythm="daily", hour=2,
        address="https://files.example/y", failures=1, state="paused", created_at=NOW,
    )  # fmt: skip
    file = Import.objects.create(
        organisation=cast.ustc, user=zhao, file_name="a.csv", size=1, sha256="0" * 64, format="uniquip",
        state="refused", problem={"code": "import-failed", "numbers": {}}, created_at=NOW, ended_at=NOW,
    )  # fmt: skip
    export = HoursExport.objects.create(
        user=zhao, state="failed", attempts=3, created_at=NOW, ended_at=NOW, format="csv",
        table="hours", asked={},
    )  # fmt: skip
    failed(uuid4())
    expected = {
        ("webhook.deliver", "receiver-fails"): 1,
        ("harvests", "unforeseen"): 1,
        ("imports", "worker-died"): 1,
        ("exports of hours", "file-failed"): 1,
        ("final charges", "ValueError"): 1,
    }
    assert found() == expected
    shown = load_named(load_failures())
    assert {row.failure.to for row in shown} == {"lims.example", "files.example", zhao.email, ""}
    assert "secret" not in repr(shown)

    for name, _cause in expected:
        assert group_retry(by, name=name) == 1
    for row, state in ((delivery, "waiting"), (harvest, "active"), (file, "reading"), (export, "waiting")):
        row.refresh_from_db()
        assert row.state == state
    by_hand.refresh_from_db()
    assert (harvest.failures, by_hand.state) == (0, "paused")  # as whoever resumes it finds it
    assert TrailEntry.objects.filter(action="failure.retry").count() == 3  # and webhook.replay
    assert ("imports", "worker-died") not in found() and ("exports of hours", "file-failed") not in found()

    for row, state in ((file, "refused"), (export, "failed")):
        row.state = state
        row.problem = {"code": "import-failed"}
        row.ended_at = NOW + HOUR / 2
        row.save()
    harvest.failures = 4
    harvest.save()
    for name in ("imports", "exports of hours", "harvests"):
        assert group_give_up(by, name=name, reason="It will not come back.") == 1
        with pytest.raises(Invalid):  # twice
            group_give_up(by, name=name, reason="It will not come back.")
    harvest.refresh_from_db()
    assert harvest.state == "paused"
    with pytest.raises(WrongState, match="never-given-up"):
        group_give_up(by, name="final charges", reason="Enough.")
    with pytest.raises(Invalid):
        group_give_up(by, name="imports", reason=" ")
    for act in (group_retry, lambda by, name: group_give_up(by, name=name, reason="x")):
        with pytest.raises(NotPermitted):
            act(By(cast.actor("zhao"), NOW), name="imports")


def test_the_oldest_does_not_vanish_behind_many(cast):
    by = By(cast.actor("admin"), NOW + HOUR)
    endpoint = WebhookEndpoint.objects.create(
        organisation=cast.ustc, address="https://lims.example/x", events=["reservation.confirmed"],
        created_by=cast.people["zhao"], created_at=NOW,
    )  # fmt: skip
    rows = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint=endpoint, event="x", cause=f"c{n}", body="", state="failed", attempts=5,
                        created_at=NOW - timedelta(minutes=n))
        for n in range(203)
    )  # fmt: skip
    assert found() == {("webhook.deliver", "unforeseen"): 203}
    assert len(load_failures("webhook.deliver")) == 200
    newest = [row.pk for row in rows[:201]]
    assert group_give_up(by, name="webhook.deliver", ids=newest, reason="x") == 201
    assert {row.id for row in load_failures("webhook.deliver")} == {row.pk for row in rows[201:]}
    assert group_give_up(by, name="webhook.deliver", reason="x") == 2
    assert found() == {}
