"""Jobs, effects and letters of *accounts*."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from celery.schedules import crontab
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.letters import administration, people, sign_in
from accounts.models import ApiToken, IdempotencyKey, Invitation, JobFailure, JobRun, Message, OutboxMessage
from accounts.selectors.verification import trail_found_right
from accounts.services.erasure import person_forget
from accounts.services.messages import digest_send
from accounts.services.seals import seals_tell, trail_seal
from accounts.work import Job, Kept, Tasks, outcome


def _sessions(before: datetime) -> list[QuerySet[Any]]:
    there = Session.objects.filter(session_key=OuterRef("session_key"))
    return [
        Session.objects.filter(expire_date__lt=before),
        UserSession.objects.filter(~Exists(there), last_seen_at__lt=before),
    ]


TASKS = Tasks(
    jobs=(
        Job("seal_trail", "seal the trail", _("Seals of the trail"), 180.0, trail_seal, is_single=True),
        Job(
            "tell_of_seals", "newest seal", _("Mails of the newest seal"), crontab(minute=5, hour=6),
            seals_tell, is_single=True,
        ),
        # Differences make the job fail, so that operators and auditors see them.
        Job(
            "verify_trail", "verify the trail", _("Verification of the trail"), crontab(minute=20, hour=4),
            lambda now: trail_found_right(),
        ),
    ),
    effects={
        "digest": digest_send,
        "person": lambda row, now: outcome(person_forget(user_id=UUID(row.payload["user"]), now=now)),
    },
    letters=(people.KINDS, administration.KINDS, sign_in.KINDS),
    keeps=(
        # Keys make an effect happen once; the longest that one is asked for again and again (a certificate
        # that runs out, a record that is stale) is well below this.
        Kept(
            "outbox", _("Completed actions and messages"), timedelta(days=90), "done",
            lambda before: OutboxMessage.objects.filter(done_at__lt=before).exclude(outcome="failed"),
        ),
        Kept(
            "outbox-failed", _("Abandoned actions and messages"), timedelta(days=365), "given-up",
            lambda before: OutboxMessage.objects.filter(done_at__lt=before, outcome="failed"),
            least=90,
        ),
        Kept(
            "messages", _("Messages in the inbox"), timedelta(days=180), "made",
            lambda before: Message.objects.filter(created_at__lt=before),
            least=30,
        ),
        Kept(
            "idempotency-keys", _("Answers to requests with an Idempotency-Key"), timedelta(hours=24), "made",
            lambda before: IdempotencyKey.objects.filter(created_at__lt=before),
        ),
        Kept(
            "job-runs", _("Runs of the timetable"), timedelta(days=14), "made",
            lambda before: JobRun.objects.filter(started_at__lt=before),
            least=7,
        ),
        Kept(
            "job-failures", _("Failures of jobs"), timedelta(days=90), "last-tried",
            lambda before: JobFailure.objects.filter(last_at__lt=before),
            least=30,
        ),
        Kept("sessions", _("Sign-in sessions"), timedelta(0), "expired", _sessions),
        Kept(
            "tokens", _("Expired and revoked API tokens"), timedelta(days=365), "expired",
            lambda before: ApiToken.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before)),
            least=90,
        ),
        # Those nobody took: the address in them is somebody's.
        Kept(
            "invitations", _("Invitations not accepted"), timedelta(days=365), "expired",
            lambda before: Invitation.objects.filter(accepted_at=None, expires_at__lt=before),
            least=30,
        ),
    ),
)  # fmt: skip
