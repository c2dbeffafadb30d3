"""An encoder–decoder with everything around its cells: dropout masks, residual connections, embedding, bridge and
attention."""

from dataclasses import replace

import numpy as np
from several_calls import encoder_decoder

from rnnviz.core.sweeps.capture import Capture

KEPT = 0.75


def with_everything(cell: str = "gru", both_ways: bool = True, attention: bool = True) -> Capture:
    """Two layers each, two sequences of 2 and 4 time steps that are read, 3 and 2 that are written."""
    capture = encoder_decoder(cell, depth=2, both_ways=both_ways, attention=attention, embedding=True)
    draw, calls = np.random.default_rng(5), []
    for call in capture.calls:
        shape = 1, *call.inputs.shape[:2], call.structure.directions * call.structure.output_size
        masks = (draw.random(shape) < KEPT) / KEPT
        calls.append(replace(call, structure=replace(call.structure, residual=True), masks=masks))
    return replace(capture, calls=tuple(calls))
