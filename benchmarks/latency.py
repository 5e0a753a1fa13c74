"""Delay: from handing an event to the sender until a figure that holds it is read from `rolling`."""

import threading
import time
from bisect import bisect_right
from itertools import count, islice
from typing import Any

from clickhouse_connect.driver.client import Client

from benchmarks.events import history, opened
from benchmarks.results import Result
from benchmarks.rig import MEASURED, NEIGHBOUR, BenchmarkFailed, Rig
from connectors.sender import Sender
from pipeline.cli.load import DEFAULT_RATE

RATE = 100
"""Events a second; each opens a contact."""
POLL_S = 0.02
LOAD_CHUNK = 1_000
P95_TARGET_S = 2.0


class Seen:
    """Reads how many contacts the newest figure of the measured organisation counts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self) -> int:
        """The greatest n of volume over 28 days; none leaves that window while we measure."""
        where = f"organisation = '{MEASURED}' AND channel = 'telephone' AND measure = 'volume' AND window = '28d'"
        return int(self._client.query(f"SELECT max(n) FROM rolling WHERE {where}").result_rows[0][0])


class Stream:
    """Sends events of new contacts at a steady pace in a thread, and notes when."""

    def __init__(self, rig: Rig, prefix: str) -> None:
        self.sent: list[float] = []
        self._rig = rig
        self._prefix = prefix
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop, when everything sent is acknowledged."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with Sender(self._rig.bootstrap) as sender:
            begin = time.monotonic()
            for number in count():
                if self._end.wait(max(0.0, begin + number / RATE - time.monotonic())):
                    return
                self.sent.append(time.monotonic())
                sender.send(MEASURED, [opened(f"{self._prefix}-{number}", time.time_ns() // 1_000_000)])


class Load:
    """Sends history of the neighbour in the partition at the rate at which `contactmeter load` does, in a thread."""

    def __init__(self, rig: Rig) -> None:
        self.events = 0
        self._rig = rig
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        events = history(10_000_000, time.time_ns() // 1_000_000, "near")
        with Sender(self._rig.bootstrap, rate=DEFAULT_RATE) as sender:
            while not self._end.is_set():
                chunk: list[dict[str, Any]] = list(islice(events, LOAD_CHUNK))
                sender.send(NEIGHBOUR, chunk)
                self.events += len(chunk)


def run(rig: Rig, seconds: float) -> list[Result]:
    """Delays without and with a load of history beside it."""
    rig.empty()
    with rig.worker() as worker:
        worker.until(worker.ready, "the worker to be ready")
        quiet = _delays(rig, "quiet", seconds)
        with Load(rig) as load:
            begin = time.monotonic()
            loaded = _delays(rig, "loaded", seconds)
            rate = load.events / (time.monotonic() - begin)
    return [
        *_results("delay at 100 events/s", quiet, f"{len(quiet):,} events"),
        *_results("the same during a load", loaded, f"{len(loaded):,} events; the load sent {rate:,.0f} events/s beside them"),
    ]


def _results(name: str, delays: list[float], note: str) -> list[Result]:
    ordered = sorted(delays)
    at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 1.0)}
    return [
        Result(f"{name}, p50", (at[0.5],), "s", better="lower", note=note),
        Result(f"{name}, p95", (at[0.95],), "s", target=P95_TARGET_S, better="lower"),
        Result(f"{name}, longest", (at[1.0],), "s", better="lower"),
    ]


def _delays(rig: Rig, prefix: str, seconds: float) -> list[float]:
    """The delay of every event sent in `seconds`: read until all of them are seen."""
    client = rig.client()
    seen = Seen(client)
    before = seen()
    moments: list[float] = []
    counts: list[int] = []
    with Stream(rig, prefix) as stream:
        end = time.monotonic() + seconds
        deadline = end + 60
        while time.monotonic() < deadline:
            if time.monotonic() > end:
                stream.end()
            number = seen() - before
            moments.append(time.monotonic())
            counts.append(number)
            if time.monotonic() > end and number >= len(stream.sent):
                break
            time.sleep(POLL_S)
        else:
            raise BenchmarkFailed(f"of {len(stream.sent)} events {counts[-1]} were seen a minute after the last was sent")
    client.close()
    # Event i (from 0) is seen at the first reading that counts more than i.
    return [moments[bisect_right(counts, number)] - sent for number, sent in enumerate(stream.sent)]
