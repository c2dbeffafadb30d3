"""Crafted checkpoints: what a stranger's file may do, by name, with what must be said of it."""

import argparse
import collections
import datetime
import io
import json
import os
import pathlib
import pickle
import random
import struct
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

REFUSED, FLAGGED, READ = "refused", "flagged", "read"


@pytest.fixture(scope="session")
def craft(tmp_path_factory):
    """name → (path, outcome, what its sentence or note must contain); made once."""
    return Craft(tmp_path_factory.mktemp("hostile"))


class Craft:
    """Writes the corpus; each method makes one group of files."""

    def __init__(self, folder):
        self.folder = folder
        self.marker = folder / "executed"
        self.files = {}
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for make in (self.no_checkpoints, self.code, self.archives, self.claims, self.kinds, self.values):
                make()
            for make in (self.names, self.structures, self.sizes, self.safetensors, self.safetensors_values):
                make()

    def add(self, name, content, outcome, *said):
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            torch.save(content, path)
        self.files[name] = (path, outcome, said)

    def no_checkpoints(self):
        self.add("empty.pt", b"", REFUSED, "is empty")
        self.add("text.pt", b"just some words\n" * 9, REFUSED, "plain text")
        self.add("json.safetensors", b'{"a": 1}', REFUSED, "JSON")
        self.add("page.pt", b"<!DOCTYPE html><html>Sign in</html>", REFUSED, "web page")
        self.add("picture.pt", b"\x89PNG\r\n\x1a\n" + bytes(64), REFUSED, "PNG picture")
        self.add("photo.pth", b"\xff\xd8\xff\xe0" + bytes(64), REFUSED, "JPEG picture")
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
        self.add("pointer.bin", pointer, REFUSED, "git-LFS pointer", "git lfs pull")
        self.add("packed.pt", b"\x1f\x8b" + bytes(64), REFUSED, "gzip")
        self.add("keras.pt", b"\x89HDF\r\n\x1a\n" + bytes(64), REFUSED, "HDF5")
        self.add("random.pt", random.Random(1).randbytes(4096), REFUSED, "unknown kind")
        self.add("zeros.pt", bytes(4096), REFUSED, "unknown kind")
        self.add("missing.pt", None, REFUSED, "No such file")
        (self.folder / "folder.pt").mkdir()
        self.add("folder.pt", None, REFUSED, "is a folder")
        if hasattr(os, "mkfifo"):
            os.mkfifo(self.folder / "pipe.pt")
            self.add("pipe.pt", None, REFUSED, "is a pipe")
        self.add("none.pt", {"epoch": 3, "fc.weight": torch.zeros(3, 3)}, REFUSED, "none of its 1 tensors")
        for name, value in (
            ("number.pt", 3),
            ("words.pt", "lstm"),
            ("tensor.pt", torch.zeros(3)),
            ("list.pt", [1, None]),
        ):
            self.add(name, value, REFUSED, "holds no usable")

    def code(self):
        attack = Calls(os.system, f"touch {self.marker}")
        lambdas = Calls(eval, f"open({str(self.marker)!r}, 'w')")
        self.add("system_raw.pt", pickle.dumps(attack, 2), REFUSED, "pickle", "system")
        self.add("system_raw4.pt", pickle.dumps(attack, 4), REFUSED, "pickle")
        self.add("system_zip.pt", {"weight_hh_l0": attack}, REFUSED, "system", "could run a stranger's code")
        self.add("eval_zip.pt", {"weight_hh_l0": lambdas}, REFUSED, "it names eval")
        self.add("system_old.pt", old_format({"a": attack}), REFUSED, "system")
        self.add("whole.pt", nn.LSTM(3, 4), REFUSED, "whole pickled module", "LSTM", "loaded.state_dict()")
        self.add("whole_old.pt", old_format(nn.LSTM(3, 4)), REFUSED, "whole pickled module")
        for name, value in (
            ("namespace", argparse.Namespace(a=1)),
            ("path", pathlib.PurePosixPath("a")),
            ("date", datetime.date(2020, 1, 1)),
            ("defaultdict", collections.defaultdict(list)),
            ("scalar", np.float64(0.5)),
        ):
            state = {"state_dict": lstm(), "extra": value}
            self.add(f"honest_{name}.pt", state, REFUSED, "holds more than tensors", 'loaded["state_dict"]')
        flat = lstm() | {"when": datetime.date(2020, 1, 1)}
        self.add("honest_flat.pt", flat, REFUSED, "holds more than tensors", "torch.is_tensor(v)")
        stream = io.BytesIO()
        torch.jit.save(torch.jit.script(nn.LSTM(3, 4)), stream)
        self.add("script.pt", stream.getvalue(), REFUSED, "TorchScript")

    def archives(self):
        good = saved(lstm())
        for share in (0.01, 0.3, 0.6, 0.95):
            self.add(f"cut_{share}.pt", good[: int(share * len(good))], REFUSED)
        self.add("duplicate.pt", rezip(good, double="archive/data/0"), REFUSED, "two entries of one name")
        position = good.index(lstm()["weight_ih_l0"].numpy().tobytes()[:32])
        flipped = bytearray(good)
        flipped[position + 3] ^= 0x40
        self.add("flipped.pt", bytes(flipped), REFUSED, "damaged", "CRC")
        folder = bytearray(good)
        entry = folder.rindex(b"archive/data/0") - 46
        folder[entry + 38] |= 0x10
        self.add("folder_mark.pt", bytes(folder), REFUSED, "holds a folder")
        self.add("bomb.pt", rezip(good, extra=("archive/data/99", bytes(300 * 2**20))), REFUSED, "claims to unpack")
        self.add("fat_pickle.pt", rezip(good, extra=("archive/x/data.pkl", b"x" * 99)), READ)
        self.add("two_pickles.pt", rezip(good, extra=("other/data.pkl", b"x" * 99)), REFUSED, "more than one data.pkl")
        self.add("no_pickle.pt", rezip(good, drop="archive/data.pkl"), REFUSED, "data.pkl")
        self.add("no_storage.pt", rezip(good, drop="archive/data/0"), REFUSED)
        self.add("big_endian.pt", rezip(good, replaced=("archive/byteorder", b"big")), FLAGGED, "big-endian")
        stream = io.BytesIO()
        np.savez(stream, a=np.zeros(3))
        self.add("arrays.pt", stream.getvalue(), REFUSED, "npz")
        self.add("old.pt", old_format(lstm()), FLAGGED, "no checksums")
        self.add("old_cut.pt", old_format(lstm())[:700], REFUSED)

    def claims(self):
        huge, wide = torch.zeros(1).expand(4 * 16000, 16000), torch.zeros(1).expand(4 * 2**19, 2**19)
        for name, matrix in (("expand_1e9", huge), ("expand_1e12", wide)):
            self.add(f"{name}.pt", {"weight_ih_l0": matrix, "weight_hh_l0": matrix}, REFUSED, "claims", "storage")
        many = {f"r{number}.weight_{kind}_l0": torch.zeros(1, 1) for number in range(600) for kind in ("ih", "hh")}
        self.add("many_modules.pt", many, FLAGGED, "first 500")
        for name, claim in (
            ("beyond", ((0,), (16, 4), (4, 1), 4)),
            ("negative_offset", ((-8,), (16, 4), (4, 1), 64)),
            ("negative_size", ((0,), (-16, 4), (4, 1), 64)),
            ("negative_stride", ((0,), (16, 4), (-4, 1), 64)),
            ("zero_stride", ((0,), (16, 4), (0, 1), 64)),
            ("overlong_storage", ((0,), (16, 4), (4, 1), 10**12)),
        ):
            (offset,), size, stride, length = claim
            content = by_hand(
                {"weight_ih_l0": Claim(offset, size, stride, length), "weight_hh_l0": Claim(0, (16, 4), (4, 1), 64)}
            )
            self.add(f"claim_{name}.pt", content, READ if name == "zero_stride" else REFUSED)
        self.add("bytearray.pt", by_hand({"a": Calls(bytearray, 4 * 2**30)}), REFUSED, "memory")

    def kinds(self):
        dense = torch.randn(16, 4)
        sparse = torch.eye(16, 4).to_sparse()
        for name, value, said in (
            ("meta", torch.empty(16, 4, device="meta"), "no values"),
            ("sparse", sparse, "sparse"),
            ("sparse_csr", torch.eye(16, 4).to_sparse_csr(), "sparse"),
            ("quantised", torch.quantize_per_tensor(dense, 0.1, 0, torch.qint8), "quantised"),
            ("complex", dense.to(torch.complex64), "complex64"),
            ("bool", dense > 0, "bool"),
            ("int8", dense.to(torch.int8), "int8"),
            ("int64", dense.to(torch.int64), "int64"),
            ("float8", dense.to(torch.float8_e4m3fn), "float8_e4m3fn"),
        ):
            self.add(f"kind_{name}.pt", {"weight_ih_l0": value, "weight_hh_l0": dense}, REFUSED, said, "weight_ih_l0")
            beside = lstm() | {"buffer": value}
            self.add(f"beside_{name}.pt", beside, READ)
        self.add("half.pt", {name: value.half() for name, value in lstm().items()}, FLAGGED, "float16")
        self.add("conjugate.pt", lstm() | {"weight_hh_l0": torch.randn(16, 4, dtype=torch.cfloat).conj().imag}, READ)

    def values(self):
        for name, value, said in (
            ("nan", float("nan"), "1 NaN and 0 infinite"),
            ("inf", float("-inf"), "0 NaN and 1 infinite"),
        ):
            state = lstm()
            state["weight_hh_l0"][3, 2] = value
            self.add(f"value_{name}.pt", state, FLAGGED, "weight_hh_l0 is not finite", said)
        for name, value in (("subnormal", 5e-324), ("huge", 1e300)):
            state = {key: tensor.double() for key, tensor in lstm().items()}
            state["weight_hh_l0"][3, 2] = value
            self.add(f"value_{name}.pt", state, READ)
        v = torch.zeros(16, 4)
        state = {"weight_ih_l0": torch.zeros(16, 4), "weight_hh_l0_g": torch.ones(16, 1), "weight_hh_l0_v": v}
        self.add("value_zero_norm.pt", state, FLAGGED, "not finite")

    def names(self):
        for name, prefix in (
            ("control", "a\n\x1b[31m\0."),
            ("surrogate", "\ud800x."),
            ("direction", "abc\u202egnp.\u2066"),
            ("markup", "<img src=x onerror=1>."),
            ("long", "x" * 100_000 + "."),
            ("path", "../../etc/passwd/"),
            ("other_alphabet", "модель.слой."),
        ):
            self.add(f"name_{name}.pt", {prefix + key: value for key, value in lstm().items()}, READ)
        keyed = {0: lstm(), (1, 2): lstm(), "x": {3: lstm()}, None: lstm(), 1.5: 3}
        self.add("name_kinds.pt", keyed, READ)
        self.add("name_twice.pt", {"a": lstm(), "a.weight_hh_l0": torch.zeros(16, 4)}, REFUSED, "names two tensors")

    def structures(self):
        loop = lstm()
        loop["self"] = loop
        self.add("loop.pt", loop, READ)
        self.add("deep_lists.pt", by_hand_raw(b"]" * 100_000 + b"a" * 99_999), REFUSED)
        nested = lstm()
        for _ in range(20):
            nested = {"a": nested}
        self.add("deep_dicts.pt", nested, REFUSED, "nested more than")
        self.add("many_numbers.pt", {"numbers": [0] * 300_000}, REFUSED, "more than 200,000 objects")
        lists = [[0] * 30_000 for _ in range(10)]
        self.add("many_lists.pt", {"numbers": lists}, REFUSED, "more than 200,000 objects")
        square = torch.zeros(4, 4)
        for name, state, said in (
            ("no_hidden", {"weight_ih_l0": torch.zeros(0, 3), "weight_hh_l0": torch.zeros(0, 0)}, "shape (0, 3)"),
            ("vector", {"weight_ih_l0": torch.zeros(4), "weight_hh_l0": square}, "shape (4,)"),
            ("cube", {"weight_ih_l0": square, "weight_hh_l0": torch.zeros(4, 4, 4)}, "shape (4, 4, 4)"),
            ("blocks", {"weight_ih_l0": torch.zeros(8, 3), "weight_hh_l0": torch.zeros(8, 4)}, "8 rows for 4"),
            ("half_bias", lstm() | {"bias_hh_l0": torch.zeros(3)}, "bias_hh_l0 has shape (3,), wanted (16,)"),
            ("gap", {key.replace("l0", "l2"): value for key, value in lstm().items()} | lstm(), "_l1 is missing"),
            ("no_input", {"weight_hh_l0": square}, "weight_ih_l0 is missing"),
            ("layer_9999", lstm() | {"weight_hh_l9999": square}, "is missing"),
            ("stray", lstm() | {"weight_hr_l1": square}, "is missing"),
        ):
            self.add(f"shape_{name}.pt", state, REFUSED, said)

    def sizes(self):
        one = torch.zeros(4)
        self.add("tensors_50000.pt", {f"t{number}": one for number in range(49_990)} | lstm(), READ)
        self.add("tensors_50001.pt", {f"t{number}": one for number in range(50_001)}, REFUSED, "50,000 tensors")

    def safetensors(self):
        header = {name: entry for name, entry, _ in layout(lstm())}
        data = b"".join(content for *_, content in layout(lstm()))
        first, size = header["weight_ih_l0"], len(data)
        self.add("good.safetensors", packed(header, data), READ)
        for name, length in (("huge", 2**63), ("over", 200 * 2**20), ("long", 10**6), ("short", 9)):
            content = struct.pack("<Q", length) + packed(header, data)[8:]
            self.add(f"header_{name}.safetensors", content, REFUSED, "header")
        self.add("header_list.safetensors", raw(b"{" + b'"a":[' * 9), REFUSED, "not JSON")
        self.add("header_deep.safetensors", raw(b'{"a":' + b"[" * 200_000), REFUSED, "not JSON")
        self.add("header_digits.safetensors", raw(b'{"a":' + b"9" * 90_000 + b"}"), REFUSED)
        self.add("header_not_utf8.safetensors", raw(b'{"\xff":1}'), REFUSED, "not JSON")
        self.add("header_twice.safetensors", raw(b'{"a":1,"a":2}'), REFUSED, "twice")
        for name, change in (
            ("entry", 3),
            ("keys", first | {"more": 1}),
            ("dtype", first | {"dtype": "F31"}),
            ("dtype_list", first | {"dtype": ["F32"]}),
            ("outside", first | {"data_offsets": [size, size + 192]}),
            ("backwards", first | {"data_offsets": [192, 0]}),
            ("negative", first | {"shape": [-16, -3]}),
            ("fraction", first | {"shape": [16.0, 3]}),
            ("truth", first | {"shape": [True, 48]}),
            ("too_large", first | {"shape": [2**62, 4]}),
            ("absurd", first | {"shape": [10**30, 3]}),
            ("too_small", first | {"shape": [2, 2]}),
            ("many_axes", first | {"shape": [1] * 99}),
        ):
            self.add(f"wrong_{name}.safetensors", packed(header | {"weight_ih_l0": change}, data), REFUSED, "wrongly")
        self.add("after.safetensors", packed(header, data + bytes(8)), REFUSED, "after its last tensor")
        self.add("cut.safetensors", packed(header, data)[:-8], REFUSED, "not within")
        moved = {
            name: entry | {"data_offsets": [offset - 4 for offset in entry["data_offsets"]]}
            for name, entry in header.items()
        }
        self.add("overlap.safetensors", packed(moved | {"weight_ih_l0": first}, data[:-4]), REFUSED, "overlap")
        self.said_structures(header, data)
        first_only = {key: value for key, value in header.items() if key != "weight_ih_l0"}
        self.add("gap.safetensors", packed(first_only, data), REFUSED, "gap")

    def said_structures(self, header, data):
        """What a file that says it is an export of rnnviz may claim of its recurrent module."""
        header = {f"recurrent.{name}": entry for name, entry in header.items()}
        told = {"rnnviz": "0.6.0", "cell": "lstm", "input_size": "3", "hidden_size": "4", "num_layers": "1"}
        self.add("said.safetensors", packed(header | {"__metadata__": told}, data), READ)
        for name, change, said in (
            ("cell", {"cell": "lsd\u001b"}, "recurrent.cell must be one of vanilla, lstm"),
            ("cell_number", {"cell": 3}, "recurrent.cell is not a text"),
            ("cell_long", {"cell": "x" * 10**6}, "recurrent.cell must be one of"),
            ("activation", {"activation": "sine"}, 'recurrent.activation must be one of "tanh"'),
            ("word", {"hidden_size": "many"}, 'recurrent.hidden_size must be a whole number, not "many"'),
            ("size", {"hidden_size": "5"}, "weight_ih_l0 has shape (16, 3), wanted (20, 3)"),
            ("negative", {"hidden_size": "-4"}, "recurrent has sizes (3, -4, 1)"),
            ("enormous", {"hidden_size": str(2**40)}, "wanted 1 to"),
            ("layers", {"num_layers": "999999"}, "recurrent has 999999 layers; wanted at most 1,000"),
            ("digits", {"num_layers": "9" * 90_000}, "recurrent.num_layers must be a whole number"),
            ("deep", {"num_layers": "[" * 90_000}, "recurrent.num_layers must be a whole number"),
            ("infinite", {"hidden_size": "Infinity"}, "recurrent.hidden_size must be a whole number"),
            ("truth", {"hidden_size": "true"}, "recurrent.hidden_size must be a whole number, not true"),
            ("number", {"input_size": 3}, "recurrent.input_size is not a text"),
            ("projection", {"cell": "gru", "proj_size": "2"}, "a proj_size, which the GRU cell has not"),
            ("window", {"window": "3"}, "a window, which the LSTM cell has not"),
            ("wide", {"cell": "tdnn", "window": str(10**6)}, "a window of 1000000; wanted 1 to 200"),
        ):
            content = packed(header | {"__metadata__": told | change}, data)
            self.add(f"said_{name}.safetensors", content, REFUSED, said)
        none = packed(header | {"__metadata__": {"rnnviz": "0.6.0"}}, data)
        self.add("said_nothing.safetensors", none, REFUSED, "recurrent.cell is missing")
        self.add("said_list.safetensors", packed(header | {"__metadata__": ["rnnviz"]}, data), READ)
        for name, entry, outcome, said in (
            ("plain", {"cell": "lstm", "input_size": 3, "hidden_size": 4}, READ, ""),
            ("cell", {"cell": ["lstm"], "input_size": 3, "hidden_size": 4}, REFUSED, "recurrent.cell must be a text"),
            ("size", {"cell": "lstm", "input_size": 3, "hidden_size": 10**40}, REFUSED, "recurrent has sizes"),
            ("digits", {"cell": "lstm", "input_size": 10**5000, "hidden_size": 4}, REFUSED, ""),
        ):
            state = collections.OrderedDict((f"recurrent.{key}", value) for key, value in lstm().items())
            state._metadata = {"recurrent": {"version": 1, "rnnviz": "0.6.0"} | entry}
            self.add(f"said_{name}.pt", state, outcome, said)

    def safetensors_values(self):
        many = {f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(50_001)}
        self.add("tensors_50001.safetensors", packed(many, b""), REFUSED, "holds 50,001 tensors")
        for dtype, width in (("F8_E4M3", 1), ("I64", 8), ("BOOL", 1), ("C64", 8)):
            entry = {"dtype": dtype, "shape": [4, 4], "data_offsets": [0, 16 * width]}
            other = {"dtype": "F32", "shape": [4, 3], "data_offsets": [16 * width, 16 * width + 48]}
            content = packed({"weight_hh_l0": entry, "weight_ih_l0": other}, bytes(16 * width + 48))
            self.add(f"dtype_{dtype}.safetensors", content, REFUSED, f"has dtype {dtype}")
        state = lstm()
        state["bias_ih_l0"][0] = float("nan")
        header = {name: entry for name, entry, _ in layout(state)}
        self.add("nan.safetensors", packed(header, b"".join(c for *_, c in layout(state))), FLAGGED, "1 NaN")


class Calls:
    """Pickles into a call of `function`."""

    def __init__(self, function, argument):
        self.call = (function, (argument,))

    def __reduce__(self):
        return self.call


class Claim:
    """Pickles into a tensor of any claimed offset, size and stride over a storage that claims `length` numbers."""

    def __init__(self, offset, size, stride, length):
        self.arguments = (Storage(length), offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


class Storage:
    def __init__(self, length):
        self.length = length


class HandPickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", torch.FloatStorage, "0", "cpu", value.length) if isinstance(value, Storage) else None


def by_hand(value):
    stream = io.BytesIO()
    HandPickler(stream, 2).dump(value)
    return archive_of(stream.getvalue())


def by_hand_raw(operations):
    return archive_of(b"\x80\x02" + operations + b".")


def archive_of(pickled):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/data/0", bytes(64 * 4))
        archive.writestr("archive/version", b"3\n")
    return stream.getvalue()


def lstm():
    """An LSTM with 3 inputs and 4 units, the same each time."""
    generator = torch.Generator().manual_seed(5)
    return {
        "weight_ih_l0": torch.randn(16, 3, generator=generator),
        "weight_hh_l0": torch.randn(16, 4, generator=generator),
        "bias_ih_l0": torch.randn(16, generator=generator),
        "bias_hh_l0": torch.randn(16, generator=generator),
    }


def saved(state):
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def old_format(state):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def rezip(content, drop=None, double=None, extra=None, replaced=None):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in old.namelist():
            if name != drop:
                new.writestr(name, replaced[1] if replaced and name == replaced[0] else old.read(name))
            if name == double:
                new.writestr(name, bytes(len(old.read(name))))
        if extra:
            new.writestr(*extra, compress_type=zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def layout(state):
    """(name, header entry, bytes) of each tensor, one after the other."""
    begin, rows = 0, []
    for name, tensor in state.items():
        content = tensor.numpy().tobytes()
        offsets = [begin, begin + len(content)]
        rows.append((name, {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}, content))
        begin += len(content)
    return rows


def packed(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def raw(header):
    return struct.pack("<Q", len(header)) + header
