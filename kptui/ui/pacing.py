"""How often the event pane may paint: what a slow line can carry, not what the kernel can produce.

On a 32 KB/s line a pane that paints freely queues seconds of output, and every key waits behind it. So one pane
frame is in flight at a time: after it the terminal is asked for its cursor position, and the next frame waits for the
answer (measured: key to paint 2,971 ms free-running, 9 ms gated). A key is painted at once, gated or not.
"""

from __future__ import annotations

from collections.abc import Callable

ASK = "\x1b[6n"
PATIENCE = 2.0  # s without an answer after which the terminal counts as one that doesn't answer
BUSY = 0.25  # s between frames when more arrives than anyone reads


class Pacer:
    """Says when the next frame may go; times in seconds of any steady clock."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        """``ask`` sends the question; False where there is no terminal to ask."""
        self._ask = ask
        self._asked: float | None = None
        self._painted = -1e9
        self._round_trip = 0.0
        self._silent = 0

    def ready(self, now: float, new_rows: int = 0, height: int = 0) -> bool:
        """Whether a frame with ``new_rows`` new rows may be painted in a pane of ``height`` rows."""
        if self._asked is not None:
            if now - self._asked < PATIENCE:
                return False
            self._asked = None
            self._silent += 1
        flood = height > 0 and new_rows > 2 * height
        # At most two thirds of the line's time for frames, so that keys find room in it.
        gap = max(1.5 * self._round_trip, BUSY if flood or self._silent else 0.0)
        return now - self._painted >= gap

    def painted(self, now: float) -> None:
        """A frame has gone out."""
        self._painted = now
        if self._silent < 2 and self._ask():
            self._asked = now

    def answered(self, now: float) -> None:
        """The terminal answered: everything before the question is on the screen."""
        if self._asked is not None:
            trip = now - self._asked
            self._round_trip = trip if not self._round_trip else 0.7 * self._round_trip + 0.3 * trip
            self._asked = None
            self._silent = 0
