"""Speak with QEMU's control channel: QMP requests over a unix socket, and the human monitor through it."""

from __future__ import annotations

import json
import socket
import time


# Only a QEMU that hangs lets anybody wait so long: one that has ended closes the connection.
LIMIT = 300


class QMPError(Exception):
    """QEMU refused a request, or is gone."""


class QMP:
    """One connection. Requests are answered in order; events that arrive meanwhile are kept in `events`."""

    def __init__(self, connection: socket.socket) -> None:
        self.events: list[dict] = []
        self._socket = connection
        self._pending = b""
        self._receive(time.monotonic() + LIMIT)  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> object:
        """Run a command and return what it returns."""
        request = {"execute": command, "arguments": arguments}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QMPError(f"{command}: {error}") from error
        deadline = time.monotonic() + LIMIT
        while True:
            message = self._receive(deadline)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise QMPError(f"{command}: {message['error']['desc']}")
            self.events.append(message)

    def human(self, line: str) -> str:
        """Run a line of the human monitor and return its text."""
        return str(self.execute("human-monitor-command", **{"command-line": line}))

    def wait_event(self, name: str, timeout: float) -> dict:
        """Wait for the next event of this name; those that came before stay in `events`."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event.get("event") == name:
                    return event
            seen = len(self.events)
            self.events.append(self._receive(deadline))

    def close(self) -> None:
        self._socket.close()

    def _receive(self, deadline: float) -> dict:
        while b"\n" not in self._pending:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise QMPError(f"no answer: {error}") from error
            if not data:
                raise QMPError("QEMU closed the connection")
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        return json.loads(line)
