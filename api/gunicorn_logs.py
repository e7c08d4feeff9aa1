"""Log lines of gunicorn in the form of all others: `gunicorn --logger-class api.gunicorn_logs.Logger …`."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from pipeline.logs import configure_logs


class Logger(GunicornLogger):
    """Leave gunicorn's own lines to the root logger; requests are logged by the app."""

    def setup(self, cfg: Any) -> None:
        """Set the loggers up, in the master and again in each worker."""
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), self.LOG_LEVELS["info"])
        self.error_log.setLevel(self.loglevel)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.access_log.disabled = True
        configure_logs()
