"""The launcher: starts the platform on one machine, for development, demonstration and tests.

It uses only the standard library and never imports Django's settings, because it decides what they will read.
From bottom to top: `console` (output), `stopping` (Ctrl-C), `checkout` (paths and locks), `ports`,
`processes`; `account` (the user that runs PostgreSQL), `postgres` and `valkey` (one bundled server each),
`servers` (both, shared by all commands of a checkout); `environment` (the variables that settings read),
`foreground` (a command with the terminal), `supervisor` ("make run", "make dev") and `checks` ("make check",
"make test"); `__main__` has the commands.
"""
