"""Names from a foreign file, made safe to show: no control or direction characters, no markup, bounded."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction marks, surrogates, unassigned, line breaks
_MARKUP = {"<": "‹", ">": "›"}  # Qt would draw a label that looks like HTML as HTML
LONGEST = 80


def shown(name: str, longest: int = LONGEST) -> str:
    """`name` on one line with at most `longest` characters; what cannot be shown becomes �, the middle is cut."""
    if len(name) > longest:
        name = name[: longest // 2] + "…" + name[-(longest - longest // 2 - 1) :]
    return "".join("�" if unicodedata.category(letter) in _HIDDEN else _MARKUP.get(letter, letter) for letter in name)


def plain_title(name: str) -> str:
    """`name` as the title of an experiment or model: shown, without path separators and outer dots."""
    return shown(name).replace("/", ".").replace("\\", ".").strip(". ")
