from instruments.attachments.models.attachments import Attachment, StoredFile

__all__ = ["Attachment", "StoredFile"]
