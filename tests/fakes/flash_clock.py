"""The clock of flashing, in tests."""

import time
from collections.abc import Callable
from types import ModuleType

import pytest

from modthread._flash import flasher


class Clock:
    """The clock of flashing: it stands still until nothing can come any more.

    Then all limits are over, after one more look. So no limit ends while a fake board is at work,
    however busy the host is, and nobody waits for the end of one.
    """

    def __init__(self) -> None:
        self.nothing_comes: Callable[[], bool] = lambda: False
        self._now = 0.0
        self._looks = 0
        self._deadline = time.monotonic() + 120

    def install(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Be the clock of these modules; a fake that answers may take its time, too."""
        for module in modules:
            monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(flasher, "ANSWER_LIMIT", 120.0)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, _: float) -> None:
        assert time.monotonic() < self._deadline, "what the test waits for does not come"
        if not self.nothing_comes():
            time.sleep(0.02)
        elif self._looks == 0:
            self._looks = 1
        else:
            self._looks = 0
            self._now += 3600
