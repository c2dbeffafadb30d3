"""Numbers of the command line: what a person typed behind an option, or one sentence on what was wanted."""

import argparse
import math
import re
from collections.abc import Callable

_MOST_DIGITS = 18
_MOST_SHOWN = 40


def whole_number(least: int) -> Callable[[str], int]:
    """Reads a whole number from `least` on."""

    def read(text: str) -> int:
        plain = text.strip().replace("−", "-")
        if not re.fullmatch(rf"[+-]?[0-9]{{1,{_MOST_DIGITS}}}", plain) or int(plain) < least:
            digits = f" of at most {_MOST_DIGITS} digits" if len(plain) > _MOST_DIGITS else ""
            raise argparse.ArgumentTypeError(f"wanted a whole number from {least} on{digits}, not {_shown(text)}")
        return int(plain)

    return read


def real_number(text: str) -> float:
    """Reads a number with a decimal point."""
    plain = text.strip().replace("−", "-")
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        comma = re.fullmatch(r"[+-]?[0-9]+,[0-9]+", plain)
        wanted = f"a decimal point, {plain.replace(',', '.')}" if comma else "a number such as 0.5"
        raise argparse.ArgumentTypeError(f"wanted {wanted}, not {_shown(text)}")
    return value


def _shown(text: str) -> str:
    return f"“{text[:_MOST_SHOWN]}”" if text.strip() else "nothing"
