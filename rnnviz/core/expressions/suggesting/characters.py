"""Characters of mathematics and of other languages as the expression language writes them: ‖∂L/∂h₁‖ is norm(dh[1])."""

import re
import unicodedata

_SMALL = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₜₖ₋₊", "0123456789tk-+")
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_LETTERS = {  # Greek letters, as papers use them of gates and gradients, and those that look like ours
    "δ": "d", "Δ": "d", "∆": "d", "∇": "d", "∂": "d", "τ": "t", "Τ": "T", "κ": "k", "Η": "H", "Ν": "N",
    "φ": "f", "ϕ": "f", "ι": "i", "ω": "o", "μ": "mean", "Σ": "sum", "∑": "sum", "ℒ": "loss", "𝓛": "loss",
    "√": "sqrt", "‑": "-", "–": "-", "—": "-", "−": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "∕": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "∧": " and ", "∨": " or ", "¬": " not ", "{": "(", "}": ")", "∞": "1e308",
}  # fmt: skip

# pattern → what stands there instead, in this order
_REWRITTEN = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?:∇|∂)_?[({]?([hcx](?:_\w+)?)[)}]?\s*[Lℒ]\b", r"∂\1"),
        (r"(?:‖|\|\||\|)?\s*∇\s*(?:_?\{?[θW]\}?)?\s*(?:L\b|ℒ|loss\b)?\s*(?:‖|\|\||\|)?(?:_?2\b|₂)?", "grad_norm "),
        (r"‖([^‖]+)‖(?:_?\{?[2F]\}?(?!\w)|₂)?", r"norm(\1)"),
        (r"\|\|([^|<>=&]+)\|\|(?:_?\{?[2F]\}?(?!\w)|₂)?", r"norm(\1)"),
        (r"(?<!\|)\|([^|<>=&\s][^|<>=&]*)\|(?!\|)", r"abs(\1)"),
        (r"\s*&&?\s*", " and "),
        (r"\s*\|\|?\s*", " or "),
        (r"(?:∂|\b[dδ])\s*(?:[LEJC]|ℒ|loss)(?:_[tT]\b)?\s*/\s*(?:\(\s*(?:∂|[dδ])\s*([^\W\d]\w*)\s*\)|(?:∂|[dδ])\s*([^\W\d]\w*))",
         lambda found: f"d{found[1] or found[2]}"),
        (r"\b([0-9]+(?:\.[0-9]+)?)[kK]\b", lambda found: f"{float(found[1]) * 1000:.12g}"),
        (r"\bL_t\b", "losses[t]"),
        (r"\b(?:Γ|gamma)_?([fiogruz])\b", r"\1"),
        (r"(?<=\w)_\{([^{}]+)\}", r"[\1]"),
        (r"(?<=[^\W\d])_?([₀₁₂₃₄₅₆₇₈₉ₜ₋₊]+)", lambda found: f"[{found[1].translate(_SMALL)}]"),
        (r"([0-9.]+)\s*[·⋅×*]\s*10(?:\^|\*\*)?\s*\(?([⁻−-]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|(?<=\^|\*)[−-]?[0-9]+)\)?",
         lambda found: f"{found[1]}e{_exponent(found[2])}"),
        (r"\b10\s*\^\s*\{\s*([-−]?[0-9]+)\s*\}", lambda found: f"1e{_exponent(found[1])}"),
        (r"\b10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"1e{_exponent(found[1])}"),
        (r"([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"**{_exponent(found[1])}"),
        (r"\^", "**"),
        (r"(?<![<>=!])=<", "<="),
        (r"(?<![<>=!])=>", ">="),
        (r"<>", "!="),
        (r"(?<![<>=!])={1,3}(?!=)", "=="),
        (r"!(?!=)", " not "),
        (r"\"\s*([^\"]*?)\s*\"|'\s*([^']*?)\s*'|`\s*([^`]*?)\s*`",
         lambda found: re.sub(r"\W+", "_", (found[1] or found[2] or found[3] or "").casefold())),
        (r"([0-9]+(?:\.[0-9]+)?)\s*%(?=\s*(?:$|\)|and\b|or\b))", lambda found: f"{float(found[1]) / 100:g}"),
        (r"\]\s*\[", ", "),
        (r"[;?.]+\s*$", ""),
    )
)  # fmt: skip
_TIME = r"(?:the\s+)?(?:t\s*=*\s*|time(?:\s*step)?\s*=*\s*)"
_OF_TIME = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"\bloss(?=\s+(?:at|of)\s+{_TIME}(?:[0-9]|T\b))", "losses"),
        (rf"\bgrad(?:ient)?s?[\s_]*(?:norm|magnitude)?(?=\s+at\s+{_TIME}(?:[0-9]|T\b))", "norm dh"),
        (rf"\s+(?:at|of)\s+{_TIME}([0-9]+|T|t)\b", r"[\1]"),
        (r"\s+at\s+([0-9]+|T|t)\b", r"[\1]"),
        (r"\s+at\s+(?:the\s+)?(?:last(?:\s+time\s*step)?|end)\b|\[\s*(?:last|end)\s*\]", "[T]"),
        (r"\s+at\s+(?:the\s+)?(?:first(?:\s+time\s*step)?|start|beginning)\b|\[\s*first\s*\]", "[1]"),
        (r"^\s*(?:hidden\s+)?(?:unit|neuron)\s+(?=[0-9])", "h unit "),
    )
)
_UNIT = re.compile(r"\b([^\W\d]\w*)(?:\[([^\],]+)\])?,?\s+(?:unit|neuron)\s+([0-9]+)", re.IGNORECASE)
_MARKED = {"ŷ": "prediction", "c̃": "g", "ĉ": "g", "g̃": "g", "h̃": "n"}  # letters with a hat or a tilde


def in_plain_characters(text: str) -> str:
    """`text` with signs, subscripts and letters as the language writes them; what it means nobody has looked at yet."""
    for marked, plain in _MARKED.items():
        for form in ("NFC", "NFD"):
            text = text.replace(unicodedata.normalize(form, marked), plain)
    for timed, written in _OF_TIME:
        text = timed.sub(written, text)
    for pattern, instead in _REWRITTEN:
        text = pattern.sub(instead, text)
    text = "".join(_LETTERS.get(character, character) for character in text)
    text = unicodedata.normalize("NFKC", text)
    text = _UNIT.sub(lambda found: f"{found[1]}[{found[2] or 't'}, {found[3]}]", text)
    text = _numbers(text)
    return re.sub(r"\s+", " ", text).strip()


def _exponent(digits: str) -> str:
    return digits.replace("−", "-").translate(_HIGH)


def _numbers(text: str) -> str:
    """1,000 as 1000 and 0,05 as 0.05, outside of brackets: inside of them a comma separates."""
    found, depth = [], 0
    for piece in re.split(r"([()\[\]])", text):
        depth += piece in ("(", "[")
        depth -= piece in (")", "]")
        if depth <= 0:
            piece = re.sub(r"\b([0-9]{1,3})((?:,[0-9]{3})+)(?![0-9])", _without_commas, piece)
            piece = re.sub(r"\b([0-9]+),([0-9]+)\b", r"\1.\2", piece)
        found.append(piece)
    return "".join(found)


def _without_commas(found: re.Match[str]) -> str:
    if found[1] == "0":
        return f"0.{found[2][1:]}"
    return found[1] + found[2].replace(",", "")
