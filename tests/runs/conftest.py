"""Lets the tests beside it, and the processes they start, import the small runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
