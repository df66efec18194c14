"""tg.save and tg.load: all comes back, training goes on bit for bit, hostile files are refused, none is left half."""
from __future__ import annotations

import collections
import io
import json
import math
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as tg
from tinygrad_edu import files, nn, optim


def packed(obj) -> bytes:
    file = io.BytesIO()
    tg.save(obj, file)
    return file.getvalue()


def again(obj):
    return tg.load(io.BytesIO(packed(obj)))


def alike(a, b) -> bool:
    """Equal in kind and value, bit for bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tg.Tensor):
        return a.requires_grad == b.requires_grad and b.is_leaf and alike(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return len(a) == len(b) and all(alike(k, q) and alike(v, w)
                                        for (k, v), (q, w) in zip(a.items(), b.items(), strict=True))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b or (a != a and b != b)


# ---- round trips ----------------------------------------------------------------------------------------------------
DTYPES = [tg.float16, tg.float32, tg.float64, tg.int8, tg.int16, tg.int32, tg.int64, tg.uint8, np.dtype(bool)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4), (1, 2, 3, 4)])
def test_tensors_of_every_dtype_and_shape(dtype, shape):
    x = tg.tensor(np.random.default_rng(0).normal(size=shape) * 9).to(dtype)
    assert alike(x, again(x))


@pytest.mark.parametrize("x", [
    None, True, False, 0, -1, 10 ** 30, 0.1, -0.0, 5e-324, math.inf, -math.inf, math.nan, "", "ä\n\ud800", [], (), {}, [[]], ((),),
    {"a": {1: [2, (3, None)]}}, {1: 1, 2.5: 2, None: 3, (1, ("x", None)): 4}, {True: 1, math.inf: 2}, collections.OrderedDict(b=1, a=2),
    collections.Counter({3: 2, 5: 1}), np.arange(3), np.float32(1.5), np.int64(-2), np.bool_(True), tg.float32, np.dtype(bool),
    {"tensor": [0, True]}, {"dict": []}], ids=repr)
def test_plain_values(x):
    assert alike(x, again(x))


numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.none() | st.integers() | st.text() | st.tuples(st.integers(), st.text())


@settings(max_examples=100, deadline=None)
@given(st.recursive(numbers, lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner)
                    | st.dictionaries(keys, inner).map(collections.OrderedDict), max_leaves=20))
def test_any_nesting(x):
    assert alike(x, again(x))


def test_parameters_and_gradients():
    w = nn.Parameter(tg.ones(2, 3))
    (w * 2).sum().backward()
    y = again([w, w.detach(), tg.ones(2, requires_grad=True), w * 2, nn.Parameter(tg.ones(1), requires_grad=False)])
    assert [type(t) for t in y] == [nn.Parameter, tg.Tensor, tg.Tensor, tg.Tensor, nn.Parameter]
    assert [t.requires_grad for t in y] == [True, False, True, True, False]
    assert all(t.is_leaf and t.grad is None for t in y)


def test_shared_memory_stays_shared_and_is_written_once():
    x = tg.zeros(1000)
    data = packed({"a": x, "b": x.detach(), "c": x.clone()})
    assert 8000 < len(data) < 12000
    y = tg.load(io.BytesIO(data))
    y["a"].add_(1)
    assert y["b"].sum() == 1000 and y["c"].sum() == 0


def test_views_and_other_orders_of_memory():
    x = tg.arange(12.0).reshape(3, 4)
    for y in (x.t(), x[:, 1:3], x[::2], x.t()[1:], x[1, 1]):
        assert again(y).tolist() == y.tolist()
        again(y).add_(1)                                  # it can be written to
    assert again(np.arange(3, dtype=">i4")).tolist() == [0, 1, 2]


def test_the_same_object_gives_the_same_bytes():
    state = nn.Linear(2, 3).state_dict()
    assert packed(state) == packed(state)


def test_numpy_reads_the_arrays_and_anyone_the_rest():
    with zipfile.ZipFile(io.BytesIO(packed({"w": tg.tensor([1.0, 2.0])}))) as archive:
        assert np.load(archive.open("arrays/0.npy"), allow_pickle=False).tolist() == [1.0, 2.0]
        assert json.loads(archive.read("content.json"))["content"] == {"dict": [["w", {"tensor": [0, False]}]]}


# ---- as a user does it ----------------------------------------------------------------------------------------------
OPTIMISERS = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.01, "amsgrad": True}, "AdamW": {"lr": 0.01}, "RMSprop": {"lr": 0.01},
              "Adagrad": {"lr": 0.1}}


class Training:
    def __init__(self, lib, name):
        self.lib = lib
        self.net = lib.nn.Sequential(lib.nn.Linear(4, 8), lib.nn.BatchNorm1d(8), lib.nn.Tanh(), lib.nn.Linear(8, 3))
        self.optimiser = getattr(lib.optim, name)(self.net.parameters(), **OPTIMISERS[name])
        self.scheduler = lib.optim.lr_scheduler.MultiStepLR(self.optimiser, [3, 6], gamma=0.5)

    def steps(self, n):
        losses = []
        for _ in range(n):
            x = self.lib.randn(16, 4)
            loss = self.lib.nn.functional.cross_entropy(self.net(x), (x[:, 0] > 0).long())
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.scheduler.step()
            losses.append(loss.item())
        return losses

    def state(self):
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "scheduler": self.scheduler.state_dict(),
                "random": self.lib.get_rng_state(), "epoch": 5, "best": (0.25, None)}

    def resume(self, state):
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.lib.set_rng_state(state["random"])
        return self


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("lib", [tg, torch], ids=["ours", "torch"])
def test_training_goes_on_bit_for_bit(lib, name, tmp_path):
    """The same program under both libraries; with torch it shows that the test asks for what torch gives."""
    lib.manual_seed(0)
    path = tmp_path / "checkpoint.pt"
    first = Training(lib, name)
    first.steps(5)
    lib.save(first.state(), path)
    expected = first.steps(5)
    weights = [p.tolist() for p in first.net.state_dict().values()]
    lib.manual_seed(1)
    second = Training(lib, name)
    second.steps(1)
    state = lib.load(path, map_location="cpu", weights_only=True)
    assert state["epoch"] == 5 and state["best"] == (0.25, None)
    second.resume(state)
    assert second.steps(5) == expected
    assert [p.tolist() for p in second.net.state_dict().values()] == weights


def test_a_state_dict_comes_back_in_order(tmp_path):
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    tg.save(net.state_dict(), str(tmp_path / "net"))
    state = tg.load(str(tmp_path / "net"))
    assert type(state) is type(net.state_dict()) and list(state) == list(net.state_dict())
    state["0.weight"].zero_()
    assert net[0].weight.abs().sum() > 0                  # its memory is its own


def test_open_files(tmp_path):
    for opened in (io.BytesIO(), open(tmp_path / "x", "w+b")):
        with opened as file:
            tg.save([1, tg.ones(2)], file)
            file.seek(0)
            assert alike(tg.load(file), [1, tg.ones(2)])
    tg.save(3, tmp_path / "y")
    with open(tmp_path / "y", encoding="latin1") as file, pytest.raises(TypeError, match='open\\(path, "rb"\\)'):
        tg.load(file)


def test_compiled_steps_refuse_to_write():
    @tg.compile
    def step(x):
        tg.save(x * 2, io.BytesIO())
        return x.sum()

    with pytest.raises(RuntimeError, match="a file of a tensor inside a compiled function"):
        step(tg.ones(2))


# ---- what cannot be saved -------------------------------------------------------------------------------------------
CYCLE: list = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize("obj, kind, words", [
    (nn.Linear(2, 1), TypeError, ["Linear", "state_dict()"]),
    ({"a": [0, optim.SGD(nn.Linear(1, 1).parameters(), lr=1)]}, TypeError, ["obj['a'][1] is a SGD", "state_dict()"]),
    (print, TypeError, ["builtin_function_or_method"]), ({1, 2}, TypeError, ["set"]), (b"x", TypeError, ["bytes"]),
    (1j, TypeError, ["complex"]), (tg.Value(1.0), TypeError, ["x.data"]), (collections.defaultdict(int), TypeError, ["dict(x)"]),
    (np.array([None]), TypeError, ["object"]), (np.array(["a"]), TypeError, ["<U1"]), (np.ma.masked_array([1, 2], [0, 1]), TypeError, []),
    (tg.ones(2, 2).max(1), TypeError, ["tuple(x)"]), ({b"k": 1}, TypeError, ["key"]), (CYCLE, ValueError, ["in itself"])],
    ids=lambda x: type(x).__name__ if not isinstance(x, list) else "")
def test_what_is_refused_leaves_no_file_and_spoils_none(obj, kind, words, tmp_path):
    path = tmp_path / "x.pt"
    tg.save("old", path)
    with pytest.raises(kind) as error:
        tg.save(obj, path)
    for word in (*words, "operation: save", "your line: test_save.py", "instead:"):
        assert word in str(error.value)
    assert tg.load(path) == "old" and os.listdir(tmp_path) == ["x.pt"]
    file = io.BytesIO()
    with pytest.raises(kind):
        tg.save(obj, file)
    assert not file.getvalue()


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "graph.svg"
    files.write(path, b"old")
    monkeypatch.setattr(files.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    for content in (b"new", lambda file: file.write(b"new")):
        with pytest.raises(OSError, match="disk full"):
            files.write(path, content)
    with pytest.raises(OSError, match="disk full"):
        tg.save(tg.ones(3), path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["graph.svg"]


def test_a_writer_that_fails_halfway_leaves_nothing(tmp_path):
    def half(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "x", half)
    assert os.listdir(tmp_path) == []


def test_a_link_is_followed_and_permissions_are_the_usual(tmp_path):
    (tmp_path / "real.svg").write_bytes(b"old")
    (tmp_path / "link.svg").symlink_to(tmp_path / "real.svg")
    files.write(tmp_path / "link.svg", b"new")
    assert (tmp_path / "link.svg").is_symlink() and (tmp_path / "real.svg").read_bytes() == b"new"
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "real.svg").stat().st_mode == (tmp_path / "plain").stat().st_mode


# ---- files that save did not write ----------------------------------------------------------------------------------
def refused(data: bytes, *words: str) -> None:
    with pytest.raises(RuntimeError) as error:
        tg.load(io.BytesIO(data))
    for word in (*words, "operation: load", "instead:"):
        assert word in str(error.value)


class Evil:
    ran: list = []

    def __reduce__(self):
        return Evil.ran.append, (1,)


def test_pickles_are_refused_with_the_way_out(tmp_path):
    file = io.BytesIO()
    torch.save({"w": torch.ones(2)}, file)
    refused(file.getvalue(), "pickle", "np.savez", "v.numpy() for k, v in torch.load", "load_state_dict")
    torch.save({"w": torch.ones(2)}, file := io.BytesIO(), _use_new_zipfile_serialization=False)
    refused(file.getvalue(), "pickle", "np.savez")
    for protocol in (2, 5):
        refused(pickle.dumps(Evil(), protocol), "pickle")
    refused(pickle.dumps(Evil(), 0), "not a file that tg.save wrote")
    assert not Evil.ran


def test_the_way_out_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    theirs, ours = torch.nn.Linear(3, 2), tg.nn.Linear(3, 2)
    torch.save(theirs.state_dict(), "theirs.pt")
    np.savez("weights.npz", **{k: v.numpy() for k, v in torch.load("theirs.pt").items()})
    with np.load("weights.npz") as arrays:
        ours.load_state_dict(dict(arrays))
    assert ours.weight.tolist() == theirs.weight.tolist()
    refused((tmp_path / "weights.npz").read_bytes(), "NumPy", "np.load")


@pytest.mark.parametrize("data, word", [(b"", "is empty"), (b"hello, world", "not a file that tg.save"), (b"PK", "damaged"),
                                        (b"\x93NUMPY\x01\x00", "NumPy"), (b"PK\x05\x06" + bytes(18), "not a file that tg.save")])
def test_other_files(data, word):
    refused(data, word)


GOOD = packed({"w": tg.arange(6.0).reshape(2, 3), "n": [1, "two"]})


def test_every_truncation_is_refused():
    for n in range(len(GOOD)):
        refused(GOOD[:n])


def test_a_changed_byte_is_found_or_stands_where_nothing_is_read():
    """By a checksum or a check; nothing reads dates and attributes."""
    for n in range(len(GOOD)):
        data = bytearray(GOOD)
        data[n] ^= 0xFF
        try:
            assert alike(tg.load(io.BytesIO(bytes(data))), tg.load(io.BytesIO(GOOD)))
        except RuntimeError as error:
            assert "operation: load" in str(error)


def built(content, *arrays: bytes, names=None, compression=zipfile.ZIP_STORED, **head) -> bytes:
    """A file by hand."""
    told = content if isinstance(content, str) else json.dumps({"format": "tinygrad_edu", "version": 1, **head, "content": content})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("content.json", told)
        for name, array in zip(names or [f"arrays/{i}.npy" for i in range(len(arrays))], arrays, strict=True):
            archive.writestr(name, array)
    return file.getvalue()


def npy(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def header(shape, descr="<f4", fortran=False, rest=b"") -> bytes:
    text = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + rest


T0 = {"tensor": [0, False]}


def test_a_file_by_hand_is_read():
    assert tg.load(io.BytesIO(built({"list": [T0, 1]}, npy(np.ones(2, np.float32)))))[0].tolist() == [1.0, 1.0]
    assert tg.load(io.BytesIO(built(T0, header((2,), rest=bytes(8))))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("told", [
    "", "nonsense", "[]", "{}", '{"format": "other", "version": 1, "content": 1}', '{"format": "tinygrad_edu", "content": 1}',
    '{"format": "tinygrad_edu", "version": 1}', '{"format": "tinygrad_edu", "version": 1, "content": NaN}',
    '{"format": "tinygrad_edu", "version": 2, "content": 1}', '{"format": "tinygrad_edu", "version": 1, "content": %s}' % ("9" * 5000),
    '{"format": "tinygrad_edu", "version": 1, "content": %s}' % ("[" * 100000), "\xff\xfe"])
def test_wrong_json(told):
    refused(built(told), "damaged")


deep: object = 1
for _ in range(150):
    deep = {"list": [deep]}


@pytest.mark.parametrize("told", [
    [], [1], {}, {"list": 1}, {"list": {"a": 1}}, {"list": "ab"}, {"tuple": None}, {"list": [], "dict": []}, {"dict": {"a": 1}}, {"dict": [1]},
    {"dict": [[1]]}, {"dict": [["k", 1], ["k", 2]]}, {"dict": [[{"list": []}, 1]]}, {"set": [1]}, {"__reduce__": ["os.system", "true"]},
    {"tensor": 0}, {"tensor": [0]}, {"tensor": [0, 1]}, {"tensor": [1, False]}, {"tensor": [-1, False]}, {"tensor": [True, False]},
    {"tensor": ["0", False]}, {"tensor": [0, True]}, {"parameter": [0, True]}, {"array": None}, {"array": 1.0}, {"dtype": "object"},
    {"dtype": ["float32"]}, {"dtype": 3}, {"float": 1}, {"float": "1e3"}, {"float": ["nan"]}, {"Counter": [[1, 2, 3]]}, {"parameter": {}},
    {"number": {"array": 0}}, {"os.system": "true"}, {"eval": "1"}, deep], ids=lambda told: str(told)[:30])
def test_wrong_content(told):
    refused(built(told, npy(np.ones(2, np.int64))), "damaged")


@pytest.mark.parametrize("array", [
    npy(np.array([Evil()], object), allow_pickle=True), npy(np.array(["a"])), npy(np.array([1j])), npy(np.array(1, "M8[s]")),
    npy(np.zeros(2, [("a", "<f4")])), b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00" + bytes(100), header((3,), rest=bytes(8)),
    header((1,), rest=bytes(8)), header((10 ** 15,)), header((2 ** 62, 4)), header((-1,), rest=bytes(8)), header((2 ** 64, 0, 2 ** 64)),
    header((True,), rest=bytes(4)), header("x"), header((2,), "O", rest=bytes(16)), header((2,), "|V4", rest=bytes(8)),
    header((2,), "(1000000,)f4"), header((2,), [("a", "f4")], rest=bytes(8)), header((1,) * 70, rest=bytes(4)),
    header((2,), rest=bytes(8)).replace(b"'shape'", b"'shapes"), header((2,), rest=bytes(8)).replace(b"(2,)", b"f()."),
    b"\x93NUMPY\x02\x00" + struct.pack("<I", 2 ** 32 - 1) + b"{}", b"\x93NUMPY\x01\x00" + struct.pack("<H", 65000) + b"(" * 65000],
    ids=range(25))
def test_wrong_arrays(array):
    refused(built(T0, array), "damaged")
    assert not Evil.ran


def test_zip_bombs():
    zeros = npy(np.zeros(10 ** 6, np.float32))
    refused(built(T0, zeros, compression=zipfile.ZIP_DEFLATED), "compressed")
    good = built({"list": [T0, {"tensor": [1, False]}]}, zeros, zeros)
    directory = good.index(b"PK\x01\x02")
    entries = good[directory:good.index(b"PK\x05\x06")].split(b"PK\x01\x02")[1:]
    again_and_again = entries[2][:38] + entries[1][38:42] + entries[2][42:]       # the second array lies where the first does
    tail = good[good.index(b"PK\x05\x06"):]
    data = good[:directory - len(zeros)]
    overlapping = data + b"".join(b"PK\x01\x02" + e for e in (entries[0], entries[1], again_and_again))
    tail = tail[:16] + struct.pack("<I", len(data)) + tail[20:]
    refused(overlapping + tail, "damaged")
    claims = bytearray(built(T0, npy(np.ones(2, np.float32))))
    where = claims.rindex(b"PK\x01\x02") + 20                                     # the sizes in the directory
    claims[where:where + 8] = struct.pack("<II", 2 ** 31, 2 ** 31)
    refused(bytes(claims), "larger than the file")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [["../x.npy"], ["arrays/1.npy"], ["arrays/0.npy", "arrays/0.npy"], ["arrays/0.npy", "x"],
                                   ["/etc/passwd"], ["content.json"], ["arrays/00.npy"]], ids=str)
def test_other_members(names):
    refused(built(T0, *[npy(np.ones(2, np.float32))] * len(names), names=names), "damaged")


def test_a_missing_file_and_a_device(tmp_path):
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        tg.save(1, tmp_path / "nowhere" / "x")
    tg.save(1, tmp_path / "x")
    with pytest.raises(RuntimeError, match="everything runs on the CPU"):
        tg.load(tmp_path / "x", map_location="cuda")
    for where in (None, "cpu", tg.device("cpu"), {"cuda:0": "cpu"}, lambda storage, place: storage):
        assert tg.load(tmp_path / "x", map_location=where, weights_only=False) == 1
