"""Events of the board: sent as something changes, and over as soon as the board is told to end."""

import http.client
import json
import time

from boards import Board, scratch_board

__all__ = ["scratch_board"]


def test_events_end_with_the_board(scratch_board: Board) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", scratch_board.port, timeout=60)
    connection.request("GET", "/run/events?env=smoke", headers={"Cookie": scratch_board.cookie})
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    line = answer.readline().decode()
    assert json.loads(line.removeprefix("data: "))["state"] == "idle"
    began = time.monotonic()
    scratch_board.app.state.ending = True
    try:
        assert answer.read().strip() == b""
        assert time.monotonic() - began < 10
    finally:
        scratch_board.app.state.ending = False
        answer.close()
        connection.close()
