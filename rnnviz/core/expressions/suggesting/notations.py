r"""Notations of other trades: LaTeX and Python as plain text, \lVert h \rVert as ‖h‖ and h.grad.norm() as norm(dh)."""

import re

_SIGNS = {  # LaTeX command → character
    "partial": "∂", "nabla": "∇", "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥", "geqslant": "≥",
    "neq": "≠", "ne": "≠", "lt": "<", "gt": ">", "land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "lnot": "¬",
    "neg": "¬", "cdot": "·", "times": "×", "div": "÷", "infty": "∞", "delta": "δ", "Delta": "Δ", "Gamma": "Γ",
    "phi": "φ", "theta": "θ", "ell": "ℒ", "sum": "Σ", "lVert": "‖", "rVert": "‖", "Vert": "‖", "lvert": "|",
    "rvert": "|", "vert": "|", "lbrack": "[", "rbrack": "]",
}  # fmt: skip
_LATEX = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\\begin\{\w+\*?\}|\\end\{\w+\*?\}|\$|\\[()\[\]]", ""),
        (r"\\(?:text|mathrm|mathbf|mathit|mathcal|boldsymbol|operatorname|bm|vec)\s*\{([^{}]*)\}", r"\1"),
        (r"\\[dt]?frac\s*\{((?:[^{}]|\{[^{}]*\})*)\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1/\2"),
        (r"\\(?:left|right|displaystyle|quad|[bB]igg?[lr]?)(?![a-zA-Z])|\\[,;:! ]|~", " "),
        (r"\\\|", "‖"),
        (r"\\hat\s*\{?y\}?", "prediction"),
        (r"\\tilde\s*\{?c\}?", "g"),
        (r"\\([a-zA-Z]+)\s*", lambda found: _SIGNS.get(found[1], f"{found[1]} ")),
        (r"\\(?=[_%&#])", ""),
    )
)  # fmt: skip

_CALLED = r"norm|max|min|mean|median|sum|abs|any|all|argmax|sqrt|exp|log10|isnan|isfinite"
_VALUE = r"[^\W\d]\w*(?:\[[^\[\]]*\]|\((?:[^()]|\([^()]*\))*\))*"
_PYTHON = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\b(?:(?:torch|np|numpy|math|nn|linalg|functional|F|tf|jnp|jax)\.)+(?=[^\W\d])", ""),
        (r"\b(?:self|model|trainer|net|network|cell|rnn)\.(?=[^\W\d])(?!\w+\s*\()", ""),
        (r"\b(?:metrics|logs|history|log|results)\s*(?:\[\s*[\"'](\w+)[\"']\s*\](?:\s*\[\s*-1\s*\])?|\.(\w+))",
         lambda found: found[1] or found[2]),
        (r"\.(?:item|detach|cpu|numpy|tolist|float|double|clone|squeeze|flatten)\(\)|\.data\b", ""),
        (rf"\b({_VALUE})\.grad\b", r"gradient of \1"),
        (r"\b(?:grad|gradient|derivative)\s*\(\s*([^()]+?)\s*\)", r"gradient of \1"),
        (r"\bisinf\s*\(", "not isfinite("),
        (r",\s*(?:ord|p)\s*=\s*2\s*\)", ")"),
        (r"\blen\s*\(\s*\w+\s*\)", "T"),
        (r"\bis\s+not\s+None\b", ""),
        (r"^\s*assert\s+|:\s*$", ""),
    )
)  # fmt: skip
_METHOD = re.compile(
    rf"(gradient of )?(\b{_VALUE}|\((?:[^()]|\([^()]*\))*\))\.({_CALLED})\(\s*(?:(?:p\s*=\s*)?2)?\s*\)"
)
_MOST_METHODS = 8  # in a row


def without_latex(text: str) -> str:
    """`text` with characters instead of commands; a command without a meaning here is left as its bare name."""
    if "\\" not in text and "$" not in text:
        return text
    for pattern, instead in _LATEX:
        text = pattern.sub(instead, text)
    return text


def without_attributes(text: str) -> str:
    """`text` without Python's modules and methods: functions stand before what they are asked of."""
    for pattern, instead in _PYTHON:
        text = pattern.sub(instead, text)
    for _ in range(_MOST_METHODS):
        after = _METHOD.sub(_called, text)
        if after == text:
            return text
        text = after
    return text


def _called(found: re.Match[str]) -> str:
    of = found[2]
    if of.startswith("(") and not found[1]:
        of = of[1:-1]
    return f"{found[3]}({found[1] or ''}{of})"
