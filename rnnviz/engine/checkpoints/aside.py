"""Unused tensors: those of a file that no recurrent module reads, in words, with what their shapes suggest."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.names import plain_title, shown
from rnnviz.engine.checkpoints.records import Found, RecurrentModule, StoredTensor, Unused

MOST_NAMED = 6
OPTIMISER, STATE, NORM, CONVOLUTION = "optimiser", "initial state", "normalisation", "convolution"
EMBEDDING, HEAD, EITHER = "embedding", "head", "embedding or head"
ROLES = (EMBEDDING, HEAD, EITHER, STATE, NORM, CONVOLUTION, OPTIMISER)
Role = tuple[str, str, str]  # one of ROLES, the title of its recurrent module, and both as a phrase
_NO_ROLE: Role = ("", "", "")
_MOST_JUDGED = 256  # tensors: each is compared with every module
_NORM = re.compile(r"(^|[^a-z])(\w*norm\w*|ln|bn)(_?\d+)?\.(weight|bias|gamma|beta|running_(mean|var))$", re.IGNORECASE)
_INITIAL = re.compile(r"(^|[^a-z])([hc]_?0|[hc]x|(init|initial)_?\w*)$", re.IGNORECASE)
_OPTIMISER = re.compile(r"(^|\.)(optim\w*|opt_state|lr_sched\w*|ema_optim\w*)\.|\.(exp_avg(_sq)?|momentum_buffer)$")


def unused_tensors(tensors: Mapping[str, StoredTensor], found: Found) -> tuple[Unused, ...]:
    """The tensors that belong to no module, whether that can be used or not, with what they seem to be."""
    names = [name for name, one in tensors.items() if name not in found.claimed and one.shape]
    rest = [name for name in names if not of_optimiser(name)]
    roles = dict.fromkeys(names, _NO_ROLE) | dict.fromkeys(set(names).difference(rest), (OPTIMISER, "", ""))
    roles |= {name: _role(name, tensors[name].shape, found.modules) for name in rest[:_MOST_JUDGED]}
    return tuple(_unused(name, tensors[name].shape, roles) for name in names)


def _unused(name: str, shape: tuple[int, ...], roles: Mapping[str, Role]) -> Unused:
    role, module, words = roles[name]
    weight = roles.get(f"{name.removesuffix('bias')}weight")
    if not role and name.endswith("bias") and weight:
        role, module = weight[:2]  # of the same layer; its weight says so in words
    return Unused(shown(name), shape, role, module, words)


def left_aside(unused: Sequence[Unused]) -> tuple[str, ...]:
    """One sentence on the tensors that are not used; none where all are."""
    rest = [one for one in unused if one.role != OPTIMISER]
    words = [sized(one.name, one.shape, one.words) for one in rest[:MOST_NAMED]]
    if rest[MOST_NAMED:]:
        words.append(f"{len(rest) - MOST_NAMED:,} more")
    if len(unused) > len(rest):
        words.append(f"{len(unused) - len(rest):,} of an optimiser")
    return (f"Not used: {listed(words)}.",) if words else ()


def traced_without(unused: Sequence[Unused], inputs: Mapping[str, int]) -> tuple[str, ...]:
    """What follows for a trace from what is not used; `inputs`: how many each module reads, by its title."""
    sentences = []
    for title, count in list(inputs.items())[:MOST_NAMED]:
        roles = {one.role for one in unused if one.module == title}
        name = title or "the module"
        if roles & {EMBEDDING, EITHER}:
            sentences.append(f"{name} is given the {count:,} numbers its embedding would output, not token ids.")
        if roles & {HEAD, EITHER}:
            sentences.append(f"{name} is traced without its head: there are no logits, predictions or targets.")
    if any(one.role == STATE for one in unused):
        sentences.append("The initial states of the file are not used: every trace begins with zeros.")
    return tuple(sentences)


def of_optimiser(name: str) -> bool:
    """Whether a tensor of that name belongs to the state of an optimiser or its schedule."""
    return _OPTIMISER.search(name) is not None


def sized(name: str, shape: Sequence[int], role: str = "") -> str:
    """ "head.weight (20 × 12, after rnn)"."""
    size = " × ".join(map(str, shape[:6])) or "one number"
    return f"{shown(name)} ({size}{', ' if role else ''}{role})"


def names_and_sizes(names: Iterable[str], tensors: Mapping[str, StoredTensor], most: int = MOST_NAMED) -> str:
    """The first few names with their sizes, and how many more there are."""
    every = list(names)
    words = [sized(name, tensors[name].shape) for name in every[:most]]
    return listed([*words, *([f"{len(every) - most:,} more"] if every[most:] else [])])


def _role(name: str, shape: Sequence[int], modules: Sequence[RecurrentModule]) -> Role:
    """Whether a matrix fits before or after a module: an embedding gives what it reads, a head reads what it gives."""
    if _INITIAL.search(name) and shape[-1] in {one.structure.output_size for one in modules}:
        return STATE, "", "by its name an initial state, for which the trace has zeros"
    if len(shape) == 1 and _NORM.search(name):
        return NORM, "", "by its name a normalisation"
    if len(shape) > 2 and name.endswith("weight"):
        return CONVOLUTION, "", "by its shape a convolution"
    if len(shape) != 2 or not name.endswith("weight"):
        return _NO_ROLE
    for module in sorted(modules, key=lambda one: -_common(one.prefix, name)):
        structure = module.structure
        title = plain_title(module.prefix)
        of = title or "the module"
        gives, reads = shape[1] == structure.directions * structure.output_size, shape[1] == structure.input_size
        if reads and gives and "emb" not in name.lower():
            return EITHER, title, f"by its shape an embedding before {of} or a head after it"
        if reads:
            return EMBEDDING, title, f"by its shape an embedding before {of}"
        if gives:
            return HEAD, title, f"by its shape a head after {of}"
    return _NO_ROLE


def _common(first: str, second: str) -> int:
    """With how many letters both begin."""
    return next((place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
