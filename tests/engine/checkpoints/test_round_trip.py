"""Every way a recurrent module's weights come out of a training script is found again, to 1e-6."""

import itertools
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm
from torch.optim.swa_utils import AveragedModel

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints import read_checkpoint

CLASSES = {"vanilla": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
SHAPES = [
    (cell, layers, bidirectional, bias, proj_size)
    for cell, layers, bidirectional, bias in itertools.product(CLASSES, (1, 2, 3), (False, True), (True, False))
    for proj_size in ((0, 3) if cell == "lstm" else (0,))
]


def build(cell, layers=1, bidirectional=False, bias=True, proj_size=0, inputs=4, hidden=5):
    options = {"proj_size": proj_size} if proj_size else {}
    return CLASSES[cell](inputs, hidden, layers, bidirectional=bidirectional, bias=bias, **options)


def structure(cell, layers=1, bidirectional=False, bias=True, proj_size=0, inputs=4, hidden=5):
    return Structure(cell, inputs, hidden, layers, bidirectional, bias, "tanh", proj_size)


def wrapped(module, name="encoder"):
    model = nn.Module()
    model.add_module(name, module)
    return model


# Each form: module → (what is saved, prefix expected, weights expected)


def plain(module):
    return module.state_dict(), "", weights(module)


def prefixed(module):
    return wrapped(wrapped(module, "lstm")).state_dict(), "encoder.lstm.", weights(module)


def data_parallel(module):
    return {f"module.{name}": value for name, value in module.state_dict().items()}, "module.", weights(module)


def compiled(module):
    state = {f"_orig_mod.{name}": value for name, value in wrapped(module).state_dict().items()}
    return {"model_state_dict": state, "epoch": 3}, "_orig_mod.encoder.", weights(module)


def compiled_and_parallel(module):
    state = {f"module._orig_mod.{name}": value for name, value in module.state_dict().items()}
    return {"model": {"state_dict": state}}, "module._orig_mod.", weights(module)


def lightning(module):
    state = {f"model.{name}": value for name, value in wrapped(module, "rnn").state_dict().items()}
    optimiser = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-3}]}
    return (
        {"state_dict": state, "optimizer_states": [optimiser], "pytorch-lightning_version": "2.4", "epoch": 1},
        "model.rnn.",
        weights(module),
    )


def averaged(module):
    return AveragedModel(wrapped(module)).state_dict(), "module.encoder.", weights(module)


@pytest.mark.filterwarnings("ignore")
def old_weight_norm(module):
    for name in matrices(module):
        weight_norm(module, name)
        with torch.no_grad():  # as after some training: g and v no longer those of the plain weight
            getattr(module, f"{name}_g").mul_(1.5)
            getattr(module, f"{name}_v").mul_(-0.5)
    module(torch.zeros(2, 1, module.input_size))
    return wrapped(module).state_dict(), "encoder.", weights(module)


def new_weight_norm(module):
    for name in matrices(module):
        parametrizations.weight_norm(module, name)
        with torch.no_grad():
            getattr(module.parametrizations, name).original0.mul_(0.7)
    return wrapped(module).state_dict(), "encoder.", weights(module)


def old_spectral_norm(module):
    for name in matrices(module):
        spectral_norm(module, name, n_power_iterations=30)  # before it has converged, torch's own σ is all rounding
    module(torch.zeros(2, 1, module.input_size))
    module.eval()
    module(torch.zeros(2, 1, module.input_size))
    return wrapped(module).state_dict(), "encoder.", weights(module)


def new_spectral_norm(module):
    for name in matrices(module):
        parametrizations.spectral_norm(module, name)
    module.eval()
    return wrapped(module).state_dict(), "encoder.", weights(module)


def pruned(module):
    for name in matrices(module):
        prune.random_unstructured(module, name, amount=0.3)
    return wrapped(module).state_dict(), "encoder.", weights(module)


FORMS = [
    plain,
    prefixed,
    data_parallel,
    compiled,
    compiled_and_parallel,
    lightning,
    averaged,
    old_weight_norm,
    new_weight_norm,
    old_spectral_norm,
    new_spectral_norm,
    pruned,
]


def matrices(module):
    return [name for name, value in module.named_parameters() if name.startswith("weight") and value.ndim == 2]


def weights(module):
    return {name: getattr(module, name).detach().clone() for name in all_names(module)}


def all_names(module):
    return structure(
        {nn.RNN: "vanilla", nn.LSTM: "lstm", nn.GRU: "gru"}[kind_of(module)],
        module.num_layers,
        module.bidirectional,
        module.bias,
        module.proj_size,
        module.input_size,
        module.hidden_size,
    ).parameter_shapes()


def kind_of(module):
    return next(kind for kind in CLASSES.values() if isinstance(module, kind))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_and_shape_is_rebuilt(form, tmp_path):
    for number, shape in enumerate(SHAPES):
        torch.manual_seed(number)
        saved, prefix, wanted = form(build(*shape))
        path = tmp_path / f"{number}.pt"
        torch.save(saved, path)
        checkpoint = read_checkpoint(path)
        assert checkpoint.kind == "state dict"
        module = checkpoint.module()
        assert (module.prefix, module.structure) == (prefix, structure(*shape))
        assert set(module.weights) == set(wanted)
        for name, weight in wanted.items():
            np.testing.assert_allclose(module.weights[name], weight.numpy(), rtol=1e-6, atol=1e-6, err_msg=name)
            assert module.sources[name], "the mapping names what each weight was made from"
        rebuilt = form in FORMS[7:]
        assert any("rebuilt from" in note for note in module.notes) == rebuilt


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_safetensors_of_every_shape(shape, tmp_path):
    torch.manual_seed(1)
    module = build(*shape)
    save_file({f"a.b.{name}": value for name, value in module.state_dict().items()}, tmp_path / "model.bin")
    read = read_checkpoint(tmp_path / "model.bin")
    assert read.kind == "safetensors"
    assert (read.module("a.b").prefix, read.module("a.b.").structure) == ("a.b.", structure(*shape))
    for name, value in module.state_dict().items():
        np.testing.assert_array_equal(read.module().weights[name], value.numpy())


@pytest.mark.parametrize(("megabytes", "taken"), [(66, True), (70, False)])
def test_many_modules_of_one_storage_are_copied_up_to_a_limit_beyond_the_file(megabytes, taken, tmp_path):
    """One storage of 1 MB, which 33 or 35 modules read twice each."""
    shared = torch.randn(4 * 256, 256)
    names = ("weight_ih_l0", "weight_hh_l0")
    torch.save({f"m{n}.{name}": shared for n in range(megabytes // 2) for name in names}, tmp_path / "tied.pt")
    read = read_checkpoint(tmp_path / "tied.pt")
    assert (len(read.modules) == megabytes // 2) == taken
    assert any("wanted at most" in note for note in read.notes) != taken


@pytest.mark.parametrize("cell", CLASSES)
@pytest.mark.parametrize(("inputs", "hidden", "layers", "both", "proj_size"), [
    (1, 5, 1, False, 0), (4, 1, 1, False, 0), (1, 1, 2, True, 0), (1, 4, 2, False, 1), (3, 2, 1, True, 1),
])  # fmt: skip
def test_of_one_input_or_one_unit_it_is_read_too(cell, inputs, hidden, layers, both, proj_size, tmp_path):
    proj_size = proj_size if cell == "lstm" else 0
    module = build(cell, layers, both, True, proj_size, inputs, hidden)
    torch.save(module.state_dict(), tmp_path / "a.pt")
    read = read_checkpoint(tmp_path / "a.pt").module()
    assert read.structure == structure(cell, layers, both, True, proj_size, inputs, hidden)
    assert {name: weight.shape for name, weight in read.weights.items()} == read.structure.parameter_shapes()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precisions(dtype, tmp_path):
    module = build("gru").to(dtype)
    torch.save(module.state_dict(), tmp_path / "m.pt")
    save_file(module.state_dict(), tmp_path / "m.safetensors")
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    for name in ("m.pt", "m.safetensors"):
        read = read_checkpoint(tmp_path / name).module()
        for key, value in module.state_dict().items():
            assert read.weights[key].dtype == np.dtype(str(wide).removeprefix("torch."))
            np.testing.assert_array_equal(read.weights[key], value.to(wide).numpy())
        said = any("float16" in note for note in read.notes)
        assert said == (dtype != torch.float64)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize("bias", [True, False])
def test_cells_become_modules_of_one_layer(kind, bias, tmp_path):
    cell = kind(3, 6, bias=bias)
    torch.save(wrapped(cell, "decoder").state_dict(), tmp_path / "cell.pt")
    read = read_checkpoint(tmp_path / "cell.pt").module("decoder")
    assert read.is_cell
    assert (read.structure.input_size, read.structure.hidden_size, read.structure.num_layers) == (3, 6, 1)
    for name, value in cell.state_dict().items():
        np.testing.assert_array_equal(read.weights[f"{name}_l0"], value.numpy())


def test_several_modules_each_by_its_prefix(tmp_path):
    encoder, decoder = build("lstm", 2, True), build("gru", hidden=7)
    torch.save({"encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "loss": 0.5}, tmp_path / "both.pt")
    read = read_checkpoint(tmp_path / "both.pt")
    assert [module.prefix for module in read.modules] == ["encoder.", "decoder."]
    assert read.module("decoder").structure.cell == "gru"
    with pytest.raises(RnnvizError, match=r"holds 2 recurrent modules: wanted the prefix of one of 'encoder\.'"):
        read.module()
    with pytest.raises(RnnvizError, match="no recurrent module under 'lstm'"):
        read.module("lstm")


def test_one_name_in_two_wrappings_stays_two_modules(tmp_path):
    live, average = build("gru"), build("gru")
    torch.save({"model": live.state_dict(), "net": average.state_dict()}, tmp_path / "ema.pt")
    read = read_checkpoint(tmp_path / "ema.pt")
    assert [module.prefix for module in read.modules] == ["model.", "net."]
    np.testing.assert_array_equal(read.module("net").weights["weight_hh_l0"], average.weight_hh_l0.detach().numpy())


def test_a_good_module_beside_a_broken_one_is_kept_and_the_other_said(tmp_path):
    state = {f"good.{name}": value for name, value in build("gru").state_dict().items()}
    state |= {f"bad.{name}": value for name, value in build("lstm").state_dict().items() if name != "bias_hh_l0"}
    torch.save(state, tmp_path / "half.pt")
    read = read_checkpoint(tmp_path / "half.pt")
    assert [module.prefix for module in read.modules] == ["good."]
    assert read.notes == ("The module 'bad.': bias_hh_l0 is missing.",)


def test_activation_of_a_vanilla_cell_is_assumed_and_said_or_given(tmp_path):
    torch.save(nn.RNN(3, 4, nonlinearity="relu").state_dict(), tmp_path / "rnn.pt")
    assumed = read_checkpoint(tmp_path / "rnn.pt").module()
    assert assumed.structure.activation == "tanh"
    assert any("tanh" in note and "assumed" in note for note in assumed.read_by)
    given = read_checkpoint(tmp_path / "rnn.pt", "relu").module()
    assert (given.structure.activation, given.read_by, given.notes) == ("relu", (), ())


def test_orthogonal_parametrisation_is_refused_by_name(tmp_path):
    module = parametrizations.orthogonal(build("vanilla"), "weight_hh_l0")
    assert parametrize.is_parametrized(module)
    torch.save(module.state_dict(), tmp_path / "orthogonal.pt")
    with pytest.raises(RnnvizError, match=r"in the parts of an orthogonal weight .* rnnviz cannot rebuild"):
        read_checkpoint(tmp_path / "orthogonal.pt")


def test_old_format_is_read_and_its_lack_of_checksums_said(tmp_path):
    module = build("lstm")
    torch.save(module.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    read = read_checkpoint(tmp_path / "old.pth")
    np.testing.assert_array_equal(read.module().weights["weight_ih_l0"], module.weight_ih_l0.detach().numpy())
    assert "no checksums" in read.notes[0]


@pytest.mark.parametrize(("order", "said"), [(b"little", False), (b"big", True), (None, False)])
def test_the_byte_order_that_the_file_says_is_told_where_it_is_another(tmp_path, order, said):
    torch.save(build("gru").state_dict(), tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as saved, zipfile.ZipFile(tmp_path / "b.pt", "w") as changed:
        for name in saved.namelist():
            if not name.endswith("/byteorder"):
                changed.writestr(name, saved.read(name))
            elif order is not None:
                changed.writestr(name, order)
    read = read_checkpoint(tmp_path / "b.pt")
    assert read.module().structure == structure("gru")
    assert any("big-endian machine" in note for note in read.notes) == said


def test_tied_and_strided_weights_are_copied_as_they_are(tmp_path):
    shared = torch.randn(40, 10).T  # (10, 40), neither contiguous nor of its own storage
    state = {"weight_ih_l0": shared[:, :10].T.contiguous().T, "weight_hh_l0": shared[:, 10:20], "extra": shared}
    torch.save(state, tmp_path / "tied.pt")
    read = read_checkpoint(tmp_path / "tied.pt").module()
    np.testing.assert_array_equal(read.weights["weight_hh_l0"], state["weight_hh_l0"].numpy())
    assert read.weights["weight_hh_l0"].flags.c_contiguous
    assert not read.weights["weight_hh_l0"].flags.writeable
