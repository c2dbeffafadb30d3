"""Attention, bridge and embedding in a trace: what they hold, of one sequence as of a padded batch."""

import numpy as np
import pytest
from several_calls import encoder_decoder

from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.one_by_one import rebuild_one
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.precision import in_float64

S = 4  # time steps of the encoder, with its padding


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-14)


def test_attention_holds_what_its_equations_say():
    capture = encoder_decoder("lstm", depth=1)
    trace = rebuild(capture)
    assert trace.faithful
    head, one = trace.head, trace.head.attention
    assert head.kind == HeadKind("cross entropy", attends=True)
    w_a, w_c = one.parameters["score"], one.parameters["combine"]
    encoder, decoder = (call.output for call in trace.calls)
    close(one.read, encoder[:S])
    for n, (length, count) in enumerate(((2, 3), (4, 2))):
        for k in range(7):
            if not 4 <= k < 4 + count:
                assert not one.weights[k, n].any()
                assert not one.attended[k, n].any()
                continue
            scores = np.array([decoder[k, n] @ w_a @ encoder[s, n] for s in range(length)])
            close(one.scores[k, n, :length], scores)
            powers = np.exp(scores - scores.max())
            close(one.weights[k, n, :length], powers / powers.sum())
            assert not one.weights[k, n, length:].any()
            context = one.weights[k, n] @ one.read[:, n]
            close(one.context[k, n], context)
            close(one.attended[k, n], np.tanh(w_c @ np.concatenate([context, decoder[k, n]])))
            close(head.prediction[k, n], head.parameters["weight"] @ one.attended[k, n] + head.parameters["bias"])
    np.testing.assert_array_equal(head.pooled, one.attended)
    for n in range(2):
        parts = one.read_grads(np.arange(7), n)
        close(parts.sum(axis=0), one.read_grad[:, n])
        close(np.linalg.norm(parts, axis=-1), one.reach(n))
    close(trace.calls[1].layers[0].direct_grad, head.output_grad)
    alone = trace.sample(1)
    for name in ("score", "combine"):
        shares = alone.head.attention.weight_grad_shares[name]
        added = [alone.head.value(f"{name}_added", k) for k in range(alone.time_steps)]
        close(shares, np.linalg.norm(added, axis=(1, 2)))
        total = sum(trace.sample(n).head.attention.weight_grads[name] for n in range(2))
        close(total, one.weight_grads[name])
        close(alone.head.attention.weight_grad_so_far[name][-1], shares[-1])
    close(head.value("read_grad", 5, 1), one.read_grads(np.array([5]), 1)[0])
    close(head.value("output_grad", 5, 1), head.output_grad[5, 1])
    close(head.value("attention_weights", 5, 1), one.weights[5, 1])


def test_bridge_and_embedding_hold_what_their_equations_say():
    capture = encoder_decoder("lstm", depth=2, attention=False)
    trace = rebuild(capture)
    bridge, decoder = trace.calls[1].bridge, trace.calls[1].layers
    encoder = {layer.name: layer for layer in trace.calls[0].layers}
    for state in ("h", "c"):
        for depth, layer in enumerate(decoder):
            forth, back = encoder[f"l{depth}"].value(state), encoder[f"l{depth}_reverse"].value(state)
            for n, end in enumerate((1, 3)):
                read = np.concatenate([forth[end, n], back[0, n]])
                close(bridge.read[state][depth, n], read)
                weight, bias = capture.calls[1].bridge.weight[state][depth], capture.calls[1].bridge.bias[state][depth]
                close(layer.initial[state][n], weight @ read + bias)
                close(bridge.first[state][depth, n], layer.initial[state][n])
                sent = weight.T @ layer.initial_grads[state][n]
                close(encoder[f"l{depth}"].arriving[state][end, n], sent[:4])
                close(encoder[f"l{depth}_reverse"].arriving[state][0, n], sent[4:])
    embedding, symbols = trace.calls[0].embedding, capture.calls[0].embedding.symbols
    close(trace.embedding_grad, embedding.table_grad)
    rows = np.zeros((5, 3))
    for t, n in zip(*np.nonzero(symbols >= 0), strict=True):
        rows[symbols[t, n]] += trace.input_grad[t, n]
    close(embedding.table_grad, rows)
    close(embedding.symbol_grads, np.linalg.norm(rows, axis=1))
    assert not embedding.token_grad[1, 1].any()  # no symbol is there
    alone = trace.sample(1).calls[0].embedding
    close(alone.weight_grad_shares, np.linalg.norm(alone.token_grad[:, 0], axis=-1))
    close(alone.weight_grad_so_far[0], np.linalg.norm(alone.table_grad))
    assert trace.calls[1].embedding is None


@pytest.mark.parametrize("both_ways", [True, False])
def test_a_sequence_alone_has_its_own_attention_and_bridge(both_ways):
    capture = encoder_decoder("gru", depth=1, both_ways=both_ways)
    whole = rebuild(capture)
    for n, (first, second) in enumerate(((2, 3), (4, 2))):
        one = whole.sample(n)
        for other in (rebuild(capture.sample(n)), rebuild_one(capture, 1 - n).sample(n), rebuild_one(capture, n)):
            for layer, wanted in zip(one.layers, other.layers, strict=True):
                close(layer.hidden_grad, wanted.hidden_grad)
            ours, theirs = one.head.attention, other.head.attention
            assert ours.weights.shape == (first + second, 1, first)
            for name in ("scores", "weights", "context", "attended", "read_grad", "states_grad"):
                close(getattr(ours, name), getattr(theirs, name))
            if both_ways:
                close(one.calls[1].bridge.weight_grads["weight_h"], other.calls[1].bridge.weight_grads["weight_h"])
    assert rebuild_one(capture, 1).faithful
    exact = rebuild(in_float64(capture))
    close(exact.layers[0].hidden_grad, whole.layers[0].hidden_grad)
