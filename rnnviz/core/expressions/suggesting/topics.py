"""Topics: what people ask for that has no name in the language, and what can be asked instead."""

import re

_SETTING = "it is a setting; what comes of it can be asked: loss, grad_norm, accuracy"
_STATE = r"(?:∂|\b[dδ])\s*(?-i:[hc])(?:_?\{?\w+\}?|[₀-₉ₜ]+)?"
_TOPICS = tuple(
    (re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE), sentence)
    for pattern, sentence in (
        (r"learning[\s_-]*rate|lr", f"{_SETTING}; where a schedule changes it, learning_rate < 1e-3"),
        (r"momentum|weight[\s_-]*decay|optimi[sz]er|adam|sgd|rmsprop|drop[\s_-]?out|seed|"
         r"(?:gradient[\s_-]*)?clip(?:ping)?[\s_-]*(?:norm|value|grad_norm_?)?(?!\()|patience|forget[\s_-]*bias|"
         r"forget\s+gate\s+bias", _SETTING),
        (rf"{_STATE}\s*/\s*{_STATE}|jacobians?|eigen\s*values?|spectral[\s_-]*(?:radius|norm)|lyapunov\w*",
         "the gradient of the loss at a time step can be asked, norm(dh[1]) < 1e-6"),
        (r"\w+\s*\^\s*\{?\s*\(\s*[0-9a-zA-Z]+\s*\)\s*\}?", "a layer stands behind the name, h_l1[t]"),
        (r"perplexity|ppl", "where the loss is a cross-entropy it is exp(loss)"),
        (r"r?mse|mae|bce|nll|cross[\s_-]*entropy|mean\s+squared\s+error",
         "the loss of a task is called loss, whichever it is"),
        (r"weights?(?:_\w+)?|bias(?:es)?(?:_\w+)?|parameters?|params?|[WUb]|[WU]_?\{?[hix]+\}?",
         "of a weight its gradient can be asked: so_far_hh[1], share_hh of each time step, grad_norm of all weights"),
        (r"targets?|labels?|ground\s*truth|y_true", "losses, prediction and probability can be asked"),
        (r"over[\s_-]?fit\w*", "where there is a test part, test_loss > 2 * loss asks for it"),
        (r"plateau\w*|converge[sd]?|convergence|stops?\s+improving|early\s+stopping|previous|last|best",
         "median(loss, 50) looks back on the last 50 values, loss > median(loss, 50)"),
        (r"std|stdev|standard\s+deviation|variance|var",
         "the functions are norm, sum, mean, median, min, max, abs and some more"),
        (r"(?:at|in)\s+(?:training\s+)?(?:step|epoch|iteration)\s*[0-9]+",
         "a training step is asked with k, loss < 1 and k == 500, a time step in brackets, h[5]"),
    )
)  # fmt: skip
_NEVER_MEANT = _TOPICS[:4]  # of whose words some are like names of the language


def without_name(text: str) -> str:
    """What can be asked instead, a sentence; "" where nothing without a name is asked for."""
    for pattern, sentence in _TOPICS:
        if found := pattern.search(text):
            return f"There is no name for “{found[0]}” here: {sentence}."
    return ""


def is_nameless(text: str) -> bool:
    """Whether it asks for what no right text could mean, whatever its words look like."""
    return any(pattern.search(text) for pattern, _ in _NEVER_MEANT)
