"""The few calls of Grafana's HTTP API that `contactmeter grafana check` makes. Secrets go into a header and nowhere else."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from schemas.errors import ContactmeterError

PATIENCE_S = 60.0
MOST_BYTES = 64_000_000


class GrafanaError(ContactmeterError):
    """Grafana did not answer, or not with what was asked: the message says which call, and why. status: of HTTP, 0 when there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    """What a data source answered to one question: the names of its columns, their kinds as Grafana has them, and how many rows."""

    columns: list[str]
    rows: int
    values: list[list[Any]]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token must not follow to another address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Grafana:
    """One Grafana, asked as one account."""

    def __init__(self, url: str, authorization: str, ca_file: str = "") -> None:
        """url: the address that a browser opens, with its path. authorization: the header. Raises GrafanaError for other addresses."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise GrafanaError(f"{parts.hostname or 'the address'} must be written as https://grafana.example or http://127.0.0.1:3000")
        self.url = url.rstrip("/")
        self.encrypted = parts.scheme == "https"
        self.loopback = _loopback(parts.hostname)
        self._headers = {"Authorization": authorization, "Accept": "application/json", "Content-Type": "application/json"}
        try:
            context = ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            raise GrafanaError(f"--ca-file {ca_file} holds no certificate that can be read: {error.strerror or error}") from None
        proxies = [urllib.request.ProxyHandler({})] if self.loopback else []
        self._opener = urllib.request.build_opener(_NoRedirects(), urllib.request.HTTPSHandler(context=context), *proxies)

    def get(self, path: str) -> Any:
        """What stands at a path. Raises GrafanaError."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What Grafana answers to a body. Raises GrafanaError."""
        return self._call("POST", path, body)

    def find(self, path: str) -> Any | None:
        """What stands at a path; None when nothing does. Raises GrafanaError."""
        try:
            return self.get(path)
        except GrafanaError as error:
            if error.status == 404:
                return None
            raise

    def ask(self, query: Mapping[str, Any], from_ms: int, to_ms: int) -> Answer:
        """The answer of a data source to one question, over a span. Raises GrafanaError with what the data source says."""
        body = {"from": str(from_ms), "to": str(to_ms), "queries": [query]}
        result = self.post("/api/ds/query", body)["results"][query["refId"]]
        if result.get("error"):
            raise GrafanaError(str(result["error"]), int(result.get("status") or 0))
        frames = result.get("frames") or []
        columns = [str(field["name"]) for frame in frames for field in frame["schema"]["fields"]]
        values = [column for frame in frames for column in (frame.get("data") or {}).get("values") or []]
        return Answer(columns, max((len(column) for column in values), default=0), values)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self._headers, method=method)
        what = f"{method} {path}"
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise GrafanaError(f"{what}: {_refusal(error)}", error.code) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise GrafanaError(f"{self.url} does not answer: {reason}") from None
        except ValueError:
            raise GrafanaError(f"{what}: the answer is no JSON; is {self.url} the address of a Grafana?") from None


def by_token(token: str) -> str:
    """The header of a service account's token."""
    return f"Bearer {token}"


def by_password(user: str, password: str) -> str:
    """The header of a user with a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(error: urllib.error.HTTPError) -> str:
    """Why, in Grafana's words where it says so. A failed question comes as HTTP 400 or 500 with the reason in its result."""
    if 300 <= error.code < 400:
        return f"Grafana sends on to another address ({error.headers.get('Location', '?')}); give that as --url"
    hint = {401: " (is the token or the password right?)", 403: " (the account may not do this)"}.get(error.code, "")
    try:
        said = json.loads(error.read(MOST_BYTES))
        reasons = [str(one["error"]) for one in (said.get("results") or {}).values() if one.get("error")]
        message = "; ".join(reasons) or str(said.get("message") or error.reason)
    except (ValueError, AttributeError, OSError):
        message = str(error.reason)
    return f"HTTP {error.code}: {message}{hint}"
