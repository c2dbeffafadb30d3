"""Going to a place by typing it."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import in_two_stages, program_of

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.goto import Target, go_to, target, words

PROGRAM = program_of(30, Structure("lstm", 2, 3, 2, bidirectional=True))
HERE = Cursor(7, Phase.BACKWARD, 12, "l1", "c")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("k=1200 b t=17 l1 o", Cursor(1200, Phase.BACKWARD, 17, "l1", "o")),
        ("  K=1200  B  T=17  L1  O ", Cursor(1200, Phase.BACKWARD, 17, "l1", "o")),
        ("k = 1200 t= 3", Cursor(1200, Phase.BACKWARD, 3, "l1")),
        ("k1200 f t17", Cursor(1200, Phase.FORWARD, 17, "l1")),
        ("f", Cursor(7, Phase.FORWARD, 12, "l1")),
        ("f f", Cursor(7, Phase.FORWARD, 12, "l1", "f")),
        ("t=4 f", Cursor(7, Phase.BACKWARD, 4, "l1", "f")),
        ("l0 f", Cursor(7, Phase.BACKWARD, 12, "l0", "f")),
        ("forward l0_reverse bias", Cursor(7, Phase.FORWARD, 12, "l0_reverse", "bias")),
        ("l1r Wx", Cursor(7, Phase.BACKWARD, 12, "l1_reverse", "W x")),
        ("uh", Cursor(7, Phase.BACKWARD, 12, "l1", "U h")),
        ("t=-1", Cursor(7, Phase.BACKWARD, 30, "l1")),
        ("t=−30", Cursor(7, Phase.BACKWARD, 1, "l1")),
        ("loss", Cursor(7, Phase.LOSS, 30, "l1")),
        ("l", Cursor(7, Phase.LOSS, 30, "l1")),
        ("update t=3", Cursor(7, Phase.UPDATE, 3, "l1")),
        ("step 500 t 17 backward", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("training step 500, time step 17, forward", Cursor(500, Phase.FORWARD, 17, "l1")),
        ("training batch, training step 500", Cursor(500, Phase.BACKWARD, 12, "l1")),
        ("s500 t17 b", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("Go to training step 1,500, backward pass", Cursor(1500, Phase.BACKWARD, 12, "l1")),
        ("17", Cursor(7, Phase.BACKWARD, 17, "l1")),
        ("500 17", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("17 fwd", Cursor(7, Phase.FORWARD, 17, "l1")),
        ("t: 17 backprop step=3", Cursor(3, Phase.BACKWARD, 17, "l1")),
        ("last time step", Cursor(7, Phase.BACKWARD, 30, "l1")),
        ("layer 0 reverse, t 2, forget gate", Cursor(7, Phase.BACKWARD, 2, "l0_reverse", "f")),
        ("l0 backward", Cursor(7, Phase.BACKWARD, 12, "l0")),
        ("epoch 4 loss", Cursor(4, Phase.LOSS, 30, "l1")),
    ],
)
def test_places(text, place):
    assert go_to(text, PROGRAM, HERE) == place


def test_a_time_step_or_operation_from_a_phase_without_any_is_in_the_nearer_sweep():
    assert go_to("t=3", PROGRAM, Cursor(7, Phase.LOSS, 30)) == Cursor(7, Phase.FORWARD, 3)
    assert go_to("o", PROGRAM, Cursor(7, Phase.UPDATE, 1)) == Cursor(7, Phase.BACKWARD, 1, "l0", "o")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "got nothing"),
        ("t=31", 'wanted a time step from 1 to 30, or −1 for the last, for example "t 30" .*; got 31'),
        ("500", "wanted a time step from 1 to 30"),
        ("1 2 3", 'wanted words before the numbers, for example "step 500 t 17 backward"; got 1 and 2 and 3'),
        ("t=0", "got 0"),
        ("k=-4", 'wanted a training step from 0 on, for example "step 500"; got -4'),
        ("unit 0", "units count from 1"),
        ("l2", "wanted one of the layers l0, l0_reverse, l1, l1_reverse, got l2"),
        ("t=3 t=4", "wanted one time step, got 3 and 4"),
        ("b forward", "wanted one phase, got backward and forward"),
        ("loss o", "wanted an operation in the forward or backward sweep, got o in the phase loss"),
        ("backwrd", "“backwrd” names no place; did you mean backward. Wanted"),
        ("t=3.5", "wanted a whole number after “t”, for example “t 17”; got “3.5”"),
        ("t 5,5", "after “t”, .* got “5,5”"),
        ("step 1.5", "wanted a whole number after “step”, for example “step 7”; got “1.5”"),
        ("time 5s", "after “time”, for example “t 17”; got “5s”"),
        ("step many t 3", "after “step”, .* got “many”"),
        ("step", "after “step”, .* got nothing"),
        ("last step", "wanted a training step by its number, “step 500”: no last one is known here"),
        ("17 of 12", "wanted a place up to 12, .*; got 17"),
        ("z", "an operation .Wx, Uh, bias, i, f, g, o, c, h."),
        ("k=" + "9" * 400, "wanted a whole number after “k”, for example “k 7”; got “9{40}”"),
    ],
)
def test_what_is_no_place_is_refused_with_what_was_expected(text, sentence):
    with pytest.raises(RnnvizError, match=sentence):
        go_to(text, PROGRAM, HERE)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("t 17 of 30", Cursor(20, Phase.BACKWARD, 17, "l1")),
        ("17/30", Cursor(20, Phase.BACKWARD, 17, "l1")),
        ("step 17 of 30", Cursor(20, Phase.BACKWARD, 17, "l1")),
        ("step 500 of 1,500, t 17 out of 30", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("500/1500", Cursor(500, Phase.BACKWARD, 12, "l1")),
        ("step 1.5e3", Cursor(1500, Phase.BACKWARD, 12, "l1")),
        ("k=2k", Cursor(2000, Phase.BACKWARD, 12, "l1")),
        ("step 1 000", Cursor(1000, Phase.BACKWARD, 12, "l1")),
        ("step no. 500", Cursor(500, Phase.BACKWARD, 12, "l1")),
        ("step five", Cursor(5, Phase.BACKWARD, 12, "l1")),
        ("the 17th time step", Cursor(20, Phase.BACKWARD, 17, "l1")),
        ("500:17", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("500-17", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("(step=500 & t=17)", Cursor(500, Phase.BACKWARD, 17, "l1")),
        ("last step", Cursor(1500, Phase.BACKWARD, 12, "l1")),
        ("step first", Cursor(10, Phase.BACKWARD, 12, "l1")),
        ("final training step, first time step", Cursor(1500, Phase.BACKWARD, 1, "l1")),
        ("first", Cursor(20, Phase.BACKWARD, 1, "l1")),
        ("the beginning", Cursor(20, Phase.BACKWARD, 1, "l1")),
        ("End", Cursor(20, Phase.BACKWARD, 30, "l1")),
        ("T", Cursor(20, Phase.BACKWARD, 30, "l1")),
        ("t first", Cursor(20, Phase.BACKWARD, 1, "l1")),
        ("start of backward", Cursor(20, Phase.BACKWARD, 1, "l1_reverse")),
        ("end of the forward sweep", Cursor(20, Phase.FORWARD, 1, "l1_reverse")),
        ("first layer", Cursor(20, Phase.BACKWARD, 12, "l0")),
        ("please show me t 5", Cursor(20, Phase.BACKWARD, 5, "l1")),
    ],
)
def test_places_as_people_say_them(text, place):
    program = replace(PROGRAM, training_steps=(10, 20, 500, 1500))
    assert go_to(text, program, replace(HERE, training_step=20)) == place


def test_operations_are_those_of_the_cell():
    gru = program_of(5, Structure("gru", 2, 3))
    assert go_to("f t=2 a_n", gru, Cursor(0, Phase.LOSS, 5)).operation == "a_n"
    with pytest.raises(RnnvizError, match="one phase, got backward and forward"):
        go_to("b f", gru, HERE)


structures = st.builds(
    Structure,
    cell=st.sampled_from(["vanilla", "lstm", "gru"]),
    input_size=st.just(2),
    hidden_size=st.just(3),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    proj_size=st.just(0),
)


LOSS = ("logits", "softmax", "loss", "prediction_grad", "weight_grads", "output_grad")
UPDATE = ("gradient", "clip", "mean", "mean square", "correction", "delta", "weights")
WHOLE = replace(PROGRAM, loss=LOSS, update=UPDATE, loss_time_step=29)


@pytest.mark.parametrize(
    ("text", "here", "place"),
    [
        ("logits", HERE, Cursor(7, Phase.LOSS, 29, "l1", "logits")),
        ("t 5 logits", HERE, Cursor(7, Phase.LOSS, 5, "l1", "logits")),
        ("loss", HERE, Cursor(7, Phase.LOSS, 29, "l1")),
        ("t=5 loss", HERE, Cursor(7, Phase.LOSS, 5, "l1")),
        ("loss loss", HERE, Cursor(7, Phase.LOSS, 29, "l1", "loss")),
        ("loss", Cursor(7, Phase.LOSS, 5, "l0", "logits"), Cursor(7, Phase.LOSS, 5)),
        ("t 6", Cursor(7, Phase.LOSS, 5, "l0", "logits"), Cursor(7, Phase.FORWARD, 6)),
        ("clip", HERE, Cursor(7, Phase.UPDATE, 1, "l1", "clip")),
        ("update", HERE, Cursor(7, Phase.UPDATE, 1, "l1")),
        ("step 9 update mean square", HERE, Cursor(9, Phase.UPDATE, 1, "l1", "mean square")),
        ("Mean", HERE, Cursor(7, Phase.UPDATE, 1, "l1", "mean")),
        ("f", Cursor(7, Phase.UPDATE, 1), Cursor(7, Phase.FORWARD, 1)),
        ("f o", Cursor(7, Phase.UPDATE, 1), Cursor(7, Phase.FORWARD, 1, "l0", "o")),
    ],
)
def test_the_loss_and_the_update_are_gone_into_by_the_names_of_their_operations(text, here, place):
    assert go_to(text, WHOLE, here) == place


def test_an_operation_of_another_phase_is_refused_and_a_gate_keeps_its_words():
    with pytest.raises(RnnvizError, match="wanted an operation in the update, got clip in the phase forward"):
        go_to("forward clip", WHOLE, HERE)
    with pytest.raises(RnnvizError, match="“clib” names no place; did you mean clip"):
        go_to("clib", WHOLE, HERE)
    gru = program_of(30, Structure("gru", 2, 3))
    assert go_to("t 3 update gate", gru, Cursor(7, Phase.FORWARD, 1)) == Cursor(7, Phase.FORWARD, 3, "l0", "z")


@given(structures, st.integers(1, 40), st.integers(0, 10**9), st.data())
def test_words_lead_back_to_the_same_cursor(structure, count, k, data):
    program = program_of(count, structure, loss=LOSS, update=UPDATE)
    cursor = program.fine_at(data.draw(st.integers(0, program.fine_length - 1)), Cursor(k, Phase.FORWARD, 1))
    assert go_to(words(cursor), program, HERE) == cursor


@given(st.text(max_size=30))
def test_any_text_leads_somewhere_or_is_refused_in_a_sentence(text):
    cursor = None
    with contextlib.suppress(RnnvizError):
        cursor = go_to(text, PROGRAM, HERE)
    if cursor is not None:
        assert go_to(words(cursor), PROGRAM, HERE) == cursor


def test_words_read_as_they_are_typed():
    assert words(Cursor(1200, Phase.BACKWARD, 17, "l1", "U h")) == "step 1,200 t 17 backward l1 Uh"


def test_unit_sequence_and_model_are_named_beside_the_place():
    found = target("LSTM 2, unit 7, sequence 3, t=4", PROGRAM, HERE, ("LSTM", "LSTM 2"))
    assert found == Target(Cursor(7, Phase.BACKWARD, 4, "l1"), 7, 3, 1)
    assert target("t=4 lstm", PROGRAM, HERE, ("LSTM", "LSTM 2")).model == 0
    assert target("u5", PROGRAM, HERE) == Target(replace(HERE, operation=""), 5)


def test_a_bare_number_beyond_the_sequence_is_a_training_step_that_was_kept():
    program = replace(PROGRAM, training_steps=(0, 20, 500))
    assert go_to("500", program, HERE).training_step == 500
    assert go_to("20", program, HERE) == Cursor(7, Phase.BACKWARD, 20, "l1")
    assert go_to("17 step 20", program, HERE) == Cursor(20, Phase.BACKWARD, 17, "l1")
    with pytest.raises(RnnvizError, match="got 501"):
        go_to("501", program, HERE)


STAGES = in_two_stages(7, 5, Structure("gru", 2, 3, 2, True), Structure("gru", 2, 3, 2))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("t 3", Cursor(7, Phase.BACKWARD, 3, "l1")),
        ("decoder.l0", Cursor(7, Phase.BACKWARD, 10, "decoder.l0")),
        ("forward, decoder, layer 0, t 8", Cursor(7, Phase.FORWARD, 8, "decoder.l0")),
        ("Encoder layer 1 reverse", Cursor(7, Phase.BACKWARD, 7, "l1_reverse")),
        ("l0_reverse", Cursor(7, Phase.BACKWARD, 7, "l0_reverse")),
        ("t 2 encoder", Cursor(7, Phase.BACKWARD, 2, "l0")),
        ("decoder t -1", Cursor(7, Phase.BACKWARD, 12, "decoder.l0")),
        ("t 4 n", Cursor(7, Phase.BACKWARD, 4, "l1", "n")),
    ],
)
def test_layers_of_an_encoder_and_of_a_decoder(text, place):
    assert go_to(text, STAGES, Cursor(7, Phase.BACKWARD, 10, "decoder.l1")) == place


def test_a_time_step_at_which_a_layer_does_not_exist_is_refused():
    with pytest.raises(RnnvizError, match=r"decoder\.l1 goes through the time steps 8 to 12; got 3"):
        go_to("t 3 decoder.l1", STAGES, HERE)
    with pytest.raises(RnnvizError, match=r"“decoder\.l0” names no place"):
        go_to("decoder.l0", PROGRAM, HERE)


@given(st.integers(0, 10**9), st.data())
def test_words_of_two_stages_lead_back_to_the_same_cursor(k, data):
    number = data.draw(st.integers(0, STAGES.fine_length - 1))
    cursor = STAGES.fine_at(number, Cursor(k, Phase.FORWARD, 1))
    assert go_to(words(cursor), STAGES, HERE) == cursor


@pytest.mark.parametrize(
    ("text", "kind"),
    [("training batch t 3", "batch"), ("step 9 Batch", "batch"), ("probe", "probe"), ("t 3 forward", None)],
)
def test_whose_sequences_are_meant_is_a_part_of_a_place(text: str, kind: str | None) -> None:
    assert target(text, PROGRAM, HERE).kind == kind
    assert target(words(HERE, "batch"), PROGRAM, HERE) == Target(HERE, kind="batch")
    assert words(HERE, "probe") == words(HERE)
