"""A verdict on a decoder looks at what made its first states and inputs, too: bridge, hand-over, embedding."""

from dataclasses import replace

import pytest
from several_calls import encoder_decoder

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import Bridge, Capture, Embedding
from rnnviz.core.sweeps.one_by_one import rebuild_one
from rnnviz.core.sweeps.trace import rebuild


def known(*, both_ways: bool) -> Capture:
    """With the outputs that torch would have given."""
    capture = encoder_decoder("lstm", both_ways=both_ways)
    calls = [replace(call, output=one) for call, one in zip(capture.calls, rebuild(capture).check.outputs, strict=True)]
    return replace(capture, calls=tuple(calls))


def with_decoder(capture: Capture, **others: object) -> Capture:
    return replace(capture, calls=(capture.calls[0], replace(capture.calls[1], **others)))


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize("make", [rebuild, lambda capture: rebuild_one(capture, 1)])
def test_what_is_not_made_of_what_is_there_is_not_right(both_ways: bool, make) -> None:
    capture = known(both_ways=both_ways)
    encoder, decoder = capture.calls
    assert make(capture).verdict.right
    assert set(make(capture).check.made) == {
        "the first h of decoder",
        "the first c of decoder",
        "the inputs by the embedding",
    }
    last = {state: array + (state == "c") * 0.2 for state, array in decoder.initial.items()}
    wrong = {"the first c of decoder": {"initial": last}}
    if both_ways:
        bias = {state: array + (state == "h") * 0.2 for state, array in decoder.bridge.bias.items()}
        wrong["the first h of decoder"] = {"bridge": Bridge(decoder.bridge.weight, bias)}
    for words, others in wrong.items():
        verdict = make(with_decoder(capture, **others)).verdict
        assert verdict.kind == "differs"
        assert f" in {words}" in verdict.why[0]
    swapped = Embedding(encoder.embedding.symbols, encoder.embedding.table[::-1])
    of_encoder = replace(capture, calls=(replace(encoder, embedding=swapped), decoder))
    assert "the inputs by the embedding" in make(of_encoder).verdict.words
    set_by_hand = with_decoder(capture, initial=last, output=None)  # nothing of it is torch's
    assert not any("decoder" in name for name in rebuild(set_by_hand).check.made)


def test_what_is_handed_over_without_its_bridge_does_not_fit() -> None:
    wanted = (
        r"capture.initial: wanted states like those handed over, {'h': \(4, 4\), 'c': \(4, 4\)}, got {'h': \(2, 4\),"
    )
    with pytest.raises(RnnvizError, match=wanted):
        rebuild(with_decoder(known(both_ways=True), bridge=None))
