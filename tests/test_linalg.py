"""Linear algebra under both libraries: products, norms, solving, factorisations; and what is refused."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from parity import both, same

import tinygrad_edu as tg

rng = np.random.default_rng(5)
TIGHT = {"rtol": 1e-9, "atol": 1e-9}


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    a = normal(*shape)
    return a @ a.swapaxes(-1, -2) + np.eye(shape[-1])


# ---- products -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("a, b", [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (1, 6, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((0, 3), (3, 4)), ((2, 0),
                                                                                                                (0, 4)),
    ((0, 2, 3), (3, 4))])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matmul_in_all_ranks(a, b, dtype):
    both(lambda lib, a, b: a @ b, normal(*a).astype(dtype), normal(*b).astype(dtype))


def test_matmul_of_whole_numbers():
    both(lambda lib, a, b: a @ b, rng.integers(-5, 5, (2, 3)), rng.integers(-5, 5, (3, 4)))


def test_named_products():
    v, w, A, B = normal(3), normal(3), normal(2, 3), normal(3, 4)
    both(lambda lib, v, w: (lib.dot(v, w), v.dot(w), lib.outer(v, w), v.outer(w), lib.linalg.vecdot(v, w)), v, w)
    both(lambda lib, A, v: (lib.mv(A, v), A.mv(v), lib.matmul(A, v), A.matmul(v)), A, v)
    both(lambda lib, A, B: (lib.mm(A, B), A.mm(B)), A, B)
    both(lambda lib, A, B: (lib.bmm(A, B), A.bmm(B)), normal(2, 3, 4), normal(2, 4, 2))
    both(lambda lib, A, B, C: lib.linalg.multi_dot([A, B, C]), normal(2, 3), normal(3, 4), normal(4, 2))
    both(lambda lib, A, B: (lib.kron(A, B), lib.kron(A[0], B)), normal(2, 3), normal(2, 2))
    both(lambda lib, v, w: (lib.linalg.cross(v, w), lib.cross(v, w, dim=-1)), normal(4, 3), normal(4, 3))
    both(lambda lib, v, w: lib.linalg.cross(v, w, dim=0), normal(3, 2), normal(3, 2))


@pytest.mark.parametrize("equation, shapes", [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]), ("ii",
                                                                                                             [(3, 3)]),
    ("ii->i", [(3, 3)]), ("ij->ji", [(2, 3)]), ("ba", [(2, 3)]), ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]), ("i,i",
                                                                                                               [(3,),
                                                                                                                (3,)]),
    ("i,j->ij", [(2,), (3,)]), ("bn,anm,bm->ba", [(2, 3), (4, 3, 5), (2, 5)]), ("...i->...",
                                                                                [(2, 3, 4)]), ("i...->...", [(2, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]), ("b...i , b...i -> b...", [(2, 3, 4), (2, 3, 4)]), ("ij->",
                                                                                                           [(2, 3)]),
    ("...,...", [(2, 3), (3,)]), ("iij->j", [(2, 2, 3)]), ("aB,Bc", [(2, 3), (3, 2)])])
def test_einsum(equation, shapes):
    both(lambda lib, *xs: lib.einsum(equation, *xs), *[normal(*s) for s in shapes], **TIGHT)


def test_einsum_by_lists_and_of_a_list():
    both(lambda lib, a, b: (lib.einsum(a, [0, 1], b, [1, 2], [0, 2]), lib.einsum(a, [0, 1], b, [1, 2]),
                            lib.einsum(a, [..., 1], [1, ...]), lib.einsum("ij,jk", [a, b])), normal(2, 3), normal(3, 4))


@pytest.mark.parametrize("dims", [1, 2, 0, ([2], [0]), ([1, 2], [1, 0]), ([-1], [0])])
def test_tensordot(dims):
    b = normal(4, 3, 2) if dims != 2 else normal(3, 4, 2)
    both(lambda lib, a, b: lib.tensordot(a, b, dims=dims), normal(2, 3, 4), b, **TIGHT)


# ---- norms ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ord", [2, 1, 0, 3, 0.5, float("inf"), -float("inf"), -1])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), (1,)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_vector_norm(ord, dim, keepdim):
    both(lambda lib, x: lib.linalg.vector_norm(x, ord, dim, keepdim), normal(2, 3, 4), **TIGHT)


@pytest.mark.parametrize("ord", ["fro", "nuc", 2, -2, 1, -1, float("inf"), -float("inf")])
@pytest.mark.parametrize("dim", [(-2, -1), (0, 2), (2, 0)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_matrix_norm(ord, dim, keepdim):
    both(lambda lib, x: lib.linalg.matrix_norm(x, ord, dim, keepdim), normal(2, 3, 4), rtol=1e-8, atol=1e-8)


def test_norm_chooses_between_the_two():
    both(lambda lib, A: (lib.linalg.norm(A), lib.linalg.norm(A, 1), lib.linalg.norm(A, "nuc"),
                         lib.linalg.norm(A, dim=0),
                         lib.linalg.norm(A, 1, 1), lib.linalg.norm(A, 2, (1, 0)), lib.linalg.norm(A, dim=(0, 1)),
                         lib.linalg.norm(A[0], 3), lib.linalg.norm(A, keepdim=True)), normal(3, 4), **TIGHT)


def test_the_norm_of_zero_has_slope_zero():
    both(lambda lib, x: lib.linalg.vector_norm(x), np.zeros(3))


# ---- functions of a matrix ------------------------------------------------------------------------------------------
A3, B33 = normal(3, 3) + 2 * np.eye(3), normal(2, 3, 3) + 2 * np.eye(3)


@pytest.mark.parametrize("A", [A3, B33, A3.T, np.asfortranarray(A3)])
def test_functions_of_a_square_matrix(A):
    both(lambda lib, A: (lib.linalg.inv(A), lib.inverse(A), A.inverse(), lib.linalg.det(A), lib.det(A), A.det()), A,
         **TIGHT)
    both(lambda lib, A: (*lib.linalg.slogdet(A), *lib.slogdet(-A)), A, **TIGHT)
    both(lambda lib, A: [lib.linalg.matrix_power(A, n) for n in (0, 1, 2, 3, 5, -1, -2)], A, rtol=1e-8, atol=1e-8)
    both(lambda lib, A: lib.linalg.pinv(A), A, **TIGHT)


def test_trace_and_logdet():
    both(lambda lib, A: (lib.trace(A), A.trace(), lib.logdet(A)), positive(3, 3), **TIGHT)
    both(lambda lib, A: lib.trace(A), normal(2, 4))
    same(tg.logdet(-tg.eye(3)), torch.logdet(-torch.eye(3)))


def test_slogdet_has_named_results():
    sign, size = y = tg.linalg.slogdet(tg.tensor(A3))
    assert (y.sign is sign) and (y.logabsdet is size)


@pytest.mark.parametrize("A", [np.zeros((2, 2)), np.ones((3, 3)), np.diag([0.0, 1, 2]), np.zeros((1, 1))])
def test_the_gradient_of_a_determinant_is_the_cofactors_of_a_singular_matrix_too(A):
    """Against the minors themselves: for diag(0, 1, 2) torch 2.13 gives 0 where the cofactor is 2."""
    x = tg.tensor(A, requires_grad=True)
    tg.det(x).backward()
    n = len(A)
    minors = [[np.linalg.det(np.delete(np.delete(A, i, 0), j,
                                       1)) * (-1) ** (i + j) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(x.grad.numpy(), minors, atol=1e-12)


@pytest.mark.parametrize("A, b", [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (2, 3, 2)),
                                  ((2, 3, 3), (3, 2))])
def test_solve(A, b):
    both(lambda lib, A, b: lib.linalg.solve(A, b), normal(*A) + 2 * np.eye(3), normal(*b), **TIGHT)


def test_solve_from_the_right_and_triangular():
    both(lambda lib, A, B: lib.linalg.solve(A, B, left=False), A3, normal(2, 3), **TIGHT)
    for upper in (False, True):
        for left in (False, True):
            for unit in (False, True):
                both(lambda lib, A, B, upper=upper, left=left, unit=unit: lib.linalg.solve_triangular(
                    A, B, upper=upper, left=left, unitriangular=unit), A3, normal(3, 3), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 4, 3)])
def test_pinv(shape):
    both(lambda lib, A: lib.linalg.pinv(A), normal(*shape), rtol=1e-8, atol=1e-8)


def test_lstsq_and_rank():
    both(lambda lib, A, B: lib.linalg.lstsq(A, B).solution, normal(5, 2), normal(5, 3), rtol=1e-8, atol=1e-8)
    A, B = normal(5, 2), normal(5, 3)
    ours, theirs = tg.linalg.lstsq(tg.tensor(A), tg.tensor(B)), torch.linalg.lstsq(torch.tensor(A), torch.tensor(B),
                                                                                   driver="gelsd")
    same(ours.residuals, theirs.residuals)
    same(ours.rank, theirs.rank)
    assert tg.linalg.matrix_rank(tg.ones(3, 3)).item() == 1


# ---- factorisations -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1)])
def test_cholesky(shape):
    both(lambda lib, A: lib.linalg.cholesky(A), positive(*shape), **TIGHT)
    both(lambda lib, A: lib.linalg.cholesky(A, upper=True), positive(*shape), **TIGHT)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1)])
def test_eigh(shape):
    """Eigenvectors are compared by what does not depend on their signs, as any loss that has a gradient."""
    def program(lib, A):
        w, V = lib.linalg.eigh(A)
        return w, V * V, lib.linalg.eigvalsh(A), V @ (w.exp()[..., None] * V.swapaxes(-1, -2))
    both(program, positive(*shape), rtol=1e-7, atol=1e-7)


def test_eigenvalues_alone_have_a_gradient_where_they_are_equal():
    both(lambda lib, A: lib.linalg.eigvalsh(A).exp(), np.eye(3), **TIGHT)
    both(lambda lib, A: lib.linalg.eigh(A)[0].sum(), np.diag([1.0, 1, 2]), **TIGHT)


def test_singular_values_alone_have_a_gradient_where_they_are_equal():
    both(lambda lib, A: lib.linalg.svdvals(A).sum(), np.eye(3), **TIGHT)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 4, 3), (1, 3)])
def test_svd(shape):
    def program(lib, A):
        U, S, Vh = lib.linalg.svd(A, full_matrices=False)
        return S, U * U, Vh * Vh, U @ (S.exp()[..., None] * Vh), lib.linalg.svdvals(A)
    both(program, normal(*shape), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (2, 4, 3)])
def test_full_svd(shape):
    U, S, Vh = tg.linalg.svd(tg.tensor(normal(*shape)))
    m, n = shape[-2:]
    assert U.shape[-2:] == (m, m) and Vh.shape[-2:] == (n, n)
    np.testing.assert_allclose((U @ U.mT).numpy(), np.broadcast_to(np.eye(m), U.shape), atol=1e-12)
    np.testing.assert_allclose((Vh @ Vh.mT).numpy(), np.broadcast_to(np.eye(n), Vh.shape), atol=1e-12)
    both(lambda lib, A: lib.linalg.svd(A)[1], normal(*shape), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 3, 4)])
def test_qr(shape):
    both(lambda lib, A: tuple(lib.linalg.qr(A)), normal(*shape), rtol=1e-7, atol=1e-7)


def test_qr_modes():
    A = normal(4, 2)
    same(tuple(tg.linalg.qr(tg.tensor(A), "complete")), tuple(torch.linalg.qr(torch.tensor(A), "complete")))
    same(tuple(tg.linalg.qr(tg.tensor(A), "r")), tuple(torch.linalg.qr(torch.tensor(A), "r")))
    both(lambda lib, A: tuple(lib.linalg.qr(A, "complete")), normal(2, 3), rtol=1e-7, atol=1e-7)
    with pytest.raises(RuntimeError, match="complete"):
        tg.linalg.qr(tg.tensor(A, requires_grad=True), "complete")


def test_second_derivatives_through_a_factorisation():
    """Gradients of gradients of log det, a trace of a function of A, and the nuclear norm, against torch."""
    def twice(lib, f, a):
        x = lib.tensor(a, requires_grad=True)
        g, = lib.autograd.grad(f(lib, x), x, create_graph=True)
        h, = lib.autograd.grad((g * g).sum(), x)
        return h

    def matrix_exponential(lib, x):
        w, V = lib.linalg.eigh((x + x.mT) / 2)
        return (V @ (w.exp()[:, None] * V.mT) * lib.arange(9).reshape(3, 3)).sum()

    for f in (lambda lib, x: lib.logdet(x), matrix_exponential, lambda lib, x: lib.linalg.matrix_norm(x, "nuc"),
              lambda lib, x: lib.linalg.cholesky(x).sum(), lambda lib, x: lib.linalg.qr(x)[1].sum(),
              lambda lib, x: (lib.linalg.svd(x)[0] ** 2).mul(lib.arange(9).reshape(3, 3)).sum(),
              lambda lib, x: lib.linalg.solve(x, x.mT @ x).sum(), lambda lib, x: lib.det(x), lambda lib,
              x: lib.linalg.pinv(x).sum()):
        a = positive(3, 3)
        same(twice(tg, f, a), twice(torch, f, a), rtol=1e-6, atol=1e-6)


# ---- what is refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("program", [
    lambda lib: lib.ones(2, 3) @ lib.ones(2, 3), lambda lib: lib.ones(2) @ lib.ones(3),
    lambda lib: lib.ones(2, 2) @ lib.ones(2, 2).double(),
    lambda lib: lib.ones(2) @ lib.tensor(1.0), lambda lib: lib.dot(lib.ones(2, 2),
                                                                   lib.ones(2)), lambda lib: lib.dot(lib.ones(2),
                                                                                                     lib.ones(3)),
    lambda lib: lib.mv(lib.ones(2), lib.ones(2)), lambda lib: lib.mm(lib.ones(2),
                                                                     lib.ones(2)), lambda lib: lib.mm(lib.ones(2, 2),
                                                                                                      lib.ones(3, 2)),
    lambda lib: lib.bmm(lib.ones(2, 2), lib.ones(2, 2)), lambda lib: lib.bmm(lib.ones(1, 2, 2), lib.ones(3, 2, 2)),
    lambda lib: lib.outer(lib.ones(2, 2), lib.ones(2)), lambda lib: lib.einsum("ij,jk->ik", lib.ones(2, 3),
                                                                               lib.ones(2, 3)),
    lambda lib: lib.einsum("ij,jk->iz", lib.ones(2, 3), lib.ones(3, 3)), lambda lib: lib.einsum("ij->ij", lib.ones(2)),
    lambda lib: lib.einsum("ij->ij", lib.ones(2, 2), lib.ones(2, 2)), lambda lib: lib.einsum("i,i", lib.ones(2),
                                                                                             lib.ones(2).double()),
    lambda lib: lib.einsum("i1->i", lib.ones(2, 2)), lambda lib: lib.tensordot(lib.ones(2, 3), lib.ones(2, 3), dims=1),
    lambda lib: lib.trace(lib.ones(2, 2, 2)), lambda lib: lib.linalg.cross(lib.ones(2), lib.ones(2)),
    lambda lib: lib.linalg.inv(lib.ones(2, 3)), lambda lib: lib.linalg.inv(lib.ones(2)),
    lambda lib: lib.det(lib.eye(2).long()),
    lambda lib: lib.linalg.cholesky(lib.ones(2, 3)), lambda lib: lib.linalg.matrix_norm(lib.ones(2, 2), 7),
    lambda lib: lib.linalg.norm(lib.ones(2, 2, 2), 1), lambda lib: lib.ones(2) @ 3])
def test_malformed_calls_raise_what_torch_raises(program):
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        program(torch)
    with pytest.raises(RuntimeError if isinstance(theirs.value, RuntimeError) else TypeError) as ours:
        program(tg)
    assert "operation:" in str(ours.value)


@pytest.mark.parametrize("program", [
    lambda lib: lib.linalg.inv(lib.zeros(2, 2)), lambda lib: lib.linalg.solve(lib.zeros(2, 2), lib.ones(2)),
    lambda lib: lib.linalg.cholesky(-lib.eye(2)), lambda lib: lib.linalg.matrix_power(lib.zeros(2, 2), -1)])
def test_a_singular_matrix_is_a_linalg_error(program):
    with pytest.raises(torch.linalg.LinAlgError):
        program(torch)
    with pytest.raises(tg.linalg.LinAlgError):
        program(tg)


def test_a_singular_matrix_met_in_a_rule_is_a_linalg_error():
    x = tg.zeros(2, 2, requires_grad=True)
    with pytest.raises(tg.linalg.LinAlgError, match="singular"):
        tg.linalg.slogdet(x).logabsdet.backward()


def test_shape_errors_say_what_to_write():
    with pytest.raises(RuntimeError, match=r"transpose|\.mT"):
        tg.ones(2, 3) @ tg.ones(2, 3)
    with pytest.raises(RuntimeError, match=r"b\.to\(a\.dtype\)"):
        tg.ones(2, 2) @ tg.ones(2, 2).double()


# ---- NumPy's functions ----------------------------------------------------------------------------------------------
def test_matmul_of_arrays_and_tensors_is_recorded():
    a, x = normal(2, 3), tg.tensor(normal(3, 2), requires_grad=True)
    for y in (np.matmul(a, x), a @ x):
        assert y.requires_grad
        np.testing.assert_array_equal(y.detach().numpy(), a @ x.detach().numpy())


@pytest.mark.parametrize("program", [
    lambda a: np.einsum("ij,jk->k", a, a), lambda a: np.tensordot(a, a, 1), lambda a: np.kron(a, a),
    lambda a: np.linalg.inv(a),
    lambda a: np.linalg.det(a), lambda a: np.linalg.solve(a, a[0]), lambda a: np.linalg.solve(a, a),
    lambda a: np.linalg.norm(a),
    lambda a: np.linalg.norm(a, 1, axis=0), lambda a: np.linalg.norm(a, "nuc"), lambda a: np.linalg.pinv(a),
    lambda a: np.cross(a, a[0:1] * 2),
    lambda a: np.linalg.matrix_power(a, 3), lambda a: np.linalg.multi_dot([a, a, a]),
    lambda a: np.linalg.cholesky(a @ a.T),
    lambda a: np.linalg.eigvalsh(a @ a.T), lambda a: np.linalg.svd(a)[1], lambda a: np.linalg.slogdet(a)[1],
    lambda a: np.linalg.qr(a)[1],
    lambda a: np.linalg.eigh(a @ a.T)[0], lambda a: np.trace(a), lambda a: np.dot(a, a), lambda a: np.outer(a, a)])
def test_numpys_functions_are_recorded(program):
    a = normal(3, 3) + 2 * np.eye(3)
    y = program(tg.tensor(a, requires_grad=True))
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), program(a), atol=1e-10)
    assert tg.autograd.gradcheck(program, tg.tensor(a, requires_grad=True))
