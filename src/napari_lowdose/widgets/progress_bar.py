"""A bar that says how far a job is and how long it will take."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QProgressBar


class ProgressBar(QProgressBar):
    """Follow the engine's progress events."""

    def __init__(self) -> None:
        super().__init__()
        self.rest()

    def follow(self, message: dict[str, Any]) -> None:
        """Show one progress event; without a total, that something goes on."""
        self.setMaximum(int(message.get("total", 0)))
        self.setValue(int(message.get("done", 0)))
        left = message.get("seconds_left")
        text = "%p %" if left is None else f"%p % – {time_left(left)}"
        self.setFormat(text if message.get("total") else "")

    def rest(self) -> None:
        """Show that nothing goes on."""
        self.setMaximum(1)
        self.setValue(0)
        self.setFormat("")


def time_left(seconds: float) -> str:
    """Say a duration as roughly as one needs it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60} min left"
