"""Logging to stderr: lines of text or JSON, with the id of the request.

Defines the format of a line. A record always stays one line, whatever its message contains, so
nobody can inject lines into the log.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from hailwhale.web.plugins.request_log import request_id

_TEXT = "%(asctime)s %(name)s[%(process)d] %(levelname)s: %(message)s"


def log_to_stderr(form: str = "text") -> None:
    """Log to stderr from INFO up; `form` is text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class TextLines(logging.Formatter):
    """Formats a record as text, its fields as name=value; tracebacks follow unchanged."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        line = super().formatMessage(record)
        extra = "".join(f" {name}={value}" for name, value in _shown(record).items())
        return _one_line(line + extra)


class JsonLines(logging.Formatter):
    """Formats a record as a JSON object: time, level, logger, process, message and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **_shown(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True, default=str)


def _shown(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields of a record other than its message, with the id of its request."""
    shown: dict[str, object] = dict(getattr(record, "shown", {}))
    if id := request_id.get():
        shown["request"] = id
    return shown


def _one_line(text: str) -> str:
    r"""Escape line breaks and control characters in a text.

    >>> _one_line("a" + chr(10) + "b" + chr(27) + "[31m")
    'a\\nb\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
