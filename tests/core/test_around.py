"""What stands around a cell, and attention: every equation gives what the trace has, forward and backward."""

import numpy as np
import pytest
from several_calls import encoder_decoder
from staged import KEPT, with_everything

from rnnviz.core.equations.around import AROUND_KEYS, CallForm, around, around_value
from rnnviz.core.equations.equation import with_hand_over
from rnnviz.core.equations.operations import operations_of
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.trace import rebuild


def written(trace, layer):
    """The operations around a layer with the time steps (0-based) at which they are."""
    call = next(one for one in trace.calls if one.call.name == layer.id.call)
    found, own = around(call.call.structure, layer.id, CallForm.of(call.call)), layer.times()
    first = own[-1] if layer.reverse else own[0]
    return [(one, [first] if one in found.opening else own) for one in found.all]


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "jordan"])
def test_what_stands_around_a_cell_is_computed_as_its_equations_say(cell, both_ways):
    trace, keys = rebuild(with_everything(cell, both_ways, attention=False)).sample(1), set()
    for layer in trace.layers:
        for operation, steps in written(trace, layer):
            keys.add(operation.key)
            for t in steps:
                for equation in (*operation.forward, *operation.backward):
                    ours = equation.value(lambda name, layer=layer, t=t: around_value(trace, layer, name, t))
                    held = around_value(trace, layer, equation.result.name, t)
                    if equation.result.name == "token_grad" and trace.calls[0].embedding.symbols[t, 0] < 0:
                        ours = 0 * ours  # there is no token
                    np.testing.assert_allclose(ours, held, rtol=1e-12, atol=1e-15, err_msg=equation.text())
    assert keys == set(AROUND_KEYS)


def test_it_is_what_the_layer_above_reads_and_what_comes_down_from_it():
    trace = rebuild(with_everything("gru", both_ways=False)).sample(0)
    low, top = trace.layer("decoder.l0"), trace.layer("decoder.l1")
    for t in low.times():
        below = around_value(trace, low, "masked", t)
        np.testing.assert_allclose(below, top.x[t, 0], rtol=1e-12)
        assert set(np.unique(around_value(trace, low, "mask", t))) <= {0, 1 / KEPT}
        np.testing.assert_allclose(around_value(trace, top, "given", t), trace.calls[1].output[t, 0], rtol=1e-12)
        came = top.input_grad[t, 0] + top.direct_grad[t, 0]  # through the layer above, and around it
        np.testing.assert_allclose(around_value(trace, low, "given_grad", t), came, rtol=1e-12)
        np.testing.assert_allclose(low.direct_grad[t, 0], came * low.mask[t, 0], rtol=1e-12)
    sent = around_value(trace, low, "final_grad h", low.start)
    np.testing.assert_allclose(trace.layer("l0").arriving["h"][low.start - 1, 0], sent, rtol=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru", "jordan"])
def test_the_gradient_of_a_final_state_has_what_is_handed_back_in_its_equation(cell):
    trace, handed = rebuild(with_everything(cell)).sample(1), 0
    for layer in trace.layers:
        for t in layer.times():
            for plain in (equation for operation in operations_of(layer) for equation in operation.backward):
                equation = with_hand_over(plain, layer, t)
                handed += equation is not plain
                if equation.result.kind == "gradient" and equation.result.of in layer.equations.states:
                    held = layer.grad(equation.result.of)[t, 0]
                    np.testing.assert_allclose(equation.value(layer, t), held, rtol=1e-11, atol=1e-14)
    assert handed == 4 * len(layer.equations.states)  # of the encoder's layers


def test_a_layer_has_what_its_place_has():
    structure = Structure("lstm", 3, 4, 3, bidirectional=True, residual=True)
    form = CallForm(embedded=True, masked=True, begins="bridge")

    def keys(layer, form):
        return [[one.key for one in part] for part in around(structure, LayerId.read(layer), form)]

    assert keys("l0", form) == [["hand-over"], ["embedding"], ["mask"]]
    assert keys("l0_reverse", form) == [["hand-over"], [], ["mask"]]
    assert keys("l1_reverse", form) == [["hand-over"], [], ["mask", "residual"]]
    assert keys("l2", form) == [["hand-over"], [], ["residual"]]
    assert keys("l1", CallForm()) == [[], [], ["residual"]]
    equations = [one for part in around(structure, LayerId.read("l1"), form) for one in part]
    texts = [equation.text() for one in equations for equation in (*one.forward, *one.backward)]
    assert "h^{m}_t = m_t ⊙ h_t" in texts
    assert "x_t^{(2)} = h^{m}_t + x_t" in texts
    assert "c_0 = B_c c^{enc}_S + b_c" in texts
    assert around(Structure("lstm", 3, 4, 2), LayerId.read("l1")).all == ()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_attention_is_computed_as_its_equations_say(cell):
    trace = rebuild(encoder_decoder(cell, depth=1)).sample(1)
    head = trace.head
    having = (*forward_operations(head.kind), *backward_operations(head.kind))
    assert [one.key for one in having] == [
        "scores", "attention", "context", "attended", "logits", "softmax", "loss",
        "prediction_grad", "weight_grads", "attended_grad", "combined_grad", "context_grad", "attention_grad",
        "scores_grad", "read_grad", "output_grad",
    ]  # fmt: skip
    for operation in having:
        for equation in operation.equations:
            for t in range(head.start, head.stop):
                ours = equation.value(lambda name, t=t: head.value(name, t))
                held = head.value(equation.result.name, t)
                np.testing.assert_allclose(ours, held, rtol=1e-11, atol=1e-14, err_msg=equation.text())
