"""The launcher: starts the platform on one machine, for development, demonstration and tests.

Standard library only, and Django's settings are never imported: the launcher decides what
they will read. From bottom to top: `console` (what is said), `stopping` (Ctrl-C), `checkout`
(where things lie, locks), `ports`, `processes`; `account` (as whom PostgreSQL runs),
`postgres` and `valkey` (one bundled server each), `servers` (both, shared by all commands of
a checkout); `environment` (what settings read), `foreground` (a command with the terminal),
`supervisor` ("make run", "make dev") and `checks` ("make check", "make test"); `__main__` has the
commands.
"""
