"""What is sent is bounded before it is read."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

from instruments.domain.attachments import MOST_BYTES
from instruments.domain.delimited import MAX_BYTES

FORM = 1_000_000  # for what a form has besides its file
MOST = max(MAX_BYTES, *MOST_BYTES.values()) + FORM


class Bounded(FileUploadHandler):
    """Refuses a body by the length it names; takes no file itself."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > MOST:
            raise RequestDataTooBig("The file is too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
