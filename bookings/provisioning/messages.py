"""Sentences of the refusals of *provisioning*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "directory-name-taken": _("The directory has entered somebody with this userName already."),
    "directory-person-known": _("The directory has entered this member already, under another userName."),
    "directory-person-unknown": _("The directory has not entered this person: create the user first."),
    "directory-full": _("A directory enters at most {most} people. Assign fewer to this application."),
    "directory-group-known": _("This group is there already, as each role is one: change its members."),
    "directory-group-unknown": _("Groups are the organisation's roles. Name the group as one of: {roles}."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "directoryperson.add": _("Entered by the directory"),
    "directoryperson.change": _("Changed by the directory"),
    "directoryperson.remove": _("Removed by the directory"),
}
