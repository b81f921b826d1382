"""The process of uploads (WSGI): that of the web, which answers the same, but loads what needs and searches
are answered with only if somebody asks it for these."""

from config.wsgi import application

__all__ = ["application"]
