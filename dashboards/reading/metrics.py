"""Prometheus' figures for the board of the pipeline: from a Prometheus where there is one, else from the worker's own /metrics."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from dashboards.reading.macros import Span
from dashboards.reading.promql import EVERY_S, Series
from schemas.errors import ContactmeterError

_UP = '\n# TYPE up gauge\nup{{job="worker",instance="local"}} {}\n'
"""As Prometheus notes whether what it scrapes answers."""

Line = tuple[Mapping[str, str], list[tuple[int, float]]]
"""A series: its labels, and points of epoch ms and value."""


class NoMetrics(ContactmeterError):
    """Nobody answers who knows the metrics."""


class Metrics:
    """`prometheus`: the address of one, "" for none; `worker`: the address of a worker's /metrics, which is then read every 15 seconds."""

    def __init__(self, prometheus: str, worker: str) -> None:
        self._prometheus, self._worker = prometheus.rstrip("/"), worker
        self._series = Series()
        self._session: ClientSession | None = None

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """For as long as the application runs (aiohttp's cleanup context)."""
        async with ClientSession(timeout=ClientTimeout(total=10)) as self._session:
            scraping = None if self._prometheus else asyncio.create_task(self._scrape())
            yield
            if scraping is not None:
                scraping.cancel()
                with suppress(asyncio.CancelledError):
                    await scraping

    async def ask(self, expression: str, span: Span, interval_ms: int) -> list[Line]:
        """An expression over a span. Raises NoMetrics, and InvalidConfiguration for one that only a real Prometheus understands."""
        step = max(interval_ms, int(EVERY_S * 1000))
        if self._prometheus:
            return await self._ask_prometheus(expression, span, step)
        found: dict[frozenset[tuple[str, str]], list[tuple[int, float]]] = {}
        for at in range(span.from_ms - span.from_ms % step + step, span.to_ms + 1, step):
            if at >= span.to_ms - Series.KEEP_MS:
                for labels, value in self._series.ask(expression, at / 1000).items():
                    found.setdefault(labels, []).append((at, value))
        return [(dict(labels), points) for labels, points in found.items()]

    async def _ask_prometheus(self, expression: str, span: Span, step: int) -> list[Line]:
        asked = {"query": expression, "start": span.from_ms / 1000, "end": span.to_ms / 1000, "step": step / 1000}
        answer: dict[str, Any] = await self._get(f"{self._prometheus}/api/v1/query_range", asked)
        if answer.get("status") != "success":
            raise NoMetrics(f"Prometheus refuses {expression!r}: {answer.get('error', 'it does not say why')}")
        return [(one["metric"], [(int(at * 1000), float(value)) for at, value in one["values"]]) for one in answer["data"]["result"]]

    async def _get(self, url: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert self._session is not None, "asked before it runs"
        try:
            async with self._session.post(url, data=asked) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
                return answer
        except (ClientError, TimeoutError, ValueError) as error:
            raise NoMetrics(f"Prometheus at {self._prometheus} (CONTACTMETER_PROMETHEUS) does not answer: {error}") from error

    async def _scrape(self) -> None:
        assert self._session is not None, "it runs"
        while True:
            try:
                async with self._session.get(self._worker) as response:
                    said = await response.text()
                self._series.take(said + _UP.format(1), time.time())
            except (ClientError, TimeoutError, ValueError):
                self._series.take(_UP.format(0), time.time())
            await asyncio.sleep(EVERY_S)
