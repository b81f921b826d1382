"""Find instruments for a need in somebody's own words, with reasons."""
