"""The tables of people, announcements, the trail and its seals, the outbox, jobs and idempotency keys."""

from accounts.models.administration import AddressChange, FactorReset, Viewing
from accounts.models.announcements import Announcement, Maintenance
from accounts.models.directories import Directory, DirectoryPerson
from accounts.models.idempotency import IdempotencyKey
from accounts.models.jobs import FileJob, JobFailure, JobRun, Lease
from accounts.models.joining import AccessRequest, Invitation, JoinRequest
from accounts.models.messages import Message, MessageSettings
from accounts.models.organisations import (
    Installation,
    Membership,
    Organisation,
    OrganisationMove,
    OrganisationRequest,
    Region,
    RoleGrant,
)
from accounts.models.outbox import OutboxMessage
from accounts.models.saved_views import SavedView
from accounts.models.seals import Seal, SealedEntry, UnsealedEntry
from accounts.models.tokens import ApiToken, ServiceAccount
from accounts.models.trail import TrailEntry, TrailText
from accounts.models.users import User

__all__ = [
    "AccessRequest",
    "AddressChange",
    "Announcement",
    "ApiToken",
    "Directory",
    "DirectoryPerson",
    "FactorReset",
    "FileJob",
    "IdempotencyKey",
    "Installation",
    "Invitation",
    "JobFailure",
    "JobRun",
    "JoinRequest",
    "Lease",
    "Maintenance",
    "Membership",
    "Message",
    "MessageSettings",
    "Organisation",
    "OrganisationMove",
    "OrganisationRequest",
    "OutboxMessage",
    "Region",
    "RoleGrant",
    "SavedView",
    "Seal",
    "SealedEntry",
    "ServiceAccount",
    "TrailEntry",
    "TrailText",
    "UnsealedEntry",
    "User",
    "Viewing",
]
