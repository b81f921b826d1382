"""Sentences of the refusals of *samples*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "sample-step": _(
        "Sample {sample} is {state}: it cannot become {wanted}, or you may not make this change."
    ),
    "sample-gone": _("Sample {sample} is {state}: it can no longer be measured."),
    "sample-away": _("Sample {sample} is {state}: only samples that are still with you can be removed."),
    "too-many-samples": _("You can have at most {most} announced samples."),
    "not-a-sample-code": _("This is not a sample code such as ABCD-EFGH."),
    "not-a-pdf": _("A safety data sheet is uploaded as a PDF."),
    "mistyped-code": _("One character of this code is wrong."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "sample.announce": _("Sample announced"),
    "sample.change": _("Sample description changed"),
    "sample.note": _("Reference noted"),
    "sample.step": _("Step of a sample recorded"),
    "sample.join": _("Sample added to a booking"),
    "sample.leave": _("Sample removed from a booking"),
    "facility.sample-receiving": _("Receiving of samples changed"),
    "sample.sheet": _("Safety data sheet of a sample changed"),
    "sample.photo-add": _("Photo of a sample added"),
    "sample.photo-delete": _("Photo of a sample deleted"),
}
