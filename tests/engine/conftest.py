"""The live engine of `live_engine.py` runs inside the tests' own process."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _stay_as_nice_as_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test changes how nice its own process is."""
    monkeypatch.setattr("rnnviz.engine.training.lifetime.stay_behind", lambda: None)
