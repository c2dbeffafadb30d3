"""Phrases: what people call the names of the language, "gradient norm" for grad_norm, "forget gate" for f."""

import difflib
import re
from functools import lru_cache

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.tokens import WORD_OPERATORS
from rnnviz.core.expressions.vocabulary import COMPARED_ONLY, NUMBERS, Vocabulary

LONGEST = 5  # words
_FILLERS = frozenset({"the", "of", "a", "an", "in", "value", "values"})
_CALLED = {  # name of the language → what else it is called; words in any order
    "grad_norm": "grad norm; gradient norm; gradients norm; gradient; gradients; grad; grads; gradnorm; gradient "
    "magnitude; gradient size; total norm; global norm; total gradient norm; total grad norm; global gradient norm; "
    "global grad norm",
    "loss": "train loss; training loss; batch loss; cost; error; objective; l",
    "test_loss": "val loss; validation loss; valid loss; eval loss; dev loss; held out loss",
    "accuracy": "acc; accuracies; train accuracy; train acc; training accuracy",
    "test_accuracy": "test acc; val accuracy; val acc; validation accuracy; eval accuracy; valid accuracy",
    "exact": "exact match; exact matches; sequence accuracy; whole answers; em",
    "k": "training step; step; steps; iteration; iter; epoch; epochs; global step; update; training steps",
    "t": "time step; timestep; time",
    "T": "time steps; timesteps; length; sequence length; seq len; seq length",
    "H": "hidden size; hidden units; units; hidden dim; width",
    "N": "batch size; sequences; batch; number sequences",
    "h": "hidden; state; hidden states; hidden state; output state; activation",
    "c": "cell; memory; cell states; cell state; memory cell",
    "x": "inputs; input",
    "losses": "loss per step; loss each time step",
    "prediction": "logits; logit; output; outputs; predictions; y hat; yhat; y pred; pred; y",
    "probability": "prob; probs; probabilities; softmax; p",
    "f": "forget; forget gates; keep gate; remember gate",
    "norm": "l2; magnitude; l2 norm; size; mag",
    "mean": "average; avg",
    "max": "maximum; largest; highest",
    "min": "minimum; smallest; lowest",
    "abs": "absolute; absolute value; fabs",
    "log10": "log; lg; ln; logarithm",
    "sqrt": "square root; root; sqr root",
    "isnan": "nan; is nan",
    "isfinite": "finite; is finite",
}


def key_of(words: str) -> str:
    """The same for every spelling of a phrase: Loss_Test, testLoss and "test loss"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z0-9]{2})(?=[A-Z])", " ", words)
    parts = [part for part in re.split(r"[\W_]+", apart.casefold()) if part]
    last = parts[-1:] if parts[1:] and parts[-1] == "a" else []  # the gradient of a
    return " ".join(sorted(last + [part for part in parts if part not in _FILLERS]) or parts)


@lru_cache(maxsize=8)
def phrases(vocabulary: Vocabulary) -> dict[str, str]:
    """Every phrase of the names these models have, by its key."""
    found = dict[str, str]()
    having = [named for named in vocabulary.named.values() if not vocabulary.missing(named, "")]
    names = {named.name for named in having} | vocabulary.known_metrics | {*NUMBERS, *FUNCTIONS}
    for name, called in _CALLED.items():
        if name in names:
            found |= {key_of(words): name for words in called.split(";")}
    for named in reversed(having):  # of two with the same words the one that is offered first
        words = vocabulary.words(named)
        found |= {key_of(each): named.name for each in (words, f"{named.name} {words}")}
        if " " in key_of(named.name):
            found[key_of(named.name)] = named.name
        if words.endswith(" gate"):
            called = words.removesuffix(" gate")
            found |= {key_of(each): named.name for each in (f"{called} gates", f"{named.name} gate")}
            if called not in ("input", "output"):
                found[called] = named.name
        if named.name.startswith("d") and named.name[1:] in names:
            of = named.name[1:]
            found |= {key_of(f"{word} {of}"): named.name for word in ("grad", "gradient", "derivative")}
            found |= {key_of(f"{word} {vocabulary.words(vocabulary.split(of)[0])}"): named.name  # type: ignore[index]
                      for word in ("grad", "gradient")}  # fmt: skip
        if named.name.startswith("so_far_"):
            weights = _weights(named.name.removeprefix("so_far_"))
            found |= {key_of(f"{word} {of}"): named.name for of in weights for word in ("grad", "gradient", "d")}
            found |= {key_of(f"d{of}"): named.name for of in weights}
    for name in sorted(vocabulary.known_metrics):
        found[key_of(name)] = name
    return {key: name for key, name in found.items() if key}


def _weights(short: str) -> tuple[str, ...]:
    """What a weight matrix is called, of hh: W_hh, Whh, weight_hh."""
    return f"W {short}", f"W{short}", f"weight {short}"


@lru_cache(maxsize=8)
def _shares(vocabulary: Vocabulary) -> dict[str, str]:
    """What the weights are called, and the shares of each time step in their gradients."""
    having = (name for name, named in vocabulary.named.items() if not vocabulary.missing(named, ""))
    shares = [name for name in having if name.startswith("share_")]
    return {key_of(word): name for name in shares for word in _weights(name.removeprefix("share_"))}


def share_of(word: str, vocabulary: Vocabulary) -> str:
    """The share in its gradient that there is of a weight, which has no name itself; "" where `word` is no weight."""
    return _looked_up(word, _shares(vocabulary), vocabulary)


def known(word: str, vocabulary: Vocabulary) -> bool:
    """Whether `word` is a name of the language as it stands."""
    plain = word in NUMBERS or word in FUNCTIONS or word in COMPARED_ONLY or word in vocabulary.known_metrics
    return plain or word in WORD_OPERATORS or vocabulary.split(word) is not None


def phrase(words: str, vocabulary: Vocabulary) -> str:
    """The name that a phrase means, its words with _ between them; "" where it is none."""
    return _looked_up(words, phrases(vocabulary), vocabulary)


def meant(word: str, vocabulary: Vocabulary) -> str:
    """What a single unknown word is meant to be, a name or a quantity at a time step; "" where nothing comes near."""
    exact = _in_other_letters(word, vocabulary) or phrase(word, vocabulary) or _at_a_place(word, vocabulary)
    if exact or len(word) < 3 or share_of(word, vocabulary):
        return exact
    names = {name.casefold(): name for name in _names(vocabulary)}
    near = difflib.get_close_matches(word.casefold(), list(names), n=3, cutoff=0.72)
    if near:  # of those as near, the one as long: "lose" is loss, not losses
        return names[min(near, key=lambda name: abs(len(name) - len(word)))]
    table = phrases(vocabulary)
    spaces = key_of(word).count(" ")  # a gate is not the output gate
    near = difflib.get_close_matches(key_of(word), [key for key in table if key.count(" ") == spaces], n=1, cutoff=0.8)
    return table[near[0]] if near else ""


def _looked_up(word: str, table: dict[str, str], vocabulary: Vocabulary) -> str:
    """The name by its phrase, a layer's behind it: weight_hh_l1."""
    if exact := table.get(key_of(word)):
        return exact
    layered = re.fullmatch(r"(\w+?)_?(l[0-9]+(?:_reverse)?)", word)
    name = layered and (table.get(key_of(layered[1])) or _in_other_letters(layered[1], vocabulary))
    if not (layered and name and vocabulary.split(f"{name}_{layered[2]}")):
        return ""
    flat = all(structure.num_layers == 1 for structure in vocabulary.structures)
    only = flat and layered[2] == "l0" and not any(network.several for network in vocabulary.networks)
    return name if only else f"{name}_{layered[2]}"


def _names(vocabulary: Vocabulary) -> list[str]:
    having = [named.name for named in vocabulary.named.values() if not vocabulary.missing(named, "")]
    return [*having, *sorted(vocabulary.known_metrics), *NUMBERS, *FUNCTIONS, *COMPARED_ONLY]


def _in_other_letters(word: str, vocabulary: Vocabulary) -> str:
    """The name that differs in capitals or underscores alone."""
    flat = word.casefold().replace("_", "")
    return next((name for name in _names(vocabulary) if name.casefold().replace("_", "") == flat), "")


def _at_a_place(word: str, vocabulary: Vocabulary) -> str:
    """h_t as h[t], dh1 and dh_1 as dh[1]."""
    place = re.fullmatch(r"(\w*?[^\W\d])(?:_(t|T|[0-9]+)|([0-9]+))", word)
    if place is None:
        return ""
    name = place[1] if vocabulary.split(place[1]) else _in_other_letters(place[1], vocabulary)
    return f"{name}[{place[2] or place[3]}]" if name and vocabulary.split(name) else ""
