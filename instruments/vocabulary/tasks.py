"""Jobs of *vocabulary*."""

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from instruments.vocabulary.selectors.needs import embed_vocabulary

TASKS = Tasks(
    jobs=(
        # Does something only if the encoder is installed, and the vocabulary or the encoder is new.
        Job(
            "instruments.tasks.embed_vocabulary", "meanings of needs", _("Meanings of needs"), 60.0,
            lambda now: embed_vocabulary(),
        ),
    ),
)  # fmt: skip
