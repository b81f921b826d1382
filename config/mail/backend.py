"""Deliver mail without a mail server: each message becomes a file in a folder (local mode)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.models.keys import new_id


class FolderBackend(BaseEmailBackend):
    """Delivers each mail as a file `<time-ordered id>.eml` in `folder`."""

    def __init__(self, *args: Any, folder: Path, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.folder = Path(folder)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            path = self.folder / f"{new_id()}.eml"
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.rename(path)
        return len(email_messages)
