"""PostgreSQL as Django has it, but a connection to a server that takes no writes any more is as
good as a dead one."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Ask whether the connection answers, as each request does first, and look at what the
        server reports by itself with its answers: a primary that was demoted, or is to be, may
        keep its sessions alive. A new connection goes to the new primary where the address names
        several hosts with `target_session_attrs=read-write`."""
        if not super().is_usable():
            return False
        reported = self.connection.info.parameter_status
        return "on" not in {reported("in_hot_standby"), reported("default_transaction_read_only")}
