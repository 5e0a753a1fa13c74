"""The program `contactmeter` with the stack's own commands and stand-ins for set-up, worker, board and simulator."""

import http.server
import json
import os
import sys
import time

import typer

from pipeline.cli import doctor, stack

PROGRAM = (sys.executable, "-m", "tests.deploy.stand_in")
STATUS = {"lag": 1234, "rejects": 2, "last_event": 1767225600000}


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(STATUS).encode() if self.path == "/status" else b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Say nothing: the log is what a test looks at."""


def setup() -> None:
    print("set up on", os.environ["CONTACTMETER_KAFKA"])


def worker() -> None:
    print("working", flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["CONTACTMETER_HEALTH_PORT"])), Health).serve_forever()


def board() -> None:
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["CONTACTMETER_BOARD_PORT"])), Health).serve_forever()


def simulate() -> None:
    while True:
        print("simulated", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    stack.PROGRAM = PROGRAM
    app = typer.Typer()
    stack.register(app)
    doctor.register(app)
    for command in (setup, worker, board, simulate):
        app.command()(command)
    app()
