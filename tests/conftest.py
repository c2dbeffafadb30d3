"""What every test shares: no screen, no timing, one thread."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.append(str(Path(__file__).parent))  # for the modules that several folders share

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("rnnviz", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
settings.load_profile("rnnviz")


@pytest.fixture(autouse=True, scope="session")
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the settings, runs and allowed files of whoever runs it."""
    for name in ("RNNVIZ_CONFIG_DIR", "RNNVIZ_DATA_DIR"):
        os.environ[name] = str(tmp_path_factory.mktemp("home"))
