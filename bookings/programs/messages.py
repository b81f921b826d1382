"""Sentences of the refusals of *programs*, and the names of its acts in the trail."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "too-many-service-accounts": _("There can be no more than {most}: end a service account first."),
    "too-many-tokens": _("There can be no more than {most}: revoke a token first."),
    "too-many-clients": _("There can be no more than {most}: delete a client first."),
    "provision-needs-manager": _(
        "Provisioning needs the role of manager, since it adds and removes members."
    ),
    "too-many-addresses": _("There can be no more than ten addresses."),
    "not-a-redirect": _("No program can be answered at {address}: read below which addresses can be."),
    "scope-not-of-people": _("A program that acts for people cannot have the permission provision."),
    "only-for-people": _("Only programs that act for people have this."),
    "unknown-program": _("There is no program with this client ID that may ask people."),
    "unknown-redirect": _("This program may not be answered there: redirect_uri is not registered."),
    "state-too-long": _("The address of this page is not one that a program may send: state is too long."),
    "token-without-scopes": _("The account no longer has any of this token's permissions: make another."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "serviceaccount.make": _("Service account made"),
    "serviceaccount.update": _("Service account changed"),
    "serviceaccount.confirm": _("Service account confirmed for another year"),
    "serviceaccount.ask": _("Asked whether a service account is needed"),
    "serviceaccount.stop": _("Service account stopped"),
    "serviceaccount.client-make": _("OAuth client made"),
    "serviceaccount.client-end": _("OAuth client deleted"),
    "serviceaccount.end": _("Service account ended"),
}
