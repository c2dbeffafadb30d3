"""`make formats`: builds the wheel and the sdist, installs each into a fresh environment and starts it from there.

What rnnviz depends on is taken from the environment this runs in; only the builder comes from the package index.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILDER = ("hatchling>=1.27", "editables")
ABOUT = (  # run inside what was installed: where it is, and that its fonts and its lessons are there
    "import pathlib, rnnviz;"
    "from rnnviz.core.resources import resource;"
    "from rnnviz.gui.look import fonts;"
    "from PySide6.QtWidgets import QApplication;"
    "app = QApplication([]);"
    "print(pathlib.Path(rnnviz.__file__).parent, rnnviz.__version__, fonts.load(), sep='|')"
)


class Refused(Exception):
    """What a format lacks, as a sentence."""


def main() -> int:
    started, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="rnnviz-formats-") as name:
        folder = Path(name)
        wheel, sdist = built(folder)
        steps: dict[str, Callable[[], None]] = {
            "the wheel holds all resources": lambda: check_wheel(wheel),
            "the wheel is installed and started": lambda: start_installed(wheel, folder / "wheel", folder),
            "the sdist is installed and started": lambda: start_installed(sdist, folder / "sdist", folder),
            "`make run` works in the unpacked sdist": lambda: make_run(sdist, folder),
        }
        for words, step in steps.items():
            try:
                step()
                print(f"ok: {words}", flush=True)
            except Refused as problem:
                failed += 1
                print(f"NOT so: {words}: {problem}", flush=True)
    print(f"{len(steps) - failed} of {len(steps)} hold, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist, made by the builder that pyproject.toml names; it lies in `links` for later steps."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "download", "--quiet", "--dest", str(folder / "links"), *BUILDER], folder)
    where = ["--no-index", "--find-links", str(folder / "links"), "--target", str(folder / "builder")]
    run([*pip, "install", "--quiet", *where, *BUILDER], folder)
    run([sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")], ROOT, PYTHONPATH=folder / "builder")
    (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return wheel, sdist


def check_wheel(wheel: Path) -> None:
    """Every file of resources/ is in it, and nothing of the tests."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {f"rnnviz/{one}" for one in tracked("resources")} | set(tracked("rnnviz"))
    if missing := sorted(wanted - held):
        raise Refused(f"it lacks {len(missing)} files, the first of them {missing[0]}")
    if spare := sorted(name for name in held if name.startswith("tests/")):
        raise Refused(f"it holds {spare[0]}")


def tracked(folder: str) -> list[str]:
    """The files of a folder of the project; where it is no clone, those that lie there."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path.relative_to(ROOT).as_posix() for path in files]


def start_installed(archive: Path, environment: Path, folder: Path) -> None:
    """Installs into a fresh environment, and draws the first lesson from an empty folder."""
    make_environment(environment)
    pip = [str(program(environment, "python")), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, "--force-reinstall", "--no-deps", str(archive)], folder, **offline(folder))
    empty = folder / f"from-{environment.name}"
    empty.mkdir()
    place, version, font = run([str(program(environment, "python")), "-c", ABOUT], empty).strip().split("|")
    if environment.resolve() not in Path(place).resolve().parents:
        raise Refused(f"rnnviz comes from {place}, not from the fresh environment")
    if f"-{version}" not in archive.name or not font:
        raise Refused(f"{archive.name} says it is version {version}, its text font is {font or 'missing'}")
    render = ["render", "--first-lesson", "--time-step", "40", "-o", "first-lesson.png"]
    run([str(program(environment, "rnnviz")), *render], empty)
    check_picture(empty / "first-lesson.png")


def make_run(sdist: Path, folder: Path) -> None:
    """`make run` without a screen draws the first lesson; a stranger's first command."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    make_environment(unpacked / ".venv")
    run(["make", "run"], unpacked, **offline(folder))
    check_picture(unpacked / "first-lesson.png")


def make_environment(place: Path) -> None:
    """A fresh environment that finds what rnnviz depends on, and pip, in the one this runs in."""
    run([sys.executable, "-m", "venv", "--without-pip", str(place)], place.parent)
    variables = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", "venv", variables))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")


def program(environment: Path, name: str) -> Path:
    return Path(sysconfig.get_path("scripts", "venv", {"base": str(environment)})) / name


def offline(folder: Path) -> dict[str, object]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder / "links"}


def check_picture(path: Path) -> None:
    if not path.is_file() or not path.read_bytes().startswith(b"\x89PNG") or path.stat().st_size < 20_000:
        raise Refused(f"{path.name} is no picture")


def run(command: list[str], folder: Path, **environment: object) -> str:
    """What a command prints; Refused with its last words where it fails."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        inherited.pop(name, None)
    settings = {name: str(value) for name, value in environment.items()}
    settings |= {"QT_QPA_PLATFORM": "offscreen", "RNNVIZ_CONFIG_DIR": str(folder / "config")}
    done = subprocess.run(command, cwd=folder, env=inherited | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Refused(f"{' '.join(command[:4])} … ended with {done.returncode}: {' / '.join(words)}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
