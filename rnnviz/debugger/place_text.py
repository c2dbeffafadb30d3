"""Text of a place: the numbers and the words for first and last that people type, in the one spelling `goto` reads."""

import re
import unicodedata
from functools import partial

from rnnviz.core.errors import RnnvizError
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program

_FIRST, _LAST = r"first|start|beginning|begin", r"last|end|final"
_END = rf"(?P<end>{_FIRST}|{_LAST})"
_TRAINING, _TIME = r"training\s*step|train\s+step|iteration|iter|epoch|step|k", r"time\s*step|time|t"
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_NAMED = "training step|time step|timestep|step|time|iteration|epoch|unit|neuron|layer|sequence|sample|t|k"
_REWRITTEN = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"(?<=[0-9])[,_'’\u202f\u00a0](?=[0-9]{3}(?![0-9]))", ""),
        (r"(?<=[0-9]) (?=000(?![0-9]))", ""),
        (r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?)(?:e\+?([0-9]{1,2})|k)(?!\w)", lambda found: _whole(found)),
        (r"\b([0-9]+)(?:st|nd|rd|th)\s+(training step|time step|step|iteration|epoch|unit|neuron|sequence|t|k)\b",
         r"\2 \1"),
        (r"\b([0-9]+)(?:st|nd|rd|th)\b", r"\1"),
        (rf"\b({_NAMED})\s+(?:no\.?|nr\.?|number|num)\s*(?=[0-9])", r"\1 "),
        (rf"\b({_NAMED})\s+({'|'.join(_SMALL)})\b", lambda found: f"{found[1]} {_SMALL.index(found[2].lower())}"),
        (r"^([0-9]+),(?=[0-9]+(?![\w.,]))", r"\1 "),
        (r"(?<=[0-9])\s*[:–—-]\s*(?=[0-9])|(?<=[0-9])\s*&\s*|[;·()]|,(?![0-9])|(?<![0-9]),", " "),
    )
)  # fmt: skip
_OF = re.compile(
    r"(?<![\w.])(?P<name>[^\W\d]*\s*[=:#]?\s*)(?P<place>[0-9]+)\s*(?:out\s+of|of|/)\s*(?P<all>[0-9]+)(?![\w.])"
)
_AT_END = rf"(?P<end2>{_FIRST}|{_LAST})\b"
_ENDS = tuple(
    (what, re.compile(pattern, re.IGNORECASE))
    for what, pattern in (
        ("phase", rf"\b{_END}\s+(?:of\s+)?(?:the\s+)?(?P<phase>{'|'.join(phase.value for phase in Phase)})\b"),
        ("layer", rf"\b(?P<end>{_FIRST}|{_LAST}|bottom|top)\s+layer\b"),
        ("time step", rf"\b{_END}\s+(?:{_TIME})(?![\w.])|\b(?:{_TIME})\s*[=:]?\s*{_AT_END}"),
        ("training step", rf"\b{_END}\s+(?:{_TRAINING})(?![\w.])|\b(?:{_TRAINING})\s*[=:]?\s*{_AT_END}"),
        ("time step", rf"\b{_END}\b|(?-i:\bt\s*[=:]?\s*T\b|(?<!\S)T(?=\s*$|\s+(?![-−0-9=:#])))"),
    )
)  # fmt: skip


def plain_place(text: str, program: Program, cursor: Cursor) -> str:
    """`text` with whole numbers in digits, without "of 50", and with numbers for the first and the last of anything.

    RnnvizError for the 17th of 12, and for the last training step where nobody knows which it is.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    for pattern, instead in _REWRITTEN:
        text = pattern.sub(instead, text)
    text = _OF.sub(lambda found: _without_all(found, program), text)
    for what, ending in _ENDS:
        text = ending.sub(partial(_at_end, what, program, cursor), text)
    return text


def _whole(found: re.Match[str]) -> str:
    """1e3 and 1k as 1000; what is no whole number stays, to be refused."""
    value = float(found[1]) * 10.0 ** int(found[2] or 3)
    return f"{value:.0f}" if value.is_integer() and value < 1e15 else found[0]


def _without_all(found: re.Match[str], program: Program) -> str:
    """t 17 for t 17 of 50, and for step 17 of 50 where there are 50 time steps."""
    name, place, count = found["name"].strip(" =:#").lower(), found["place"], int(found["all"])
    if int(place) > count:
        raise RnnvizError(f"go to: wanted a place up to {count}, for example “t {program.time_steps}”; got {place}")
    known = program.training_steps
    trained = len(known) > 0 and count == known[-1]
    if name in ("", "step") and count == program.time_steps and not trained:
        return f"t {place}"
    return f"step {place}" if not name and trained else f"{found['name']}{place}"


def _at_end(what: str, program: Program, cursor: Cursor, found: re.Match[str]) -> str:
    groups = found.groupdict()
    end = (groups.get("end") or groups.get("end2") or "last").lower()
    last = end in (*_LAST.split("|"), "top")
    if what == "phase":
        phase = Phase(found["phase"].lower())
        there = program.at(program.last_of(phase) if last else program.first_of(phase), cursor)
        layer = there.layer if program.layers else ""
        return f"{phase.value} t {there.time_step} {layer}" if phase.swept else phase.value
    if what == "layer":
        return program.layers[-1 if last else 0] if program.layers else found[0]
    if what == "training step":
        steps = program.training_steps
        if not len(steps):
            raise RnnvizError(f"go to: wanted a training step by its number, “step 500”: no {end} one is known here")
        return f"step {steps[-1 if last else 0]}"
    return "t -1" if last else "t 1"
