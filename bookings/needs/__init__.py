"""From a need in somebody's own words to instruments that answer it, with reasons."""
