"""Limit the size of request bodies before they are read."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

from instruments.attachments.domain.attachments import MOST_BYTES
from instruments.reading.domain.delimited import MAX_BYTES

FORM = 1_000_000  # for what a form has besides its file
MOST = max(MAX_BYTES, *MOST_BYTES.values()) + FORM


class Bounded(FileUploadHandler):
    """Refuses a body whose declared length is too large; leaves the files in it to other handlers."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > MOST:
            raise RequestDataTooBig("The file is too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
