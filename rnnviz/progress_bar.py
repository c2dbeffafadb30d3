"""Progress bar of training without a window, on standard error."""

import sys
from typing import Any

from tqdm import tqdm

_SECONDS_ON_SCREEN = 0.2  # between two drawings of the bar
_SECONDS_IN_FILE = 5.0  # where standard error is no terminal


class ProgressBar:
    """Training steps out of `total`; it appears with the first progress, so that a mistake is told without one."""

    def __init__(self, name: str, total: int, done: int = 0) -> None:
        """`done`: training steps made before, which say nothing of the speed."""
        self._name, self._total, self._done = name, total, done
        self._bar: Any = None  # a tqdm, whose own types are incomplete

    def show(self, training_steps: int, words: str = "") -> None:
        """Moves the bar to `training_steps`, with `words` beside it."""
        if self._bar is None:
            self._bar = tqdm(
                total=self._total,
                initial=self._done,
                desc=self._name,
                unit=" training steps",
                mininterval=_SECONDS_ON_SCREEN if sys.stderr.isatty() else _SECONDS_IN_FILE,
                file=sys.stderr,
                dynamic_ncols=True,
            )
        if words:
            self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(training_steps - self._bar.n)

    def say(self, sentence: str) -> None:
        """A line of its own, above the bar."""
        if self._bar is None:
            print(sentence, file=sys.stderr, flush=True)
        else:
            self._bar.clear()
            self._bar.write(sentence, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
