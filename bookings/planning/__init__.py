"""Planned together: reviews before an instrument is bought."""
