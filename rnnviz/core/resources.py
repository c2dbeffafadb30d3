"""Where the files that ship with rnnviz lie: inside the installed package, or beside it in a checkout."""

from pathlib import Path

from rnnviz.core.errors import RnnvizError

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "resources", _PACKAGE.parent / "resources")


def resource(name: str) -> Path:
    """The file called `name`, for example "icons/play.svg"; RnnvizError if it did not come with this installation."""
    for folder in _FOLDERS:
        path = folder / name
        if path.is_file():
            return path
    raise RnnvizError(f"The file {name} that ships with rnnviz is missing from {_FOLDERS[0]} and {_FOLDERS[1]}.")
