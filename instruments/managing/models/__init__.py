from instruments.managing.models.duplicates import DuplicateVerdict

__all__ = ["DuplicateVerdict"]
