"""What was given instead of a recurrent module, in words, and which part of it to pass."""

from collections.abc import Callable

from torch import nn
from torch.jit import ScriptModule

_MOST_NAMED = 3


def what_came(given: object, fits: Callable[[nn.Module], bool]) -> str:
    """ "came Tagger, which has one: pass model.rnn", for `given` that does not fit."""
    if isinstance(given, type):
        return f"got the class {given.__name__}: pass a module made of it"
    if isinstance(given, ScriptModule):
        return f"got a TorchScript module ({given.original_name}): pass the module that it was made from"
    if not isinstance(given, nn.Module):
        return f"got {type(given).__name__}"
    whole = getattr(given, "_orig_mod", None)  # what torch.compile wraps a module in
    if not isinstance(whole, nn.Module):
        return f"got {_name(given)}{_parts(given, fits)}"
    if fits(whole):
        return f"got a compiled {_name(whole)}: pass the module that was compiled, model._orig_mod"
    return f"got a compiled {_name(whole)}{_parts(whole, fits)}"


def _parts(model: nn.Module, fits: Callable[[nn.Module], bool]) -> str:
    found = [_path(name) for name, part in model.named_modules() if part is not model and fits(part)]
    if not found:
        return ""
    if len(found) == 1:
        return f", which has one: pass {found[0]}"
    more = ", …" if len(found) > _MOST_NAMED else ""
    return f", which has {len(found)}: pass one of {', '.join(found[:_MOST_NAMED])}{more}"


def _path(name: str) -> str:
    """How a part is written in Python: "model.rnn", "model.layers[0]"."""
    parts = (f".{part}" if part.isidentifier() else f"[{part}]" for part in name.split(".") if part != "_orig_mod")
    return "model" + "".join(parts)


def _name(module: nn.Module) -> str:
    kind = type(module)
    if kind.__module__ == "__main__":
        return kind.__name__
    return f"nn.{kind.__name__}" if getattr(nn, kind.__name__, None) is kind else f"{kind.__module__}.{kind.__name__}"
