"""The pages for finding instruments: catalogue, instrument, map, comparison, lists, saved searches."""
