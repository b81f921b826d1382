"""Webhooks: signed, tried again for a day, given up, replayed, and never to a private network."""

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from socket import socket
from threading import Thread
from time import sleep

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.jobs import CALLS, LANES
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.messaging.domain.webhooks import secret_text, try_again_at
from bookings.messaging.notifications.reservations import KINDS
from bookings.messaging.selectors.webhooks import all_events, events_by_effect, secret_of
from bookings.messaging.services import webhooks
from bookings.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.services.retention import records_remove
from bookings.reserving.services.reservations import reservation_cancel
from instruments.managing.services.registry import instrument_update
from tests.factories.api import hold_event_against_description
from tests.factories.cast import NOW, reserve

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Receiver:
    """A server that keeps what it was sent and answers as told: (status, headers, body)."""

    def __init__(self):
        self.heard, self.answer = [], (200, {}, b"thanks")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append((self.path, dict(self.headers), body))
                status, headers, answer = receiver.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/hooks"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture(scope="module")
def server():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def receiver(server, settings):
    settings.CALLS_LOOPBACK = True
    server.heard, server.answer = [], (200, {}, b"thanks")
    yield server
    for _, headers, body in server.heard:
        if body != b"{}":  # made up by a test
            said = json.loads(body)
            hold_event_against_description(said["type"], said["data"], said["timestamp"])
            assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= set(map(str.lower, headers))


def add(cast, receiver, who="zhao", host=None, events=("reservation.confirmed",), **changes):
    return webhooks.webhook_add(
        By(cast.actor(who), NOW),
        organisation_id=(host or cast.ustc).pk,
        address=changes.get("address", receiver.address if receiver else "https://x.example/"),
        events=events,
        description="",
    )


def tell():
    """Carry out what is due, but call nobody."""
    for lane in LANES:
        if lane != CALLS:
            effects_carry_out(now=NOW, lane=lane)


def row_of(delivery):
    return OutboxMessage.objects.filter(
        kind="webhook.deliver", payload__delivery=str(delivery.pk), done_at=None
    ).get()


def verified(endpoint, heard, generation=1):
    """What was sent, as the standard's own library reads it; its clock is now, ours is not."""
    _, headers, body = heard
    secret = secret_text(secret_of(endpoint, generation))
    hook = Webhook(secret)
    hook._Webhook__verify_timestamp = lambda stamp: datetime.fromtimestamp(float(stamp)).astimezone()
    return hook.verify(body, {name.lower(): value for name, value in headers.items()})


def test_host_and_payer_hear_what_happens_signed_and_without_names(cast, receiver):
    host = add(cast, receiver, events=["reservation.confirmed", "reservation.cancelled"])
    payer = add(cast, receiver, "chen", cast.fudan)
    add(cast, receiver, "zhao", events=["charge.made"])
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    assert len(receiver.heard) == 2
    said = {}
    for heard in receiver.heard:
        for endpoint in (host, payer):
            try:
                said[endpoint.pk] = verified(endpoint, heard)
            except WebhookVerificationError:
                continue
    assert said[host.pk] == said[payer.pk]
    assert said[host.pk] == {
        "type": "reservation.confirmed",
        "timestamp": "2026-03-05T04:00:00Z",
        "data": {
            "id": str(made.pk),
            "instrument": str(made.instrument_id),
            "start": "2026-03-10T02:00:00Z",
            "end": "2026-03-10T04:00:00Z",
            "state": "confirmed",
            "organisation": "fudan",
            "host": "ustc",
            "version": 1,
        },
    }
    delivery = WebhookDelivery.objects.get(endpoint=host)
    (call,) = delivery.calls.all()
    assert (delivery.state, call.status, call.answer) == ("delivered", 200, "thanks")
    # Carried out again, the same effect tells nobody anew.
    OutboxMessage.objects.filter(kind="mail.confirmed").update(done_at=None)
    effects_carry_out(now=NOW)
    assert len(receiver.heard) == 2
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
    effects_carry_out(now=NOW)
    assert [json.loads(body)["type"] for _, _, body in receiver.heard[2:]] == ["reservation.cancelled"]


def test_a_changed_body_or_secret_does_not_verify(cast, receiver):
    endpoint = add(cast, receiver)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    path, headers, body = receiver.heard[0]
    for wrong in ((path, headers, body + b" "), (path, headers | {"webhook-id": "msg_1"}, body)):
        with pytest.raises(WebhookVerificationError):
            verified(endpoint, wrong)
    with pytest.raises(WebhookVerificationError):
        verified(endpoint, receiver.heard[0], generation=2)


def test_for_a_day_after_rotation_both_secrets_sign(cast, receiver):
    endpoint = add(cast, receiver)
    webhooks.webhook_rotate(By(cast.actor("zhao"), NOW), endpoint_id=endpoint.pk)
    for moment in (NOW, NOW + DAY):
        webhooks.webhook_ping(By(cast.actor("zhao"), moment), endpoint_id=endpoint.pk)
        effects_carry_out(now=moment)
    first, later = receiver.heard
    for generation in (1, 2):
        assert verified(endpoint, first, generation)["type"] == "webhook.ping"
    assert verified(endpoint, later, 2)
    with pytest.raises(WebhookVerificationError):
        verified(endpoint, later, 1)


def test_it_is_tried_for_a_day_then_disabled_and_its_managers_hear_of_it(cast, receiver):
    receiver.answer = (503, {}, b"\xff\0not now" + b"x" * 900)
    endpoint = add(cast, receiver)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    delivery = WebhookDelivery.objects.get()
    mail.outbox.clear()
    now = NOW
    while delivery.next_at:
        now = delivery.next_at
        effects_carry_out(now=now - timedelta(seconds=1), lane="calls")
        calls = delivery.calls.count()
        effects_carry_out(now=now, lane="calls")
        assert delivery.calls.count() == calls + 1
        delivery.refresh_from_db()
    assert (delivery.state, len(receiver.heard)) == ("failed", 8)
    assert DAY <= now - NOW < 2 * DAY
    assert len({headers["webhook-id"] for _, headers, _ in receiver.heard}) == 1
    assert len({body for _, _, body in receiver.heard}) == 1
    call = delivery.calls.latest("pk")
    assert call.status == 503 and "not now" in call.answer and len(call.answer) <= 500
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_because) == ("disabled", "failing")
    effects_carry_out(now=now)
    (letter,) = [m for m in mail.outbox if m.subject.startswith("Webhook disabled")]
    assert letter.to == ["zhao@ustc.example"] and "503" in letter.body
    # Nothing more is sent; what failed is replayed by hand, under its own id.
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    effects_carry_out(now=now)
    assert len(receiver.heard) == 8
    receiver.answer = (204, {}, b"")
    webhooks.webhook_replay(By(cast.actor("zhao"), now), delivery_id=delivery.pk)
    with pytest.raises(WrongState):
        webhooks.webhook_replay(By(cast.actor("zhao"), now), delivery_id=delivery.pk)
    effects_carry_out(now=now)
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert receiver.heard[-1][1]["webhook-id"] == delivery.message_id
    actions = set(TrailEntry.objects.filter(object_id=endpoint.pk).values_list("action", flat=True))
    assert actions == {"webhook.add", "webhook.disable", "webhook.replay"}


def test_one_failure_among_successes_disables_nothing_but_gone_does(cast, receiver):
    endpoint = add(cast, receiver)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    WebhookEndpoint.objects.update(succeeded_at=NOW)
    last = WebhookDelivery.objects.create(
        endpoint=endpoint, event="reservation.confirmed", cause="y", body="{}", created_at=NOW, attempts=7
    )
    row = OutboxMessage(kind="webhook.deliver", payload={"delivery": str(last.pk), "attempts": 7})
    receiver.answer = (500, {}, b"")
    assert webhooks.webhook_deliver(row, now=NOW + DAY) == "failed"
    endpoint.refresh_from_db()
    assert endpoint.state == "active"
    receiver.answer = (410, {}, b"")
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    effects_carry_out(now=NOW)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_because) == ("disabled", "gone")


def test_a_test_that_is_answered_with_gone_disables_too(cast, receiver):
    endpoint = add(cast, receiver)
    for now, status, state in ((NOW, 500, "active"), (NOW + DAY, 410, "disabled")):
        receiver.answer = (status, {}, b"")
        webhooks.webhook_ping(By(cast.actor("zhao"), now), endpoint_id=endpoint.pk)
        effects_carry_out(now=now)
        endpoint.refresh_from_db()
        assert endpoint.state == state
    assert endpoint.disabled_because == "gone"
    assert OutboxMessage.objects.filter(kind="hook.disabled").exists()


@pytest.mark.parametrize(
    ("address", "found", "code"),
    [
        ("https://intranet.example/", ["10.1.2.3"], "address-not-public"),
        ("https://meta.example/", ["169.254.169.254"], "address-not-public"),
        ("https://both.example/", ["93.184.216.34", "127.0.0.1"], "address-not-public"),
        ("https://nowhere.example/", [], "host-unknown"),
    ],
)
def test_no_private_network_is_called(cast, settings, address, found, code):
    settings.CALLS_LOOPBACK = False
    add(cast, None, address=address)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    tell()
    delivery = WebhookDelivery.objects.get()
    webhooks.webhook_deliver(row_of(delivery), now=NOW, resolve=lambda host, port: found)
    assert WebhookAttempt.objects.get().problem["code"] == code


def test_a_name_that_changes_its_address_is_checked_at_each_call(cast, receiver):
    """The connection goes to what was checked: the name is asked once a call, and what it says
    the next time is checked anew."""
    add(cast, receiver, address=f"http://hooks.example:{receiver.port}/")
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    tell()
    delivery = WebhookDelivery.objects.get()
    said = iter([["127.0.0.1"], ["192.168.0.1"]])
    asked = []

    def resolve(host, port):
        asked.append(host)
        return next(said)

    receiver.answer = (500, {}, b"")
    webhooks.webhook_deliver(row_of(delivery), now=NOW, resolve=resolve)
    delivery.refresh_from_db()
    rows = OutboxMessage.objects.filter(kind="webhook.deliver", payload__attempts=1)
    webhooks.webhook_deliver(rows.get(), now=delivery.next_at, resolve=resolve)
    calls = list(WebhookAttempt.objects.order_by("pk"))
    assert asked == ["hooks.example"] * 2 and len(receiver.heard) == 1
    assert (calls[0].status, calls[1].problem["code"]) == (500, "address-not-public")


def test_a_redirect_to_a_private_network_is_not_followed(cast, receiver):
    receiver.answer = (307, {"Location": "http://internal.example/admin"}, b"")
    add(cast, receiver)
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    tell()

    def resolve(host, port):
        return ["127.0.0.1"] if host == "127.0.0.1" else ["10.0.0.8"]

    webhooks.webhook_deliver(row_of(WebhookDelivery.objects.get()), now=NOW, resolve=resolve)
    assert WebhookAttempt.objects.get().problem["code"] == "address-not-public"
    assert len(receiver.heard) == 1


def test_only_managers_and_administrators_set_them_up(cast):
    for who in ("wang", "sun", "gao", "chen", "coordinator", "auditor"):
        with pytest.raises(NotPermitted):
            add(cast, None, who)
    endpoint = add(cast, None, "admin")
    with pytest.raises(NotFound):
        webhooks.webhook_ping(By(cast.actor("chen"), NOW), endpoint_id=endpoint.pk)
    for wrong in ({"address": "http://x.example/"}, {"events": []}, {"events": ["x"]}):
        with pytest.raises(Invalid):
            add(cast, None, "zhao", **wrong)
    assert WebhookEndpoint.objects.count() == 1


def test_a_published_record_that_changes_is_told(cast, receiver):
    add(cast, receiver, events=["instrument.changed"])
    zhao = By(cast.actor("zhao"), NOW)
    change = {"room": "B 12"}
    instrument_update(zhao, instrument_id=cast.microscope.pk, changes=change, techniques=None)
    effects_carry_out(now=NOW)
    (heard,) = receiver.heard
    assert json.loads(heard[2])["data"]["publication"] == "published"


def test_switched_off_nothing_is_sent_and_the_page_shows_the_log(cast, receiver, client):
    endpoint = add(cast, receiver)
    webhooks.webhook_change(
        By(cast.actor("zhao"), NOW),
        endpoint_id=endpoint.pk,
        address=endpoint.address,
        events=endpoint.events,
        description="LIMS",
        is_active=False,
    )
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    webhooks.webhook_ping(By(cast.actor("zhao"), NOW), endpoint_id=endpoint.pk)
    effects_carry_out(now=NOW)
    assert [json.loads(body)["type"] for _, _, body in receiver.heard] == ["webhook.ping"]
    client.force_login(cast.zhao)
    page = client.get(reverse("bookings:webhook", args=[endpoint.pk])).content.decode()
    assert "thanks" in page and secret_text(secret_of(endpoint, 1)) in page
    assert records_remove(now=NOW + timedelta(days=31))["webhook-deliveries"] == 1


def test_every_event_has_a_cause_and_every_kind_of_message_is_thought_of():
    assert all(event.effects for event in all_events().values())
    untold = {"to-decide", "lapsing", "overrun", "overrun-next", "offer", "reminder"}
    untold |= {"move-to-decide", "series-to-decide", "poor-rating", "rating-answered", "house-rules-open"}
    untold |= {"house-rules-recorded", "correction-proposed"}
    assert set(KINDS) - set(events_by_effect()) == {f"mail.{k}" for k in untold}
    assert sum((try_again_at(n, NOW) - NOW for n in range(1, 8)), timedelta()) > DAY
    assert try_again_at(8, NOW) is None


def test_the_deliveries_of_a_period_are_sent_again(cast, receiver, client):
    receiver.answer = (500, {}, b"")
    endpoint = add(cast, receiver)
    for day in (10, 11, 12):
        reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 12:00")
    effects_carry_out(now=NOW)
    rows = list(endpoint.deliveries.order_by("created_at", "id"))
    WebhookDelivery.objects.update(state="failed", next_at=None, attempts=8)
    WebhookDelivery.objects.filter(pk=rows[0].pk).update(created_at=NOW - DAY)
    WebhookDelivery.objects.filter(pk=rows[1].pk).update(state="delivered")
    by, span = By(cast.actor("zhao"), NOW), {"since": NOW, "until": NOW + DAY}
    with pytest.raises(NotFound):
        webhooks.webhook_replay_range(By(cast.actor("chen"), NOW), endpoint_id=endpoint.pk, **span)
    with pytest.raises(Invalid):
        webhooks.webhook_replay_range(by, endpoint_id=endpoint.pk, since=NOW, until=NOW)
    heard = len(receiver.heard)
    receiver.answer = (204, {}, b"")
    assert webhooks.webhook_replay_range(by, endpoint_id=endpoint.pk, **span) == 1
    assert webhooks.webhook_replay_range(by, endpoint_id=endpoint.pk, **span) == 0  # it is on its way
    effects_carry_out(now=NOW)
    again = receiver.heard[heard:]
    assert [headers["webhook-id"] for _, headers, _ in again] == [rows[2].message_id]
    assert webhooks.webhook_replay_range(by, endpoint_id=endpoint.pk, only_failed=False, **span) == 2
    # The page sends what was at the reader's wall clock.
    client.force_login(cast.zhao)
    address = reverse("bookings:webhook-replay-range", args=[endpoint.pk])
    given = {"since": "2026-03-04T00:00", "until": "2026-03-05T11:59", "only_failed": "on"}
    done = client.post(address, given, follow=True).content.decode()
    assert "1 delivery is sent again: load this page again in a moment." in done
    assert WebhookDelivery.objects.get(pk=rows[0].pk).state == "waiting"
    again = client.post(address, given, follow=True).content.decode()
    assert "There is no such delivery in this period: nothing is sent again." in again
    shown = client.post(address, given | {"until": "2026-03-04T00:00"})
    assert shown.status_code == 400 and "The end must be after the beginning." in shown.content.decode()


def test_this_machine_is_called_in_the_demonstration_and_refused_by_name_elsewhere(cast, settings):
    here = ("http://127.0.0.1:9090/", "http://localhost:9090/", "https://[::1]:9090/x")
    settings.CALLS_LOOPBACK = settings.LOCAL_MODE = False
    for address in here:
        with pytest.raises(Invalid) as refused:
            add(cast, None, address=address)
        assert refused.value.problems[0].code == "address-on-this-machine"
    settings.LOCAL_MODE = True
    for address in here:
        assert add(cast, None, address=address).address == address
    for address in ("http://lab.example/", "http://192.168.0.1/", "http://localhost.example/"):
        with pytest.raises(Invalid):
            add(cast, None, address=address)


def test_the_receiver_that_is_shipped_checks_and_prints(cast, settings):
    settings.LOCAL_MODE = True
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = add(cast, None, address=f"http://127.0.0.1:{port}/")
    out, secret = StringIO(), secret_text(secret_of(endpoint, 1))
    kinds = {"port": port, "secret": secret, "most": 2, "stdout": out}
    receiving = Thread(target=call_command, args=("webhook_receive",), kwargs=kinds, daemon=True)
    receiving.start()
    while receiving.is_alive() and "Listening" not in out.getvalue():
        sleep(0.02)
    now = datetime.now(UTC)  # the receiver's clock is the machine's
    webhooks.webhook_ping(By(cast.actor("zhao"), now), endpoint_id=endpoint.pk)
    effects_carry_out(now=now)
    webhooks.webhook_rotate(By(cast.actor("zhao"), now - 2 * DAY), endpoint_id=endpoint.pk)
    now += timedelta(seconds=1)
    webhooks.webhook_ping(By(cast.actor("zhao"), now), endpoint_id=endpoint.pk)
    effects_carry_out(now=now)
    receiving.join(30)
    assert "signed" in out.getvalue() and '"type": "webhook.ping"' in out.getvalue()
    assert "SIGNATURE WRONG" in out.getvalue()
    assert [call.status for call in WebhookAttempt.objects.order_by("pk")] == [204, 401]
