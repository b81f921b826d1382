"""Rows of organisations' directories (SCIM): whom each has entered, and when it last came."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models.joining import Invitation
from accounts.models.keys import new_id
from accounts.models.organisations import Organisation
from accounts.models.users import User


class Directory(models.Model):
    """The directory of an organisation. Whoever writes for it locks this row first."""

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, primary_key=True, related_name="directory", db_constraint=False
    )
    # What the directory calls the groups, by role.
    group_ids = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("directory")

    def __str__(self) -> str:
        return str(self.organisation_id)


class DirectoryPerson(models.Model):
    """A person as an organisation's directory describes them, who is invited, a member, or was one. `user` is
    known once they are a member; nothing here is a part of their account."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_constraint=False)
    invitation = models.ForeignKey(
        Invitation, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    user_name = models.CharField(max_length=254)
    external_id = models.CharField(max_length=254, blank=True)
    display_name = models.CharField(max_length=200, blank=True)
    emails = models.JSONField(default=list)  # as they were sent
    email = models.EmailField(max_length=254)  # the one that is invited
    roles = ArrayField(models.CharField(max_length=20), default=list)  # those the directory gives
    # When the directory ended the membership: then it may restore it without asking the person again.
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("person of a directory")
        constraints = [
            models.UniqueConstraint("organisation", Lower("user_name"), name="directoryperson_one_name"),
            models.UniqueConstraint(
                fields=["organisation", "user"], condition=Q(user__isnull=False), name="directoryperson_once"
            ),
        ]

    def __str__(self) -> str:
        return self.user_name

    def places(self) -> Places:
        return self.organisation.places()
