"""Reviews of planned purchases, before an instrument is bought."""
