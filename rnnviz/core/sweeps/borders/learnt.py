"""Learnt: everything that a capture holds of what a model learns, by the names under which a model is saved."""

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import Call, Capture

RECURRENT = "recurrent."  # in front of the parameters of the first recurrent module
_FURTHER = ("front.", "decoder_front.", "bridge.", "attention.", "head.")  # of what is no recurrent module


def learnt(capture: Capture) -> dict[str, Array]:
    """ "front.weight", "recurrent.weight_ih_l0", "decoder.weight_ih_l0", "bridge.weight_h", "head.bias", …"""
    modules = tuple(f"{call.module}." for call in capture.calls if call.module)
    found = {
        name if modules and name.startswith(modules) else f"{RECURRENT}{name}": array
        for name, array in capture.weights.items()
    }
    return found | beside_recurrent(capture)


def beside_recurrent(capture: Capture) -> dict[str, Array]:
    """Those of fronts, bridge, attention and head."""
    found: dict[str, Array] = {}
    for call in capture.calls:
        found |= _before(call)
        if call.head is not None:
            if (attention := call.head.attention) is not None:
                found |= {"attention.score": attention.score, "attention.combine": attention.combine}
            found |= {f"head.{name}": array for name, array in call.head.parameters.items()}
    return found


def _before(call: Call) -> dict[str, Array]:
    """What stands before a call's module."""
    front = f"{call.module}_front.weight" if call.module else "front.weight"
    found: dict[str, Array] = {}
    if call.embedding is not None:
        found[front] = call.embedding.table
    elif call.convolution is not None:
        found[front] = call.convolution.kernel
    if call.bridge is not None:
        found |= {f"bridge.weight_{state}": array for state, array in call.bridge.weight.items()}
        found |= {f"bridge.bias_{state}": array for state, array in call.bridge.bias.items()}
    return found
