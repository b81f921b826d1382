"""Sentences of the refusals of *results*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "path-too-long": _("A path has at most {most} characters and {levels} levels."),
    "path-wrong": _(
        "This path cannot be used: it leads elsewhere, or some systems do not allow such a name."
    ),
    "path-taken": _("A file or folder already exists at this path: {path}."),
    "not-a-digest": _("This must be a SHA-256: 64 hex digits in lower case."),
    "too-many-files": _("There are {most} files already: pack several into one."),
    "offset-differs": _("The file continues at byte {offset}."),
    "upload-busy": _("Another request is writing to this file."),
    "upload-lost": _("Some of this file was lost in storage. Remove it and upload it again."),
    "storage-full": _("This does not fit into the storage of the host: {left} of {size} bytes are left."),
    "piece-too-large": _("At most {most} bytes can be sent at once."),
    "other-tus-version": _("Only version {version} of the tus protocol is supported."),
    "checksum-differs": _("It was damaged on the way. Send it again."),
    "files-not-ready": ngettext_lazy(
        "{count} file is not complete, not yet checked, or not as its sender stated it: {files}.",
        "{count} files are not complete, not yet checked, or not as stated: {files} …",
        "count",
    ),
    "not-a-host": _("This must be a host name, with a port if needed."),
    "not-checksums": _("These must be lines of a checksum and a file name."),
    "on-hold": _("These results are on legal hold."),
    "not-on-hold": _("These results are not on legal hold."),
    "not-collectable": _("These results are not released yet, or have been deleted."),
    "too-many-links": _("No more links to these results are possible (at most {most}). Revoke one first."),
    "link-days": _("A link can last at most {most} days."),
    "digest-differs": _(
        "These are not the sealed results: they have changed, or what you received is incomplete."
    ),
    "kept-too-long": _("Results are kept for at most {most} days after their release."),
    "keep-asked-already": _("The host has already been asked and has not answered yet."),
    "keep-decided-already": _("This request has already been answered."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "handoff.expect": _("Results expected"),
    "handoff.file-remove": _("File of results removed"),
    "handoff.seal": _("Results sealed"),
    "handoff.release": _("Results released"),
    "handoff.point": _("Results kept at the host"),
    "handoff.withdraw": _("Results withdrawn"),
    "handoff.deliver": _("Results delivered"),
    "handoff.collect": _("Results collected"),
    "handoff.keep": _("Results kept longer"),
    "handoff.keep-ask": _("Longer retention of results requested"),
    "handoff.keep-decline": _("Longer retention of results declined"),
    "handoff.hold": _("Legal hold on results"),
    "handoff.hold-lift": _("Legal hold on results lifted"),
    "handoff.warn": _("Deletion of results announced"),
    "handoff.purge": _("Results deleted after retention"),
    "collectlink.make": _("Link to results created"),
    "collectlink.revoke": _("Link to results revoked"),
    "collectlink.end": _("Link to results ended with its creator's role"),
    "instrument.result-terms": _("Terms of results set"),
    "organisation.result-storage": _("Storage for results set"),
}
