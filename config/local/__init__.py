"""The launcher: starts the platform on one machine, for development, demonstration and tests.

Standard library only, and Django's settings are never imported: the launcher decides what
they will read. From bottom to top: `stopping`, `console` and `checkout` (where things lie),
`processes` and `ports`, `postgres` and `valkey` (one bundled server each), `servers` (both
together), `supervisor` (make run) and `checks` (make test), `__main__` (the commands).
"""
