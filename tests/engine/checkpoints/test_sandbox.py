"""The child process that reads checkpoints: same answer, hard limits, and no trouble for the parent."""

import io
import pickle
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import torch

from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints import read_checkpoint, transport
from rnnviz.engine.checkpoints.sandbox import read_confined

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


@pytest.fixture
def state_dict(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"model": torch.nn.LSTM(3, 4, 2, bidirectional=True).double().state_dict()}, path)
    return path


def test_the_child_answers_like_the_reader_itself(state_dict):
    direct, confined = read_checkpoint(state_dict), read_confined(state_dict)
    assert (confined.path, confined.kind, confined.notes) == (direct.path, direct.kind, direct.notes)
    assert confined.module().structure == direct.module().structure
    assert confined.module().sources == direct.module().sources
    for name, weight in direct.module().weights.items():
        assert confined.module().weights[name].dtype == np.float64
        np.testing.assert_array_equal(confined.module().weights[name], weight)


def test_a_look_brings_no_weights(state_dict):
    assert dict(read_confined(state_dict, with_weights=False).module().weights) == {}


def test_the_activation_reaches_the_child(tmp_path):
    torch.save(torch.nn.RNN(3, 4).state_dict(), tmp_path / "rnn.pt")
    assert read_confined(tmp_path / "rnn.pt", "relu").module().structure.activation == "relu"


def test_a_refusal_of_the_child_is_the_same_sentence(craft):
    path, *_ = craft.files["whole.pt"]
    with pytest.raises(RnnvizError, match="whole pickled module"):
        read_confined(path)


def test_what_is_no_checkpoint_needs_no_child(craft, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)  # would raise
    for name in ("picture.pt", "page.pt", "empty.pt", "folder.pt", "missing.pt"):
        with pytest.raises(RnnvizError):
            read_confined(craft.files[name][0])


@pytest.fixture
def hanging(tmp_path):
    """Hashing nested tuples takes 2⁶⁰ steps inside C, where no Python code can stop it."""
    key = ()
    for _ in range(60):
        key = (key, key)
    content = io.BytesIO()
    torch.save({"weight_hh_l0": torch.zeros(4, 4)}, content)
    path = tmp_path / "hang.pt"
    rewrite(content.getvalue(), path, b"\x80\x02}" + pickle.dumps(key, 2)[2:-1] + b"K\x01s.")
    return path


@posix
def test_a_file_that_hangs_the_unpickler_is_given_up(hanging):
    begin = time.monotonic()
    with pytest.raises(RnnvizError, match=r"hang.pt was given up: .* within 1\.5 s"):
        read_confined(hanging, seconds=1.5)
    assert time.monotonic() - begin < 60


@posix
def test_a_file_that_wants_all_memory_is_refused(craft):
    path, *_ = craft.files["bytearray.pt"]
    with pytest.raises(RnnvizError, match="memory"):
        read_confined(path)


@posix
def test_the_limits_hold(tmp_path):
    """Each line of the script must fail in a confined process; it says which did."""
    script = """
import sys
from rnnviz.engine.checkpoints.sandbox import confine
confine(1000, 30.0)
held = []
try:
    bytearray(3 * 1024**3)
except MemoryError:
    held.append("memory")
try:
    with open(sys.argv[1], "wb") as file:
        file.write(b"x")
except OSError:
    held.append("writing")
try:
    files = [open("/dev/null") for _ in range(100)]
except OSError:
    held.append("files")
print(*held)
"""
    arguments = [sys.executable, "-c", script, str(tmp_path / "written")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=300)
    expected = "writing files" if sys.platform == "darwin" else "memory writing files"
    assert done.stdout.split() == expected.split()


@posix
def test_time_runs_out_also_while_sleeping_and_while_computing():
    for busy in ("time.sleep(60)", "while True: pass"):
        script = f"import time; from rnnviz.engine.checkpoints.sandbox import confine; confine(0, 0.3)\n{busy}"
        done = subprocess.run([sys.executable, "-c", script], check=False, timeout=50)
        assert -done.returncode in (signal.SIGALRM, signal.SIGXCPU)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child that hangs inside C with its parent")
def test_the_child_ends_with_its_parent(hanging):
    """A window that is killed while a file is judged leaves nothing behind."""
    script = f"""
import subprocess
import rnnviz.engine.checkpoints.sandbox as sandbox
from rnnviz.engine.checkpoints import transport
real, answer = subprocess.Popen, transport.read
def start(*arguments, **options):
    child = real(*arguments, **options)
    print(child.pid, flush=True)
    return child
def judged(stream):
    print("judging", flush=True)
    return answer(stream)
sandbox.subprocess.Popen, transport.read = start, judged
sandbox.read_confined({str(hanging)!r}, seconds=60.0)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "judging\n"
    time.sleep(0.3)
    assert running(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while running(child):
        assert time.monotonic() < deadline, f"process {child} outlived its parent"
        time.sleep(0.02)


def test_half_an_answer_is_no_checkpoint(state_dict):
    stream = io.BytesIO()
    transport.write(read_checkpoint(state_dict), stream, True)
    whole = stream.getvalue()
    assert transport.read(io.BytesIO(whole)).module().structure.cell == "lstm"
    for length in (0, 5, 100, len(whole) - 1):
        with pytest.raises(EOFError):
            transport.read(io.BytesIO(whole[:length]))


@posix
def test_a_reader_that_crashes_is_one_sentence(state_dict, monkeypatch, tmp_path):
    """As torch does on some files: the child dies of a signal before it has answered."""
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nprintf '\\n'\nkill -SEGV $$\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(RnnvizError, match=r"model.pt made its reader fail \(SIGSEGV\)"):
        read_confined(state_dict)


def rewrite(content, path, pickled):
    """The zip archive `content` with another data.pkl."""
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))


def running(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
