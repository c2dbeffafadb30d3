"""Sentences: what is said in words, "stop when the loss falls below 0.05" or "gradients vanish", as a condition."""

import re

from rnnviz.core.expressions.problems import ExpressionError

_BE = r"(?:(?:is|are|was|has|have|been|gets?|goes|going|becomes?|turns?|starts?|to|stays?|completely|fully)\s+)*"
_MOVES = r"(?:(?:is|are|was|has|have|been|gets?|goes|becomes?|stays?|rises?|falls?|drops?|grows?|climbs?)\s+)*"
_STOP = r"(?:stop|break|pause|halt|breakpoint|alert(?:\s+me)?|tell\s+me|train|wait|log)(?:\s+(?:the\s+)?training)?"
_OR_EQUAL = r"(?:than\s+or|then\s+or|or)\s+equal(?:\s+to)?"
_REWORDED = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"^\s*(?:please\s+)?(?:{_STOP}\s+)?(?:when(?:ever)?|if|once|until|where|as\s+soon\s+as)\s+", ""),
        (rf"^\s*{_STOP}\s+(?:at|on)\s+(?=\D)", ""),
        (r"\s*,?\s*\b(?:then\s+)?(?:stop|break|pause)\s*$|\s+then\s*$", ""),
        (r"^\s*(?:is|are|has|have|does|did|do|was|were)\s+", ""),
        (r"\b(and|or|not)\b", lambda found: found[1].lower()),
        (r"\bpre[\s_]?activations?\b", "pre-activation"),
        (r"\b(?:with\s+respect\s+to|w\.?\s?r\.?\s?t\b\.?)", "of"),
        (r"\bof\s+(?:the\s+)?loss\s+of\b", "of"),
        (r"\b(?:percent|per\s+cent)\b", "%"),
        (r"\btwice\s+(?:the\s+)?|\b2\s*x\s+", "2 * "),
        (r"\b([0-9.]+)\s*(?:x|times)\s+(?:the\s+|its\s+)?(?=[^\W\d])", r"\1 * "),
        (rf"\s+{_MOVES}(?:greater|larger|bigger|higher|more)\s+{_OR_EQUAL}\s+", " >= "),
        (rf"\s+{_MOVES}(?:less|lower|smaller|fewer)\s+{_OR_EQUAL}\s+", " <= "),
        (rf"\s+{_MOVES}(?:at\s+least|no(?:t)?\s+(?:less|lower|smaller)\s+than)\s+", " >= "),
        (r"\s+(?:reach(?:es|ed)?|hits?)\s+", " >= "),
        (rf"\s+{_MOVES}(?:at\s+most|no(?:t)?\s+(?:more|greater|larger|higher)\s+than)\s+", " <= "),
        (rf"\s+{_MOVES}(?:(?:greater|larger|bigger|higher|more)\s+(?:than|then)|above|over|beyond)\s+", " > "),
        (r"\s+(?:exceeds?|exceeded|gt)\s+", " > "),
        (rf"\s+{_MOVES}(?:(?:less|lower|smaller|fewer)\s+(?:than|then)|below|under|beneath)\s+|\s+lt\s+", " < "),
        (r"\s+(?:is|are)\s+(?:not\s+equal\s+to|different\s+from|not)\s+(?=[-+.0-9])", " != "),
        (r"\s+(?:differs\s+from|ne)\s+", " != "),
        (r"(?<=\s)zero$", "0"),
        (r"\s+(?:is|are)\s+(?:exactly\s+)?(?=[-+.0-9])|\s+(?:is\s+)?equal(?:s|\s+to)\s+|\s+eq\s+", " == "),
        (r"^(\S.*?)\s*([<>]=?)\s*([0-9.]+)\s*\*\s*(median|mean|average)$", r"\1 \2 \3 * \4(\1, 50)"),
    )
)  # fmt: skip

_GRADIENTS = r"(?:the\s+)?(?:hidden\s+)?grad(?:ient)?s?(?:\s+(?:norm|magnitude)s?)?"
_VANISH = r"(?:vanish\w*|disappear\w*|die[sd]?|dying|dead)"
_EXPLODE = r"(?:explod\w*|blow(?:s|ing)?\s*up|overflow\w*)"
_IS = r"(?:\s*==?|\s+(?:is|are|becomes?|turns?(?:\s+in)?(?:to)?|goes(?:\s+to)?|gets?|has|contains))\s*"
_INFINITE = r"(?:not\s+finite|[-+−]?\s*(?:inf|infs|infinity|infinite|∞))"
_STEP = r"(?:training\s+step|step|iteration|iter|epoch)"
_HAPPENINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"{_GRADIENTS}\s+{_BE}{_VANISH}|{_VANISH}\s+{_GRADIENTS}", "norm(dh[1]) < 1e-6"),
        (rf"{_GRADIENTS}\s+{_BE}{_EXPLODE}|{_EXPLODE}\s+{_GRADIENTS}", "grad_norm > 100"),
        (r"(?:any|has|contains)?\s*nans?(?:\s+(?:anywhere|loss))?", "isnan(loss)"),
        (rf"(.+?){_IS}(?:a\s+)?[\"']?(?:nans?|not\s+a\s+number)[\"']?", r"isnan(\1)"),
        (rf"(.+?){_IS}{_INFINITE}", r"not isfinite(\1)"),
        (rf"(.+?\s+gates?)\s+{_BE}saturat\w*", r"any(abs(\1 - 0.5) > 0.49)"),
        (rf"((?:the\s+)?(?:hidden(?:\s+(?:state|unit)s?)?|h))\s+{_BE}saturat\w*", "any(abs(h) > 0.99)"),
        (rf"(.+?\s+gates?)\s+{_BE}(?:clos\w*|shut\w*)", r"any(\1 < 0.1)"),
        (rf"(.+?\s+gates?)\s+{_BE}open\w*", r"any(\1 > 0.9)"),
        (rf"(?:the\s+)?(?:network|training|model|it)\s+{_BE}diverg\w*", "loss > 10 * median(loss, 50)"),
        (rf"(.+?)\s+{_BE}doubl\w+", r"\1 > 2 * median(\1, 50)"),
        (rf"(.+?)\s+{_BE}halv\w+", r"\1 < 0.5 * median(\1, 50)"),
        (rf"(.+?)\s+{_BE}(?:{_EXPLODE}|diverg\w*|spik\w+|jump\w*)", r"\1 > 10 * median(\1, 50)"),
        (rf"(.+?)\s+{_BE}(?:increas\w+|rise[sn]?|rising|up|grow\w*)(?:\s+again)?", r"\1 > median(\1, 50)"),
        (rf"(.+?)\s+{_BE}(?:decreas\w+|fall\w*|down|drop\w*|shrink\w*)(?:\s+again)?", r"\1 < median(\1, 50)"),
        (rf"(?:every|each)\s+([0-9]+)\s*(?:th\s+)?(?:training\s+steps?|{_STEP}s?)", r"k % \1 == 0"),
        (rf"after\s+(?:{_STEP}\s*([0-9]+)|([0-9]+)\s*(?:training\s+steps|{_STEP}s?))", r"k > \1\2"),
        (r"(?:at\s+)?(?:t|time\s*step)\s*=*\s*([0-9]+)", r"t == \1"),
        (rf"(?:at\s+)?{_STEP}\s*#?\s*([0-9]+)", r"k == \1"),
        (r"(.+?)\s+(?:is\s+|lies\s+)?between\s+(\S+)\s+and\s+(\S+)", r"\2 < \1 < \3"),
    )
)  # fmt: skip
_SEVERAL = re.compile(r"[<>]|\b(?:and|or)\b", re.IGNORECASE)
_PERCENT = re.compile(r"\b((?:test_)?accuracy)\s*([<>]=?|[=!]=)\s*([0-9]+(?:\.[0-9]+)?)(?![\w.])")


def as_condition(text: str) -> str:
    """`text` with signs instead of words that compare, or what to stop at where it says as a whole what happens; the
    names in it are still those of the person."""
    for pattern, instead in _REWORDED:
        text = pattern.sub(instead, text)
    text = text.strip(" ,.!?")
    for pattern, instead in _HAPPENINGS:
        found = pattern.fullmatch(text)
        if found and ("between" in found[0].casefold() or not _SEVERAL.search(text)):
            return found.expand(instead)
    return text


def as_shares(text: str) -> str:
    """`text` with an accuracy above 1 as the percentage that it was meant to be: accuracy > 0.9 for accuracy > 90."""

    def share(found: re.Match[str]) -> str:
        percent = float(found[3])
        return f"{found[1]} {found[2]} {percent / 100:g}" if 1 < percent <= 100 else found[0]

    return _PERCENT.sub(share, text)


def check_shares(text: str) -> None:
    """ExpressionError where somebody types an accuracy in percent, which could never be reached."""
    if as_shares(text) != text:
        raise ExpressionError("An accuracy goes from 0 to 1, where all are right.", 0, len(text))
