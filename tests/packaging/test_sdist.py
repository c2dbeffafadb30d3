"""What `make run` needs is in the sdist; `make formats` builds, installs and starts it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_ITSELF = {"pyproject.toml", "README.md", "LICENSE"}  # what the builder takes along in any case


def test_the_sdist_holds_every_file_that_the_makefile_names() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    taken = {*settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"], *OF_ITSELF}
    rules = (ROOT / "Makefile").read_text()
    named = {word for word in re.findall(r"[.\w][\w./-]*", rules) if (ROOT / word).exists()}
    assert {".ci/system-libraries", "main.py", "constraints.txt", "tests/packaging/try_formats.py"} <= named
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()} | {".", ".."}
    assert {name for name in named if name.split("/")[0] not in taken | made} == set()
