"""A cell that is more than torch's is traced as what it is or declined in words, never shown as the plain one."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.source import GIVEN_LOSS, Given, GivenInput
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.inspection import inspect_path, table
from rnnviz.engine.tracing.given_input import record_given
from rnnviz.runs.reading.reader import open_run

INPUTS, HIDDEN = 3, 5


def cell(prefix="cell.", kind=nn.LSTMCell, *sizes, **options):
    torch.manual_seed(8)
    return {prefix + name: value for name, value in kind(INPUTS, HIDDEN, *sizes, **options).state_dict().items()}


def vectors(*names, size=HIDDEN):
    generator = torch.Generator().manual_seed(9)
    return {name: torch.randn(size, generator=generator) for name in names}


def saved(tmp_path, state):
    torch.save(state, tmp_path / "cell.pt")
    return tmp_path / "cell.pt"


def peephole_states(state, inputs):
    """h of every time step by hand (Gers & Schmidhuber 2000)."""
    weights = {name.rpartition(".")[2]: value.double().numpy() for name, value in state.items()}
    h = c = np.zeros(HIDDEN)
    found = []
    for x in inputs:
        a = weights["weight_ih"] @ x + weights["bias_ih"] + weights["weight_hh"] @ h + weights["bias_hh"]
        i, f, g, o = np.split(a, 4)
        sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
        i, f = sigmoid(i + weights["weight_ci"] * c), sigmoid(f + weights["weight_cf"] * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + weights["weight_co"] * c) * np.tanh(c)
        found.append(h)
    return np.array(found)


@pytest.mark.parametrize("names", ["weight_c{}", "W_c{}", "peephole_{}", "w_peep_{}"])
def test_a_peephole_lstm_is_traced_as_one(tmp_path, names):
    peepholes = vectors(*(f"weight_c{gate}" for gate in "ifo"))
    state = cell() | {f"cell.{names.format(gate)}": peepholes[f"weight_c{gate}"] for gate in "ifo"}
    module = read_checkpoint(saved(tmp_path, state)).module()
    assert module.structure == Structure("peephole_lstm", INPUTS, HIDDEN)
    for gate in "ifo":
        assert module.sources[f"weight_c{gate}_l0"] == (f"cell.{names.format(gate)}",)
    assert module.read_by == ("By its weight_ci, weight_cf and weight_co it is traced as a peephole LSTM.",)
    if names == "weight_c{}":
        save_file(state, tmp_path / "cell.safetensors")
        record_given(
            Given(str(tmp_path / "cell.safetensors"), GivenInput(length=6), drawn_from=3), tmp_path / "a.rnnviz"
        )
        with open_run(tmp_path / "a.rnnviz") as run:
            wanted = peephole_states(state, run.probe.inputs[:, 0].astype(float))
            np.testing.assert_allclose(run.trace(0).layers[0].h[:, 0], wanted, rtol=1e-4, atol=1e-6)
            assert run.models[0].structure.cell == "peephole_lstm"


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (vectors("cell.ln_ih.weight", "cell.ln_hh.weight", size=20), "layer normalisation"),
        (vectors("cell.layernorm_c.weight"), "layer normalisation"),
        (vectors("cell.bn_hh.running_mean", size=20), "batch normalisation"),
        (vectors("cell.zoneout_mask"), "zoneout"),
        ({"cell.attn.weight": torch.ones(HIDDEN, HIDDEN)}, "attention"),
        ({"cell.weight_ho": torch.ones(2, HIDDEN)}, "a projection"),
        (vectors("cell.c0"), "an initial state of its own"),
        (vectors("cell.bias", size=20), "a bias of another form"),
        (vectors("cell.alpha"), "parameters"),
        (vectors("cell.weight_pi", "cell.weight_pf"), "peepholes"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.LSTM])
def test_what_stands_in_a_cell_beside_its_gates_declines_it_in_words(tmp_path, further, said, kind):
    with pytest.raises(RnnvizError) as refusal:
        read_checkpoint(saved(tmp_path, cell(kind=kind) | further))
    assert f"{next(iter(further))} (" in str(refusal.value)
    assert f"{said} inside the cell, which a plain nn.LSTM does not have" in str(refusal.value)


def test_a_part_of_a_weight_that_nobody_reads_declines_it(tmp_path):
    state = cell("rnn.", nn.LSTM) | {"rnn.weight_hh_l0_mask": torch.ones(20, HIDDEN)}
    with pytest.raises(RnnvizError, match=r"it also holds rnn\.weight_hh_l0_mask \(20 × 5\), and nothing says what"):
        read_checkpoint(saved(tmp_path, state))


@pytest.mark.parametrize(("prefix", "holder"), [("layer.cell.", "layer."), ("cell.", ""), ("", ""), ("", ".")])
def test_normalised_gates_are_seen_also_beside_the_cell(tmp_path, prefix, holder):
    with pytest.raises(RnnvizError, match=r"layer normalisation inside the cell, which a plain nn\.GRU does not have"):
        read_checkpoint(saved(tmp_path, cell(prefix, nn.GRUCell) | vectors(f"{holder}ln_ih.weight", size=15)))


def test_a_declined_cell_leaves_the_others_of_the_file(tmp_path):
    state = cell("good.", nn.GRU) | cell("bad.") | vectors("bad.ln.weight", size=20)
    read = read_checkpoint(saved(tmp_path, state))
    assert [module.prefix for module in read.modules] == ["good."]
    assert len(read.notes) == 1
    assert "'bad.': it also holds bad.ln.weight (20)" in read.notes[0]


def test_what_stands_around_a_module_is_left_aside_and_said(tmp_path):
    state = cell("rnn.", nn.LSTM) | {
        "embedding.weight": torch.ones(11, INPUTS),
        "head.weight": torch.ones(7, HIDDEN),
        "norm.weight": torch.ones(HIDDEN),
        "h0": torch.ones(1, HIDDEN),
        "steps": torch.tensor(3),
    }
    optimiser = {"state": {0: {"exp_avg": torch.ones(20, HIDDEN)}}}
    read = read_checkpoint(saved(tmp_path, {"model": state, "optimizer": optimiser}))
    assert read.module().structure.cell == "lstm"
    assert read.notes == (
        "Not used: embedding.weight (11 × 3, by its shape an embedding before rnn), head.weight (7 × 5, by its shape "
        "a head after rnn), norm.weight (5, by its name a normalisation), h0 (1 × 5, by its name an initial state, for "
        "which the trace has zeros) and 1 of an optimiser.",
    )


def test_what_is_not_used_is_told_to_programs_and_people(tmp_path):
    state = cell("rnn.", nn.GRU, 2, bidirectional=True) | {
        "emb.weight": torch.ones(11, INPUTS),
        "out.weight": torch.ones(7, 2 * HIDDEN),
        "out.bias": torch.ones(7),
        "conv.weight": torch.ones(4, 3, 2),
        "steps": torch.ones(3, 1),
        "layer_norm.bias": torch.ones(HIDDEN),
    }
    found = inspect_path(saved(tmp_path, state))
    assert found["unused"] == [
        {"name": "emb.weight", "shape": [11, INPUTS], "role": "embedding", "module": "rnn"},
        {"name": "out.weight", "shape": [7, 2 * HIDDEN], "role": "head", "module": "rnn"},
        {"name": "out.bias", "shape": [7], "role": "head", "module": "rnn"},
        {"name": "conv.weight", "shape": [4, 3, 2], "role": "convolution", "module": ""},
        {"name": "steps", "shape": [3, 1], "role": "", "module": ""},
        {"name": "layer_norm.bias", "shape": [HIDDEN], "role": "normalisation", "module": ""},
    ]
    assert found["more_unused"] == 0
    assert found["traced"] == {"loss": GIVEN_LOSS, "targets": False, "initial_state": "zeros", "sequences": 1}
    said = table(found)
    for sentence in (
        f"note: rnn is given the {INPUTS} numbers its embedding would output, not token ids.",
        "note: rnn is traced without its head: there are no logits, predictions or targets.",
        "note: A trace has one sequence and initial states of zero, and the loss L = ‖h‖, the norm of",
    ):
        assert sentence in said
    alone = table(inspect_path(saved(tmp_path, cell("rnn.", nn.GRU))))
    assert "embedding" not in alone
    assert "there is no target" in alone


def test_very_many_tensors_that_are_not_used_are_counted(tmp_path):
    state = {f"m{k}.{name}": one for k in range(40) for name, one in cell("", nn.GRU).items()}
    state |= {f"bank.{k}.weight": torch.ones(2, 3) for k in range(1200)}
    read = read_checkpoint(saved(tmp_path, state))
    assert (len(read.unused), read.more_unused) == (1000, 200)
    assert read.notes[0].endswith(" and 1,194 more.")


def test_a_module_of_its_own_class_may_have_a_head_and_statistics_beside_it(tmp_path):
    head = {"model.fc.weight": torch.ones(7, HIDDEN), "model.fc.bias": torch.ones(7)}
    assert "model.fc.weight" in read_checkpoint(saved(tmp_path, cell("model.", nn.GRU) | head)).notes[0]
    scaled = {"model": cell("", nn.GRU), "norm": vectors("mean", "std", size=INPUTS)}
    assert "norm.mean (3" in read_checkpoint(saved(tmp_path, scaled)).notes[0]


@pytest.mark.parametrize("inner", ["rnns.0.module.weight_hh_l0_raw", "rnns.0.weight_hh_l0_raw"])
@pytest.mark.parametrize("dropped", [False, True])
def test_weight_drop_gives_the_undropped_weights_and_is_named(tmp_path, inner, dropped):
    state = cell("rnns.0.module.", nn.LSTM)
    raw = state.pop("rnns.0.module.weight_hh_l0")
    state |= {inner: raw} | ({"rnns.0.module.weight_hh_l0": raw * 0} if dropped else {})
    module = read_checkpoint(saved(tmp_path, state)).module("rnns.0.module")
    np.testing.assert_array_equal(module.weights["weight_hh_l0"], raw.numpy())
    assert module.structure == Structure("lstm", INPUTS, HIDDEN)
    assert "weight drop" in module.notes[0]


@pytest.mark.parametrize(
    ("content", "prefixes"),
    [
        ({"model": cell("rnn.", nn.GRU), "model_ema": cell("rnn.", nn.GRU)}, ["model.rnn.", "model_ema.rnn."]),
        ({"state_dict": cell("", nn.GRU), "ema": {"module": cell("", nn.GRU)}}, ["state_dict.", "ema.module."]),
    ],
)
def test_a_model_and_its_average_are_told_apart_in_words(tmp_path, content, prefixes):
    average = list(content)[1]
    read = read_checkpoint(saved(tmp_path, content | {"optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}}))
    assert [module.prefix for module in read.modules] == prefixes
    assert f"{average!r} (by its name the averaged weights)" in read.notes[0]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"enc.W_ih": torch.ones(20, 3), "enc.W_hh": torch.ones(20, 5), "enc.b": torch.ones(20)},
            ["enc.W_ih (20 × 3), enc.W_hh (20 × 5) and enc.b (20)", "one LSTM layer of 5 units", "order i, f, g, o"],
        ),
        (
            {"gru.kernel": torch.ones(3, 15), "gru.recurrent_kernel": torch.ones(5, 15)},
            ["gru.kernel (3 × 15)", "one GRU layer of 5 units", "transposed (.T)", "order r, z, n"],
        ),
        (
            {"i2h.weight": torch.ones(5, 8), "i2o.weight": torch.ones(3, 8)},
            [
                "i2h.weight (5 × 8)",
                "one vanilla layer of 5 units",
                "the 3 columns of the inputs and the 5 of the state",
            ],
        ),
        ({f"lstm.W{gate}.weight": torch.ones(5, 8) for gate in "fioc"}, ["lstm.Wf.weight", "one LSTM layer of 5"]),
        ({"fc1.weight": torch.ones(9, 4), "fc2.weight": torch.ones(2, 9)}, ["fc1.weight (9 × 4)"]),
    ],
)
def test_other_names_are_listed_and_torchs_are_proposed_by_shape(tmp_path, state, said):
    with pytest.raises(RnnvizError) as refusal:
        read_checkpoint(saved(tmp_path, state))
    for words in said:
        assert words in str(refusal.value)
    assert ("By " in str(refusal.value)) == (len(said) > 1)
