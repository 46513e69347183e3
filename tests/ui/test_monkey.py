"""A monkey at the keyboard: whatever is pressed, in whatever order, nothing falls over and nothing is left behind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kptui.ui.commands import COMMANDS
from tests.ui.support import demo

# Leaving, and what suspends the terminal, ends the game.
_ENDING = {"quit", "quit.now", "stop", "suspend", "copy.show"}
KEYS = sorted({key for command in COMMANDS if command.id not in _ENDING for key in command.keys} - {"q", "Y"})
TYPED = [
    "v",
    "f",
    "s",
    "0",
    "1",
    "percent_sign",
    "space",
    "backspace",
    "quotation_mark",
    "equals_sign",
    "comma",
]


@pytest.mark.parametrize("seed", range(5))
async def test_monkey(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    size = [(80, 24), (160, 48), (20, 5), (120, 30), (40, 12)][seed]
    async with demo(tmp_path, size) as it:
        pressed: list[str] = []
        for step in range(150):
            key = rng.choice(KEYS if rng.random() < 0.8 else TYPED)
            pressed.append(key)
            await it.pilot.press(key)
            if step % 25 == 24:
                it.files.advance(0.5)
                await it.pilot.pause(0.02)
            if step % 60 == 59:
                await it.pilot.resize_terminal(rng.randint(1, 200), rng.randint(1, 60))
            assert it.app.is_running, f"ended after {pressed}"
            assert it.app._exception is None, f"{it.app._exception!r} after {pressed}"
        await it.settle()
        # Others' probes stand as they did.
        assert "p:kprobes/old_probe do_exit" in it.listed()
