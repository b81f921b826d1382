"""The pages that search: catalogue, instrument, map, comparing, lists, saved searches."""
