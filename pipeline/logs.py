"""How a process logs: a line a message on stderr, as text or as JSON, with the same fields.

Content of events never belongs in a message; who logs names organisations, tables, topics and offsets. The text of an *error* comes from
elsewhere and may quote what it failed on, so what looks like a person there is masked.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

STYLES = ("text", "json")
CONTEXT = ("organisation", "table", "topic", "partition", "offset", "reason", "seconds")
"""What a message may carry beside its text: `log.info(…, extra={"organisation": name})`."""
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|(?<![\w.])\+?\d{9,12}(?![\w.])|(?<![\w.])0\d{1,3}[ -]\d{6,8}(?!\w)")
"""E-mail addresses, and numbers as citizens and telephones have them."""


class Formatter(logging.Formatter):
    """One line a message: `2026-03-02T09:00:00.123Z INFO pipeline.worker: text [organisation=…]`, or one JSON object."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self._json = style == "json"

    def format(self, record: logging.LogRecord) -> str:
        """The line. An error's traceback follows it as text, and is a field of the JSON object."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = masked(record.getMessage()) if record.levelno >= logging.WARNING else record.getMessage()
        context = {name: getattr(record, name) for name in CONTEXT if hasattr(record, name)}
        trace = masked(self.formatException(record.exc_info)) if record.exc_info and record.exc_info[0] else ""
        if self._json:
            content = {"time": at, "level": record.levelname, "logger": record.name, "message": message, **context}
            return json.dumps({**content, **({"exception": trace} if trace else {})}, ensure_ascii=False, default=str)
        beside = f" [{' '.join(f'{name}={value}' for name, value in context.items())}]" if context else ""
        return f"{at} {record.levelname} {record.name}: {message}{beside}" + (f"\n{trace}" if trace else "")


def masked(text: str) -> str:
    """`text` with asterisks for what looks like an e-mail address or a person's number."""
    return _PERSONAL.sub("***", text)


def configure(style: str) -> None:
    """Log to stderr in one of STYLES. Libraries speak from warnings on; what the clients of Kafka and ClickHouse fail at, we say, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter(style))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
