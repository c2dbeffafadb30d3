"""What every test shares: no screen, no timing, one thread."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.append(str(Path(__file__).parent))  # for the modules that several folders share

import pytest
from hypothesis import HealthCheck, settings
from warm_python import warm_python

settings.register_profile("rnnviz", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
settings.load_profile("rnnviz")


@pytest.fixture(autouse=True, scope="session")
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the settings, runs and allowed files of whoever runs it."""
    for name in ("RNNVIZ_CONFIG_DIR", "RNNVIZ_DATA_DIR"):
        os.environ[name] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def warm_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What takes the words Python takes, and runs `-m rnnviz …` in a fork of a process that has torch loaded."""
    with warm_python(tmp_path_factory.mktemp("warm")) as program:
        yield program


@pytest.fixture
def warm(warm_program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines and commands that this test starts have torch loaded already."""
    monkeypatch.setattr(sys, "executable", warm_program)
