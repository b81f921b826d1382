"""Sentences of the refusals and names of the acts of *attachments*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "not-a-file": _("This must be a file."),
    "unknown-file": _("This is not a JPEG, PNG or WebP photo or a PDF document."),
    "unknown-office-file": _(
        "This is not a picture (JPEG, PNG, WebP), a PDF, or a spreadsheet or text without macros (.xlsx, "
        ".docx, .ods, .odt)."
    ),
    "upload-too-large": _("This file is too large: at most {most} MB."),
    "picture-too-small": _("This picture is too small: at least {least} pixels on each side."),
    "too-many-photos": _("There are already {most} photos: delete one first."),
    "too-many-documents": _("There are already {most} documents: delete one first."),
    "file-there-already": _("This file has already been uploaded."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "instrument.attachment-add": _("Photo or document added"),
    "instrument.attachment-change": _("Photo or document changed"),
    "instrument.attachment-delete": _("Photo or document deleted"),
}
