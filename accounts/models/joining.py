"""Ways into an organisation and its roles: invitations, requests to join, requests for a role."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models.keys import new_id
from accounts.models.organisations import Organisation, Request
from accounts.models.users import User


class Invitation(models.Model):
    """An invitation to join an organisation, sent to a mail address. Only the SHA-256 digest of the token in
    the mail is stored; it can be used once, until `expires_at`, by a person who has confirmed the address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    roles = ArrayField(models.CharField(max_length=20), default=list)
    digest = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("invitation")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_one_open",
            )
        ]
        indexes = [models.Index(fields=["email", "created_at"], name="invitation_email")]

    @property
    def version(self) -> int:
        """Return the version: 2 once the invitation was accepted or withdrawn, since it changes only once."""
        return 1 if self.accepted_at is None and self.withdrawn_at is None else 2

    def places(self) -> Places:
        return self.organisation.places()


class JoinRequest(Request):
    """A person's request to become a member of an organisation."""

    user = models.ForeignKey(User, models.PROTECT, related_name="join_requests")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="join_requests")
    # The confirmed address that belongs to a mail domain of the organisation; empty if none does.
    by_mail = models.EmailField(max_length=254, blank=True)

    class Meta:
        verbose_name = _("request to join")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"], condition=Q(state="requested"), name="joinrequest_one_open"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "created_at"], condition=Q(state="requested"), name="joinrequest_open"
            )
        ]

    def places(self) -> Places:
        return self.organisation.places()


class AccessRequest(Request):
    """A person's request for a role after a page was refused to them: a role of an organisation that they
    belong to, or (without an organisation) of a region or the platform."""

    user = models.ForeignKey(User, models.PROTECT, related_name="access_requests")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="access_requests")
    capability = models.CharField(max_length=40, blank=True)  # what the page needs; empty: unknown
    path = models.CharField(max_length=300, blank=True)  # where the page is
    role = models.CharField(max_length=20, blank=True)  # the role that was given

    class Meta:
        verbose_name = _("request for a role")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "capability"],
                condition=Q(state="requested"),
                nulls_distinct=False,
                name="accessrequest_one_open",
            )
        ]

    def places(self) -> Places:
        return self.organisation.places() if self.organisation else ((), ())
