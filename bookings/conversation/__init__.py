"""Conversations between a person and a host, and another time that one proposes to the other."""
