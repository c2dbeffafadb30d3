"""Golden values: kept as JSON in `tests/data/golden`, compared text by text and number by number.

`RNNVIZ_REPLACE_GOLDEN=1 python -m pytest tests/golden` writes them anew, on purpose only: what is compared is then
skipped, and git shows what changed.
"""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "data" / "golden"
REPLACE = "RNNVIZ_REPLACE_GOLDEN"
BOUND = 1e-12  # of numbers of about 1, in float64


def compare(name: str, got: Any) -> None:
    """Fails with every difference between `got`, plain values, and the golden file `name`."""
    path = FOLDER / f"{name}.json"
    got = json.loads(json.dumps(got))
    if os.environ.get(REPLACE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(_short(got)), encoding="utf-8")
        pytest.skip(f"{path.name} is replaced")
    if not path.exists():
        pytest.fail(f"{path.name}: no golden file yet; write it by {REPLACE}=1 python -m pytest tests/golden")
    found = differences(got, json.loads(path.read_text(encoding="utf-8")))
    more = f"\n… and {len(found) - 12} more" if len(found) > 12 else ""
    assert not found, f"{path.name}: {len(found)} differ\n" + "\n".join(found[:12]) + more


def differences(got: Any, wanted: Any, where: str = "") -> list[str]:
    """One sentence for each place where the two differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        found = [] if [*got] == [*wanted] else [f"{where}: keys {[*got]}, wanted {[*wanted]}"]
        return found + [
            one for key in wanted if key in got for one in differences(got[key], wanted[key], f"{where}/{key}")
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(got) == len(wanted):
        return [
            one
            for number, pair in enumerate(zip(got, wanted, strict=True))
            for one in differences(*pair, f"{where}/{number}")
        ]
    if isinstance(wanted, float) and isinstance(got, float):
        return (
            [] if math.isclose(got, wanted, rel_tol=BOUND, abs_tol=BOUND) else [f"{where}: {got!r}, wanted {wanted!r}"]
        )
    return [] if type(got) is type(wanted) and got == wanted else [f"{where}: {got!r}, wanted {wanted!r}"]


def _short(values: Any) -> Any:
    """Numbers with 14 digits: a hundredth of the bound."""
    if isinstance(values, float):
        return float(f"{values:.14g}")
    if isinstance(values, dict):
        return {key: _short(value) for key, value in values.items()}
    return [_short(value) for value in values] if isinstance(values, list) else values


def _text(values: Any) -> str:
    """JSON with one line for each list of plain values, so that a difference can be read."""
    text = json.dumps(values, ensure_ascii=False, indent=1)
    flat = re.compile(r"\[\s*((?:(?:\"(?:[^\"\\]|\\.)*\"|[^\[\]{}\",\s]+),?\s*)+)\]")
    return flat.sub(lambda match: "[" + re.sub(r",\n\s*", ", ", match[1].strip()) + "]", text) + "\n"
