"""Sample items: things that are sent in, measured and returned."""
