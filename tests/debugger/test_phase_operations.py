"""Operations of the loss: what the head reads."""

import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.phase_operations import head_column


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("width", [0, 2])
def test_a_unit_of_the_top_layer_has_its_column_in_what_the_head_reads(random_capture, both, width):
    structure = Structure("lstm", 2, 5, num_layers=2, bidirectional=both, proj_size=width)
    trace = rebuild(random_capture(structure, seed=4))
    columns = []
    for layer in trace.layers[-structure.directions :]:
        for unit in range(structure.output_size):
            columns.append(head_column(structure, layer.name, unit))
            assert (trace.head.output[..., columns[-1]] == layer.h[..., unit]).all()
    assert columns == list(range(trace.head.output.shape[-1]))
