"""What a program asks a person for, in words."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "read": _("See what you may see: bookings, calendars, prices, files and exports."),
    "book": _("Book, move and cancel for you, and write needs, samples, comments and messages in your name."),
    "manage": _("Do all else that your roles allow: records, requests, closures, charges and members."),
    "upload": _("Hand over files of results in your name."),
}
