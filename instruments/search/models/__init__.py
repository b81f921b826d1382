from instruments.search.models.search import SearchEntry, SearchGroup, SearchWord

__all__ = ["SearchEntry", "SearchGroup", "SearchWord"]
