"""Reviews before buying."""
