"""System libraries: those that Qt loads on Linux and brings not along, and the packages of Debian they are in."""

import ctypes
import os
import sys
from collections.abc import Mapping

OFFSCREEN = {  # of every start
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
WINDOW = {  # of one on an X screen; without them Qt ends the process itself
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def lacking(libraries: Mapping[str, str]) -> str:
    """A sentence that names those this system has not, and how they come there; "" where none is lacking."""
    if sys.platform != "linux":
        return ""
    missing = {name: package for name, package in libraries.items() if not _is_there(name)}
    if not missing:
        return ""
    word = "library" if len(missing) == 1 else "libraries"
    return (
        f"The window needs the system {word} {', '.join(missing)}, which this computer lacks; on Debian and Ubuntu: "
        f"sudo apt-get install {' '.join(missing.values())}"
    )


def on_x() -> bool:
    """Whether Qt will draw on an X screen."""
    platform, shown = os.environ.get("QT_QPA_PLATFORM", ""), os.environ.get
    return platform.startswith("xcb") or bool(not platform and shown("DISPLAY") and not shown("WAYLAND_DISPLAY"))


def _is_there(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
