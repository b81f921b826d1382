"""All that the platform keeps about a person, as they may take it with them; and what stands in
the way of forgetting them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Q

from accounts.models import (
    ApiToken,
    Invitation,
    JoinRequest,
    Membership,
    Message,
    MessageSettings,
    OrganisationRequest,
    OutboxMessage,
    RoleGrant,
    SavedView,
    TrailEntry,
    User,
)
from accounts.selectors.erasure import addresses_of, sole_duties
from bookings.audit.models import AuditException, AuditFinding, AuditSample
from bookings.availability.models import KeptHours
from bookings.board.models import Bid, Enquiry
from bookings.browsing.models import InstrumentList, ListEntry, SavedSearch
from bookings.catalogue.models import BusyCalendar, UnmetDemand
from bookings.conversation.models import Comment, CommentFile, Thread
from bookings.funding.models import FundingSource
from bookings.messaging.models import CalendarFeed
from bookings.needs.models import Batch, BatchPlace, Need, Suggestion
from bookings.planning.models import PlannedPurchase
from bookings.plans.models import BookingImport, WaitingWish
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.questions.models import AnswerFile, AnswerSheet, MeterReading
from bookings.record.models import Reservation, SessionRating, UsageSession
from bookings.results.models import CollectLink, HandOff, KeepRequest, Receipt, ResultFile
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase
from bookings.samples.models import SampleItem, SampleStep
from bookings.usage.models import FaultNote
from instruments.models import (
    CapabilityQuestion,
    CourseSession,
    Enrolment,
    HouseRulesAcceptance,
    Qualification,
    QuestionAsker,
)

type Row = dict[str, Any]


@dataclass(frozen=True)
class Obstacle:
    """Why somebody cannot be forgotten now: a code of messages.py with its numbers."""

    code: str
    numbers: Mapping[str, str | int]


def load_obstacles(user: User, now: datetime) -> list[Obstacle]:
    """Return what stands in the way of forgetting a person now, if anything. Four statements."""
    obstacles = []
    under_way = Reservation.objects.filter(
        Q(state="in_use") | Q(state="confirmed", start_at__lte=now, end_at__gt=now), user=user
    ).count()
    if under_way:
        obstacles.append(Obstacle("booking-under-way", {"count": under_way}))
    # The payer has only the person to ask whether a charge is right.
    charges = Charge.objects.filter(reservation__user=user, state__in=["open", "disputed"]).count()
    if charges:
        obstacles.append(Obstacle("charges-not-final", {"count": charges}))
    for grant in sole_duties(user):
        where = grant.organisation
        if where is None:
            obstacles.append(Obstacle("last-administrator", {}))
        else:
            obstacles.append(Obstacle("last-manager", {"organisation": where.name}))
    return obstacles


def load_person(user: User) -> dict[str, list[Row]]:
    """Return every table about a person by its name; rows of plain values, the oldest first. As
    many statements as tables, whatever they hold."""
    return {**_of_account(user), **_of_places(user), **_of_bookings(user), **_of_acts(user)}


def _of_account(user: User) -> dict[str, list[Row]]:
    profile = {
        name: getattr(user, name)
        for name in ("id", "email", "name", "language", "time_zone", "created_at", "last_login")
    }
    return {
        "profile": [profile],
        "addresses": _rows(
            EmailAddress.objects.filter(user=user).order_by("pk"), "email", "verified", "primary"
        ),
        "sign_ins_by_others": _rows(
            SocialAccount.objects.filter(user=user).order_by("pk"),
            "provider", "uid", "extra_data", "date_joined", "last_login",
        ),
        "second_factors": _rows(
            Authenticator.objects.filter(user=user).order_by("pk"),
            "type", "created_at", "last_used_at",
        ),
        "devices": _rows(
            UserSession.objects.filter(user=user).order_by("pk"),
            "ip", "user_agent", "created_at", "last_seen_at",
        ),
        "tokens": _rows(
            ApiToken.objects.filter(user=user).order_by("created_at"),
            "id", "label", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at",
        ),
        "messages": _rows(
            Message.objects.filter(user=user).order_by("created_at", "id"),
            "id", "kind", "subject", "text", "link", "created_at", "read_at", "mailed_at",
        ),
        "calendar_feeds": _rows(
            CalendarFeed.objects.filter(user=user).order_by("created_at"),
            "id", "created_at", "revoked_at", instrument="instrument__name",
        ),
        "own_calendars": _rows(
            BusyCalendar.objects.filter(user=user), "address", "created_at", "read_at",
        ),
        "message_settings": _rows(
            MessageSettings.objects.filter(user=user), "choices", "quiet_from", "quiet_until",
        ),
    }  # fmt: skip


def _of_places(user: User) -> dict[str, list[Row]]:
    return {
        "memberships": _rows(
            Membership.objects.filter(user=user).order_by("started_at"),
            "id", "started_at", "ended_at", organisation="organisation__code",
        ),
        "roles": _rows(
            RoleGrant.objects.filter(user=user).order_by("granted_at"),
            "id", "role", "granted_at", "revoked_at",
            organisation="organisation__code", region="region__code",
        ),
        "requests_to_join": _rows(
            JoinRequest.objects.filter(user=user).order_by("created_at"),
            "id", "text", "by_mail", "state", "created_at", "decided_at", "reason",
            organisation="organisation__code",
        ),
        "requests_for_organisations": _rows(
            OrganisationRequest.objects.filter(user=user).order_by("created_at"),
            "id", "name", "name_zh", "text", "state", "created_at", "decided_at", "reason",
            region="region__code", organisation="organisation__code",
        ),
        "invitations": _rows(
            Invitation.objects.filter(
                Q(email__in=addresses_of(user)) | Q(accepted_by=user)
            ).order_by("created_at"),
            "id", "email", "roles", "created_at", "expires_at", "accepted_at", "withdrawn_at",
            organisation="organisation__code",
        ),
        "qualifications": _rows(
            Qualification.objects.filter(user=user).order_by("granted_at"),
            "id", "valid_from", "valid_until", "note", "granted_at", "revoked_at", "reason",
            instrument="instrument__name", technique="technique__code",
            issued_by="issuer__code",
        ),
        "courses": _rows(
            Enrolment.objects.filter(user=user).order_by("asked_at"),
            "id", "state", "asked_at", "changed_at",
            course="session__course__name", start="session__start_at",
        ),
        "questions": _rows(
            QuestionAsker.objects.filter(user=user).order_by("asked_at"),
            "asked_at", instrument="question__instrument__name",
            parameter="question__parameter__code", answered_at="question__answered_at",
        ),
        "questions_answered": _rows(
            CapabilityQuestion.objects.filter(answered_by=user).order_by("answered_at"),
            "id", "answered_at", instrument="instrument__name", parameter="parameter__code",
        ),
        "courses_given": _rows(
            CourseSession.objects.filter(trainers=user).order_by("start_at"),
            "id", "start_at", "end_at", course="course__name",
        ),
        "funding_sources": _rows(
            FundingSource.objects.filter(Q(owner=user) | Q(users=user)).distinct().order_by("pk"),
            "id", "code", "name", payer="organisation__code",
        ),
    }  # fmt: skip


def _of_bookings(user: User) -> dict[str, list[Row]]:
    mine = Q(reservation__user=user)
    return {
        "bookings": _rows(
            Reservation.objects.filter(Q(user=user) | Q(made_by=user)).order_by("start_at", "id"),
            "id", "unit", "start_at", "end_at", "state", "service_mode", "purpose",
            "purpose_text", "samples", "price_group", "requested_at", "confirmed_at", "ended_at",
            "reason", "series_id", "chain_id", "user_id", "made_by_id",
            instrument="instrument__name", host="host__code",
            payer="organisation__code",
        ),
        "sessions": _rows(
            UsageSession.objects.filter(mine).order_by("checked_in_at"),
            "reservation_id", "checked_in_at", "checked_out_at", "is_assumed", "service_mode",
            "samples", "rating", "remarks", usable="marks__usable", support="marks__support",
            on_time="marks__on_time", price_as_quoted="marks__price_as_quoted",
            rated_at="marks__rated_at", answer="marks__answer",
        ),
        "ratings_answered": _rows(
            SessionRating.objects.filter(answered_by=user).order_by("answered_at"),
            "answer", "answered_at", reservation="session__reservation_id",
        ),
        "results": _rows(
            HandOff.objects.filter(mine | Q(created_by=user) | Q(sealed_by=user)).order_by(
                "created_at"
            ),
            "id", "reservation_id", "state", "due_at", "released_at", "collected_at",
            "retain_until", "note", host="host__code",
        ),
        "results_uploaded": _rows(
            ResultFile.objects.filter(uploaded_by=user).order_by("created_at", "id"),
            "id", "hand_off_id", "size", "created_at",
        ),
        "results_links": _rows(
            CollectLink.objects.filter(created_by=user).order_by("created_at"),
            "id", "hand_off_id", "path", "label", "created_at", "expires_at", "first_used_at",
            "revoked_at",
        ),
        "results_received": _rows(
            Receipt.objects.filter(user=user).order_by("started_at", "id"),
            "id", "hand_off_id", "path", "way", "size", "reached", "started_at", "completed_at",
        ),
        "results_kept_longer": _rows(
            KeepRequest.objects.filter(asked_by=user).order_by("asked_at"),
            "id", "hand_off_id", "days", "reason", "state", "asked_at", "decided_at",
        ),
        "charges": _rows(
            Charge.objects.filter(mine).order_by("created_at"),
            "id", "reservation_id", "kind", "state", "currency", "tax", "total", "covered",
            "payable", "created_at", "final_at", payer="organisation__code",
        ),
        "disputes": _rows(
            Dispute.objects.filter(opened_by=user).order_by("opened_at"),
            "id", "charge_id", "state", "reason", "opened_at", "answer", "settled_at",
        ),
        "corrections": _rows(
            Correction.objects.filter(proposed_by=user).order_by("proposed_at"),
            "id", "charge_id", "state", "reason", "proposed_at", "decided_at",
        ),
        "waiting_list": _rows(
            WaitingWish.objects.filter(user=user).order_by("created_at"),
            "id", "service_mode", "earliest", "latest", "minutes", "hours_from", "hours_until",
            "any_equivalent", "max_price", "state", "created_at", "ended_at",
            instrument="instrument__name", payer="organisation__code",
        ),
        "house_rules": _rows(
            HouseRulesAcceptance.objects.filter(user=user).order_by("accepted_at"),
            "accepted_at", version="rules__version", instrument="rules__instrument__name",
            facility="rules__facility__name",
        ),
        "answers": _rows(
            AnswerSheet.objects.filter(Q(reservation__user=user) | Q(answered_by=user)).order_by(
                "created_at"
            ),
            "reservation_id", "moment", "state", "answers", "reason", "answered_at",
            version="questionnaire__version",
        ),
        "answer_files": _rows(
            AnswerFile.objects.filter(Q(reservation__user=user) | Q(added_by=user)).order_by("id"),
            "id", "reservation_id", "moment", "key", "title", "media_type", "size",
        ),
        "meter_readings": _rows(
            MeterReading.objects.filter(entered_by=user).order_by("read_at"),
            "value", "read_at", "reset_reason", meter="meter__name",
        ),
        "needs": _rows(
            Need.objects.filter(user=user).order_by("created_at"),
            "id", "text", "terms", "requirements", "sample", "quantity", "modes", "earliest",
            "latest", "minutes", "budget", "currency", "is_flexible", "state", "created_at",
            payer="organisation__code",
        ),
        "purchase_cases": _rows(
            PurchaseCase.objects.filter(user=user).order_by("created_at"),
            "id", "name", "reason", "price", "currency", "hours", "state", "created_at",
            applicant="organisation__code",
        ),
        "planned_purchases": _rows(
            PlannedPurchase.objects.filter(user=user).order_by("created_at"),
            "id", "name", "year", "quarter", "price", "currency", "hours", "state", "created_at",
            organisation="organisation__code",
        ),
        "opinions": _rows(
            CaseExpert.objects.filter(user=user).order_by("asked_at"),
            "id", "asked_at", "interest", "barred", "advice", "grounds", "text", "given_at",
            case="case__name",
        ),
        "kept_hours_granted": _rows(
            KeptHours.objects.filter(granted_by=user).order_by("granted_at"),
            "id", "minutes", "start_at", "end_at", "reason", "granted_at", "ended_at",
            instrument="instrument__name", holder="organisation__code",
        ),
        "host_answers": _rows(
            HostPledge.objects.filter(answered_by=user).order_by("answered_at"),
            "id", "answer", "hours", "from_date", "reason", "note", "answered_at",
            instrument="instrument__name",
        ),
        "batch_places": _rows(
            BatchPlace.objects.filter(need__user=user).order_by("created_at"),
            "id", "batch_id", "need_id", "reservation_id", "state", "reason", "currency", "payable",
            "created_at", instrument="instrument__name",
        ),
        "batches": _rows(
            Batch.objects.filter(made_by=user).order_by("created_at"),
            "id", "starts_at", "ends_at", "state", "created_at", region="region__code",
        ),
        "enquiries": _rows(
            Enquiry.objects.filter(user=user).order_by("created_at"),
            "id", "need_id", "is_confidential", "techniques", "sample", "minutes", "earliest",
            "latest", "closes_at", "state", "reason", "reservation_id", "created_at",
            payer="organisation__code",
        ),
        "bids": _rows(
            Bid.objects.filter(user=user).order_by("created_at"),
            "id", "conditions", "text", "valid_until", "state", "created_at",
            instrument="instrument__name",
        ),
        "comments": _rows(
            Comment.objects.filter(author=user).order_by("created_at", "id"),
            "id", "side", "text", "created_at", "withdrawn_at",
            reservation="thread__reservation_id", need="thread__need_id",
            sample="thread__sample__code",
            start="proposal__start_at", end="proposal__end_at",
        ),
        "comment_files": _rows(
            CommentFile.objects.filter(comment__author=user).order_by("id"),
            "id", "comment_id", "title", "media_type", "size",
        ),
        "sample_items": _rows(
            SampleItem.objects.filter(user=user).order_by("created_at"),
            "id", "code", "name", "description", "amount", "hazards", "storage", "afterwards",
            "state", "created_at", organisation="organisation__code",
        ),
        "sample_steps": _rows(
            SampleStep.objects.filter(Q(sample__user=user) | Q(by=user)).order_by("at", "id"),
            "state", "at", "place", "note", "carrier", "tracking", "condition",
            sample="sample__code",
        ),
        "suggestions": _rows(
            Suggestion.objects.filter(user=user).order_by("created_at"),
            "cause", "suggested", "created_at", instrument="instrument__name",
        ),
        "fault_reports": _rows(
            FaultNote.objects.filter(user=user).order_by("created_at"),
            "id", "text", "severity", "has_photo", "created_at", state="fault__state",
            instrument="fault__instrument__name",
        ),
        "imports": _rows(
            BookingImport.objects.filter(user=user).order_by("pk"),
            "id", "file_name", host="organisation__code",
        ),
        "saved_searches": _rows(
            SavedSearch.objects.filter(user=user).order_by("created_at"),
            "id", "name", "criteria", "is_paused", "created_at", payer="organisation__code",
        ),
        "saved_views": _rows(
            SavedView.objects.filter(user=user).order_by("created_at"),
            "id", "name", "page", "query", "created_at",
        ),
        "lists": _rows(
            InstrumentList.objects.filter(user=user).order_by("created_at"),
            "id", "name", "created_at",
        ),
        "list_entries": _rows(
            ListEntry.objects.filter(list__user=user).order_by("created_at"),
            "id", "list_id", "instrument_id", "note", "created_at", instrument="name",
        ),
        "wishes_not_met": _rows(
            UnmetDemand.objects.filter(user=user).order_by("created_at"),
            "kind", "query", "minutes", "wanted_from", "wanted_until", "created_at",
            instrument="instrument__name",
        ),
    }  # fmt: skip


def _of_acts(user: User) -> dict[str, list[Row]]:
    """Return what they were told, and what they did; of their entries in the trail the reasons
    too."""
    own = Reservation.objects.filter(user=user).values_list("pk", flat=True)
    told = Q(kind__startswith="mail.", payload__reservation__in=[str(pk) for pk in own])
    searches = SavedSearch.objects.filter(user=user).values_list("pk", flat=True)
    told |= Q(kind="search.matches", payload__search__in=[str(pk) for pk in searches])
    suggested = Suggestion.objects.filter(user=user).values_list("pk", flat=True)
    told |= Q(kind="suggestion.told", payload__suggestion__in=[str(pk) for pk in suggested])
    talks = Thread.objects.filter(
        Q(reservation__user=user) | Q(need__user=user) | Q(sample__user=user)
    )
    told |= Q(
        kind="conversation.commented",
        payload__thread__in=[str(pk) for pk in talks.values_list("pk", flat=True)],
    )
    about = Q(kind__startswith="people.", payload__user=str(user.pk))
    taught = Q(kind__startswith="training.", payload__user=str(user.pk))
    return {
        "messages": _rows(
            OutboxMessage.objects.filter(told | about | taught).order_by("created_at"),
            "kind", "payload", "created_at", "done_at", "outcome",
        ),
        "findings": _rows(
            AuditFinding.objects.filter(
                Q(raised_by=user) | Q(replied_by=user) | Q(closed_by=user)
            ).order_by("raised_at"),
            "id", "severity", "title", "text", "state", "due_date", "raised_at", "reply",
            "replied_at", "note", "evidence", "closed_at", organisation="organisation__code",
        ),
        "exceptions": _rows(
            AuditException.objects.filter(decided_by=user).order_by("decided_at"),
            "id", "rule", "state", "reason", "decided_at", organisation="organisation__code",
        ),
        "samples": _rows(
            AuditSample.objects.filter(made_by=user).order_by("made_at"),
            "id", "subject", "method", "since", "until", "seed", "size", "made_at",
        ),
        "trail": _rows(
            TrailEntry.objects.filter(
                Q(actor_id=user.pk) | Q(object_type="user", object_id=user.pk)
            ).order_by("at", "id"),
            "id", "at", "actor_id", "action", "object_type", "object_id", "before", "after",
            "request_id", text="text__content",
        ),
    }  # fmt: skip


def _rows(queryset: Any, *names: str, **named: str) -> list[Row]:
    """Return the rows as dictionaries; `named` calls a value of a related row by a name of its
    own."""
    calls = {path: name for name, path in named.items()}
    rows = queryset.values(*names, *calls)
    return [{calls.get(key, key): value for key, value in row.items()} for row in rows]
