"""What settings refuse, and that a new SECRET_KEY ends nothing while the old one is a fallback."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from accounts.domain.roles import By
from accounts.letters.mails import unsubscribe_address, unsubscribed_by
from accounts.selectors.joining import invitation_by_token
from accounts.services.invitations import invitation_send
from bookings.messaging.domain.webhooks import secret_text, signed
from bookings.messaging.selectors.feeds import feed_address
from bookings.messaging.selectors.webhooks import secret_of, secrets_of
from bookings.messaging.services.feeds import feed_make
from bookings.messaging.services.webhooks import webhook_add, webhook_rotate
from bookings.models import WebhookEndpoint
from bookings.overview.services.effects import effects_carry_out
from config.env import Misconfigured, require_bundled
from tests.accounts.pages import page_of
from tests.factories.cast import NOW

ROOT = Path(__file__).parents[2]
NEW = "n" * 50


class TestLocalMode:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "postgresql://a:b@db.example/c"),
            ("DATABASE_URL", "postgresql://a:b@127.0.0.1:5432/c"),
            ("DATABASE_URL", "postgresql://a@127.0.0.1:5432/c"),
            ("DATABASE_REPLICA_URL", "postgresql://a:b@db.example/c"),
            ("REDIS_URL", "redis://cache.example"),
            ("CELERY_BROKER_URL", "redis://broker.example"),
        ],
    )
    def test_nothing_starts_with_a_server_that_is_not_bundled(self, name: str, value: str) -> None:
        ran = subprocess.run(
            [sys.executable, "-c", "import config.settings"],
            env=os.environ | {name: value},
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 1
        assert ran.stderr.startswith("LOCAL_MODE is for the bundled servers alone")

    def test_the_bundled_servers_elsewhere_or_with_parameters_are_refused(self) -> None:
        bundled = os.environ["DATABASE_URL"]
        require_bundled(bundled, os.environ["REDIS_URL"])
        for other in (bundled.replace("127.0.0.1", "db.example"), bundled + "?host=db.example"):
            with pytest.raises(Misconfigured, match="LOCAL_MODE"):
                require_bundled(other)


def replace_key(settings, *, keep_old):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep_old else []
    settings.SECRET_KEY = NEW


@pytest.mark.django_db
class TestNewKey:
    def test_sessions_and_links_go_on_under_the_key_before(self, cast, settings):
        client, wang = Client(), cast.wang
        client.force_login(wang)
        Client().post("/accounts/password/reset/", {"email": wang.email})
        effects_carry_out(now=timezone.now())
        reset = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body)[0]
        stop = unsubscribe_address(wang, ["reminder"]).split("/")[-2]
        replace_key(settings, keep_old=True)
        page_of(client.get("/profile/"))
        assert "password1" in page_of(Client().get(reset, follow=True))
        assert unsubscribed_by(stop) == (wang.pk, ["reminder"])
        # By then the session is one of the new key.
        settings.SECRET_KEY_FALLBACKS = []
        page_of(client.get("/profile/"))
        assert unsubscribed_by(stop) is None

    @pytest.mark.parametrize("keep_old", [True, False])
    def test_an_invitation_sent_opens_and_one_that_waits_is_sent_only_while_its_key_counts(
        self, cast, settings, keep_old
    ):
        mails = []
        for email in ("sent@nowhere.example", "waits@nowhere.example"):
            invitation_send(
                By(cast.actor("chen"), NOW),
                organisation=cast.fudan,
                email=email,
                roles=["researcher"],
                lifetime=timedelta(days=30),
            )
            if not mails:
                effects_carry_out(now=NOW)
                mails = list(mail.outbox)
        token = re.search(r"/invitations/([\w-]{43})/", mails[-1].body)[1]
        replace_key(settings, keep_old=keep_old)
        assert invitation_by_token(token).email == "sent@nowhere.example"
        effects_carry_out(now=NOW)
        late = [one for one in mail.outbox if one.to == ["waits@nowhere.example"]]
        assert len(late) == int(keep_old)
        if keep_old:
            token = re.search(r"/invitations/([\w-]{43})/", late[0].body)[1]
            assert invitation_by_token(token).email == "waits@nowhere.example"

    def test_a_feed_keeps_its_address_and_is_shown_while_its_key_counts(self, cast, settings):
        feed = feed_make(By(cast.actor("wang"), NOW), instrument_id=None)
        address = feed_address(feed)
        path = address.removeprefix(settings.SITE_URL)
        replace_key(settings, keep_old=True)
        assert feed_address(feed) == address
        assert Client().get(path).status_code == 200
        settings.SECRET_KEY_FALLBACKS = []
        assert Client().get(path).status_code == 200
        client = Client()
        client.force_login(cast.wang)
        assert "cannot be shown again" in page_of(client.get(reverse("bookings:feeds")))

    @pytest.mark.parametrize("rotated", [False, True])
    def test_webhooks_are_signed_for_receivers_of_both_keys(self, cast, settings, rotated):
        endpoint = webhook_add(
            By(cast.actor("zhao"), NOW),
            organisation_id=cast.ustc.pk,
            address="https://x.example/",
            events=["reservation.confirmed"],
            description="",
        )
        old = secret_text(secret_of(endpoint, 1))
        if rotated:
            webhook_rotate(By(cast.actor("zhao"), NOW), endpoint_id=endpoint.pk)
            endpoint = WebhookEndpoint.objects.get()
        replace_key(settings, keep_old=True)
        new = secret_text(secret_of(endpoint, endpoint.generation))
        assert new != old
        headers = signed(secrets_of(endpoint, NOW), "msg_1", NOW, "{}")
        for secret in (old, new):
            hook = Webhook(secret)
            marks = headers["webhook-signature"].split()
            assert hook.sign("msg_1", NOW, "{}") in marks
