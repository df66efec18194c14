"""Derivatives of functions: torch.autograd's names against torch, forward against reverse, Values beside Tensors."""
from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest
import torch
from parity import same

import tinygrad_edu as tg
from tinygrad_edu import Value, autograd

LIBS = (tg, torch)
rng = np.random.default_rng(3)
X, W = rng.normal(size=(3, 2)), rng.normal(size=(2, 4))


def agree(program, **tolerance) -> None:
    """The same results under both libraries."""
    tolerance = {"rtol": 1e-9, "atol": 1e-9, **tolerance}
    same(program(tg), program(torch), **tolerance)


def leaf(lib, a):
    return lib.tensor(a, requires_grad=True)


# ---- grad of outputs by inputs --------------------------------------------------------------------------------------
def test_grad_of_one_and_of_several():
    def program(lib):
        x, w = leaf(lib, X), leaf(lib, W)
        y = (x @ w).tanh()
        found = [*lib.autograd.grad(y.sum(), x, retain_graph=True),
                 *lib.autograd.grad(y.sum(), [x, w], retain_graph=True),
                 *lib.autograd.grad([y.sum(), (y * y).sum()], (x, w), retain_graph=True),
                 *lib.autograd.grad(y, x, lib.ones_like(y), retain_graph=True),
                 *lib.autograd.grad([y, y.sum()], [w], grad_outputs=[y.detach(), None])]
        assert x.grad is None and w.grad is None
        return found
    agree(program)


def test_grad_at_an_intermediate_result():
    def program(lib):
        x = leaf(lib, X)
        h = x * x
        return lib.autograd.grad(h.sin().sum(), [h, x])
    agree(program)


def test_grad_with_respect_to_the_output_itself():
    agree(lambda lib: lib.autograd.grad(*[(y := leaf(lib, X).sum()), y]))


def test_the_graph_is_freed_unless_retained():
    x = leaf(tg, X)
    y = (x * x).sum()
    autograd.grad(y, x, retain_graph=True)
    autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        autograd.grad(y, x)


def test_unused_inputs():
    x, unused = leaf(tg, X), leaf(tg, W)
    with pytest.raises(RuntimeError, match="allow_unused"):
        autograd.grad(x.sum(), [x, unused])
    assert autograd.grad(x.sum(), [x, unused], allow_unused=True)[1] is None
    agree(lambda lib: lib.autograd.grad(leaf(lib, X).sum(), leaf(lib, W), materialize_grads=True))


@pytest.mark.parametrize("program", [
    lambda lib: lib.autograd.grad(leaf(lib, X) * 2, leaf(lib, X)), lambda lib: lib.autograd.grad(leaf(lib, X).sum(),
                                                                                                 lib.ones(2)),
    lambda lib: lib.autograd.grad(lib.ones(2).sum(), leaf(lib, X)),
    lambda lib: lib.autograd.grad(*[(x := leaf(lib, X)) * 2, x, lib.ones(5)]),
    lambda lib: lib.autograd.backward([leaf(lib, X) * 2]), lambda lib: lib.autograd.backward([lib.ones(1).sum()])])
def test_malformed_calls_raise_what_torch_raises(program):
    with pytest.raises(RuntimeError):
        program(torch)
    with pytest.raises(RuntimeError, match="instead:|operation:"):
        program(tg)


def test_gradients_of_gradients():
    def program(lib):
        x, w = leaf(lib, X), leaf(lib, W)
        y = (x @ w).tanh().pow(2).sum()
        g, = lib.autograd.grad(y, x, create_graph=True)
        assert g.requires_grad
        h, hw = lib.autograd.grad((g * g).sum(), [x, w], create_graph=True)
        k, = lib.autograd.grad(h.sum() + hw.sum(), w)
        return g, h, hw, k
    agree(program)


def test_gradients_do_not_share_memory():
    x, y = leaf(tg, X), leaf(tg, X)
    a, b = autograd.grad((x + y).sum(), [x, y])
    a.add_(1)
    assert b.tolist() == np.ones_like(X).tolist()


def test_backward_of_several_roots():
    def program(lib):
        x, w = leaf(lib, X), leaf(lib, W)
        y = x @ w
        lib.autograd.backward([y.sum(), y * 2], [None, y.detach()], retain_graph=True)
        before = x.grad.clone()
        lib.autograd.backward(y.sum(), inputs=[w])
        return before, x.grad, w.grad
    agree(program)


# ---- grad of functions ----------------------------------------------------------------------------------------------
def test_the_derivative_of_a_function_of_numbers():
    f = autograd.grad(lambda x: x ** 3 + x.sin())
    assert f(2.0) == pytest.approx(12 + math.cos(2)) and isinstance(f(2.0), float)
    assert autograd.grad(f)(2.0) == pytest.approx(12 - math.sin(2)) and isinstance(autograd.grad(f)(2.0), float)
    assert autograd.grad(autograd.grad(f))(2.0) == pytest.approx(6 - math.cos(2))
    straight = autograd.grad(autograd.grad(lambda x: 3 * x + 1))(2.0)
    assert straight == 0 and isinstance(straight, float)


def test_arguments_that_are_differentiated():
    def f(x, y, scale=1.0):
        return scale * x * y * y
    assert autograd.grad(f)(2.0, 3.0) == 9 and autograd.grad(f, 1)(2.0, 3.0) == 12
    assert autograd.grad(f, argnums=1)(2.0, 3.0, scale=2.0) == 24
    assert autograd.grad(f, (0, 1))(2.0, 3.0) == (9, 12)
    assert autograd.value_and_grad(f, (1,))(2.0, 3.0) == (18, (12,))
    assert autograd.grad(lambda x, y: y * y)(2.0, 3.0) == 0


def test_the_gradient_comes_in_the_kind_of_the_argument():
    f = autograd.grad(lambda x: (x * x).sum())
    assert isinstance(f(X), np.ndarray)
    np.testing.assert_array_equal(f(X), 2 * X)
    t = tg.tensor(X)
    assert isinstance(f(t), tg.Tensor) and not f(t).requires_grad and not t.requires_grad
    v = autograd.grad(lambda x: x * x)(Value(3.0))
    assert isinstance(v, Value) and v.data == 6
    value, g = autograd.value_and_grad(lambda x: np.sum(np.exp(x)))(X)
    assert isinstance(value, float) and value == pytest.approx(np.exp(X).sum())
    np.testing.assert_allclose(g, np.exp(X))


def test_a_function_of_numpy_calls():
    """A program written for HIPS autograd, with its gradient by hand."""
    def loss(w):
        return -np.sum(np.log(1 / (1 + np.exp(-(X @ w)))))
    w = rng.normal(size=2)
    np.testing.assert_allclose(autograd.grad(loss)(w), -X.T @ (1 - 1 / (1 + np.exp(-(X @ w)))))


def test_nested_derivatives_are_not_confused():
    """d/dx x (d/dy (x + y) at y = x) = 1, not 2 (Siskind and Pearlmutter 2005)."""
    inner = lambda x: x * autograd.grad(lambda y: x + y)(x)                           # noqa: E731
    assert autograd.grad(inner)(5.0) == 1
    assert autograd.grad(inner)(tg.tensor(5.0)).item() == 1
    assert autograd.grad(lambda x: autograd.grad(lambda y: x * y * y)(3.0))(2.0) == 6    # a constant inside


def test_the_gradient_of_a_function_follows_parameters_around_it():
    w = tg.tensor([2.0, 3.0], requires_grad=True)
    g = autograd.grad(lambda x: (w * x * x).sum())(tg.tensor([1.0, 10.0]))
    assert g.tolist() == [4, 60]
    g.sum().backward()
    assert w.grad.tolist() == [2, 20]


def test_a_function_must_end_in_one_number():
    with pytest.raises(TypeError, match="single number"):
        autograd.grad(lambda x: x * 2)(tg.ones(2))
    assert autograd.grad(lambda x: 3.0)(tg.ones(2)).tolist() == [0, 0]


def test_grad_works_inside_no_grad():
    with tg.no_grad():
        assert autograd.grad(lambda x: x * x)(3.0) == 6


# ---- vjp, jvp, jacobian, hessian ------------------------------------------------------------------------------------
def one(lib, x):
    return (x.exp() * x.sin()).sum(1)


def two(lib, x, w):
    y = (x @ w).tanh()
    return y.sum(0), (y * y).mean() + 0 * w.sum()


def scalar(lib, x, w):
    return ((x @ w).tanh() * w.sum(0)).pow(2).sum()


def func(lib, f):
    return lambda *xs: f(lib, *xs)


def test_vjp_and_jvp():
    for name, sizes in (("vjp", lambda lib: lib.tensor([1.0, 2, 3], dtype=lib.float64)),
                        ("jvp", lambda lib: lib.tensor(X).cos())):
        agree(lambda lib, name=name, sizes=sizes: getattr(lib.autograd.functional, name)(func(lib, one), lib.tensor(X),
                                                                                         sizes(lib)))
    agree(lambda lib: lib.autograd.functional.vjp(func(lib, two), (lib.tensor(X), lib.tensor(W)),
                                                  (lib.ones(4).double(), lib.tensor(2.0).double())))
    agree(lambda lib: lib.autograd.functional.jvp(func(lib, two), (lib.tensor(X), lib.tensor(W)),
                                                  (lib.tensor(X).cos(), lib.tensor(W).sin())))
    agree(lambda lib: lib.autograd.functional.vjp(func(lib, scalar), (lib.tensor(X), lib.tensor(W))))


def test_jacobian():
    agree(lambda lib: lib.autograd.functional.jacobian(func(lib, one), lib.tensor(X)))
    agree(lambda lib: lib.autograd.functional.jacobian(func(lib, two), (lib.tensor(X), lib.tensor(W))))
    agree(lambda lib: lib.autograd.functional.jacobian(func(lib, one), (lib.tensor(X),)))
    agree(lambda lib: lib.autograd.functional.jacobian(func(lib, scalar), (lib.tensor(X), lib.tensor(W))))


def tensors_in(nested):
    return [nested] if isinstance(nested, tg.Tensor) else [x for part in nested for x in tensors_in(part)]


def test_jacobian_by_forward_mode_is_the_same():
    for f, inputs in ((one, tg.tensor(X)), (two, (tg.tensor(X), tg.tensor(W))), (scalar, (tg.tensor(X), tg.tensor(W)))):
        reverse, forward = (autograd.jacobian(func(tg, f), inputs, strategy=s) for s in ("reverse-mode",
                                                                                         "forward-mode"))
        for a, b in zip(tensors_in(reverse), tensors_in(forward), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-12)


def test_jacobian_of_an_empty_output_and_input():
    assert autograd.jacobian(lambda x: x[:0] * 2, tg.tensor(X)).shape == (0, 2, 3, 2)
    assert autograd.jacobian(lambda x: x * 2, tg.zeros(0)).shape == (0, 0)


def test_hessian_hvp_and_vhp():
    agree(lambda lib: lib.autograd.functional.hessian(func(lib, scalar), (lib.tensor(X), lib.tensor(W))), rtol=1e-8,
          atol=1e-8)
    agree(lambda lib: lib.autograd.functional.hessian(lambda x: (x ** 3).sum(), lib.tensor(X)))
    agree(lambda lib: lib.autograd.functional.hessian(lambda x: (x ** 3).sum(), (lib.tensor(X),)))
    agree(lambda lib: lib.autograd.functional.hessian(lambda x: (2 * x).sum(), lib.tensor(X)))
    for name in ("hvp", "vhp"):
        agree(lambda lib, name=name: getattr(lib.autograd.functional, name)(
            func(lib, scalar), (lib.tensor(X), lib.tensor(W)), (lib.tensor(X).cos(),
                                                                lib.tensor(W).sin())), rtol=1e-8, atol=1e-8)
        agree(lambda lib, name=name: getattr(lib.autograd.functional, name)(lambda x: (x ** 3).sum(), lib.tensor(X),
                                                                            lib.tensor(X)))


def test_hessian_by_forward_over_reverse_is_the_same():
    a, b = (autograd.hessian(lambda x: scalar(tg, x, tg.tensor(W)), tg.tensor(X), outer_jacobian_strategy=s)
            for s in ("reverse-mode", "forward-mode"))
    np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-12)


def test_create_graph_in_functional():
    def program(lib):
        x = leaf(lib, X)
        j = lib.autograd.functional.jacobian(func(lib, one), x, create_graph=True)
        y, v = lib.autograd.functional.vjp(func(lib, one), x, lib.ones(3).double(), create_graph=True)
        t = lib.autograd.functional.jvp(func(lib, one), x, lib.ones(3, 2).double(), create_graph=True)[1]
        h = lib.autograd.functional.hvp(lambda x: func(lib, one)(x).sum(), x, lib.ones(3, 2).double(),
                                        create_graph=True)[1]
        (j.pow(2).sum() + y.sum() + v.pow(3).sum() + t.pow(2).sum() + h.pow(2).sum()).backward()
        return x.grad
    agree(program, rtol=1e-8, atol=1e-8)


def test_strict_and_missing_vectors():
    same(autograd.vjp(lambda x: tg.ones(2) * 3, tg.tensor(X), tg.ones(2))[1], torch.zeros(3, 2, dtype=torch.float64))
    same(autograd.jvp(lambda x: tg.ones(2) * 3, tg.tensor(X), tg.tensor(X))[1], torch.zeros(2))
    with pytest.raises(RuntimeError, match="strict"):
        autograd.vjp(lambda x: tg.ones(2) * 3, tg.tensor(X), tg.ones(2), strict=True)
    for f in (autograd.vjp, autograd.jvp):
        with pytest.raises(RuntimeError, match="v can only be None"):
            f(lambda x: x * 2, tg.tensor(X))
        with pytest.raises(RuntimeError, match="invalid size"):
            f(lambda x: x * 2, tg.tensor(X), tg.ones(7))
    with pytest.raises(TypeError, match="must return"):
        autograd.jacobian(lambda x: 3.0, tg.tensor(X))
    with pytest.raises(RuntimeError, match="single number"):
        autograd.hessian(lambda x: x * 2, tg.tensor(X))


def test_forward_mode_through_views_casts_and_assignments():
    """<u, J v> = <J^T u, v> for a program that mixes families, dtypes and in-place assignment."""
    def f(x):
        y = x.clone()
        y[0] = x[1] * 2
        z = tg.cat([y.T.reshape(-1), x.float().double().exp().flatten()]).sort()[0]
        return tg.where(z > 0, z, -z).cumsum(0) / (1 + z.abs().max())
    v = tg.tensor(X).cos()
    y, t = autograd.jvp(f, tg.tensor(X), v)
    u = tg.arange(12.0, dtype=tg.float64)
    back = autograd.vjp(f, tg.tensor(X), u)[1]
    assert float((u * t).sum()) == pytest.approx(float((back * v).sum()), rel=1e-6)


def test_forward_mode_notices_a_change_in_place():
    x = leaf(tg, X)

    def f(x):
        h = x * 1
        y = h * h
        with tg.no_grad():
            h.mul_(2)
        return y
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        autograd.jvp(f, x, tg.ones_like(x))


# ---- Values ---------------------------------------------------------------------------------------------------------
def test_derivatives_of_values():
    x, y = Value(2.0), Value(3.0)
    z = x * y + x ** 3
    assert autograd.grad(z, [x, y]) == (15, 2)
    assert x.grad == 0
    g, = autograd.grad(z, x, create_graph=True)
    assert autograd.grad(g, [x, y], allow_unused=True) == (12, 1)
    autograd.backward([z], [2.0])
    assert (x.grad, y.grad) == (30, 4)


def test_functions_of_values():
    f = lambda x, y: x * x * y + y.exp()                                              # noqa: E731
    value, t = autograd.jvp(f, (Value(2.0), Value(1.0)), (Value(1.0), Value(10.0)))
    assert value.data == pytest.approx(4 + math.e) and float(t) == pytest.approx(4 + 10 * (4 + math.e))
    assert autograd.vjp(f, (Value(2.0), Value(1.0)))[1] == pytest.approx((4, 4 + math.e))
    assert autograd.jacobian(f, (Value(2.0), Value(1.0))) == pytest.approx((4, 4 + math.e))
    (xx, xy), (yx, yy) = autograd.hessian(f, (Value(2.0), Value(1.0)))
    assert [xx, xy, yx, yy] == pytest.approx([2, 4, 4, math.e])
    for product in (autograd.hvp, autograd.vhp):
        found = product(f, (Value(2.0), Value(1.0)), (1.0, 10.0))[1]
        assert [float(h) for h in found] == pytest.approx([42, 4 + 10 * math.e])
    assert autograd.gradcheck(f, (Value(2.0), Value(1.0)), check_forward_ad=True)
    assert autograd.gradgradcheck(f, (Value(2.0), Value(1.0)))


# ---- Function -------------------------------------------------------------------------------------------------------
def functions(lib):
    """The same Functions, written for either library."""
    F = lib.autograd.Function

    class Mul(F):
        @staticmethod
        def forward(ctx, a, b, scale):
            ctx.save_for_backward(a, b)
            ctx.scale = scale
            assert ctx.needs_input_grad[2] is False
            return a * b * scale

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return (g * b * ctx.scale if ctx.needs_input_grad[0] else None), g * a * ctx.scale, None

    class Exp(F):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            y, = ctx.saved_tensors
            return g * y

    class Split(F):
        """Two outputs and an index that has no gradient, with setup_context."""

        @staticmethod
        def forward(x):
            return x.sin(), x.argmax(), (x * x).sum()

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, = inputs
            ctx.save_for_backward(x)
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx, g, nothing, h):
            x, = ctx.saved_tensors
            return g * x.cos() + h * 2 * x

    class Reverse(F):
        """The gradient reversal layer of domain adaptation."""

        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return -g

    class Once(F):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x.detach().numpy()
            return lib.from_numpy(np.tanh(ctx.x))

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx, g):
            return lib.from_numpy(g.numpy() * (1 - np.tanh(ctx.x) ** 2))

    return Mul, Exp, Split, Reverse, Once


def test_functions():
    def program(lib):
        Mul, Exp, Split, Reverse, Once = functions(lib)
        x, y = leaf(lib, X), leaf(lib, X + 1)
        a = Mul.apply(x, y, 3.0)
        b, index, c = Split.apply(x)
        (a.sum() + Exp.apply(x * y).sum() + (b * y).sum() + c + Reverse.apply(y).sum() + Once.apply(x).sum()).backward()
        assert not index.requires_grad
        return a, b, index, c, x.grad, y.grad
    agree(program)


def test_functions_can_be_differentiated_again():
    def program(lib):
        Mul, Exp, Split, Reverse, _ = functions(lib)
        x, y = leaf(lib, X), leaf(lib, X + 1)
        b, _, c = Split.apply(x)
        total = (Mul.apply(x, y, 3.0) * Exp.apply(x)).sum() + (b * b).sum() + c * c + Reverse.apply(x).pow(3).sum()
        g, = lib.autograd.grad(total, x, create_graph=True)
        return g, *lib.autograd.grad((g * g).sum(), [x, y])
    agree(program)
    for f in functions(tg)[1:2]:
        assert autograd.gradcheck(f.apply, leaf(tg, X), check_forward_ad=True) and autograd.gradgradcheck(f.apply,
                                                                                                          leaf(tg, X))


def test_once_differentiable():
    def program(lib):
        x = leaf(lib, X)
        g, = lib.autograd.grad(functions(lib)[4].apply(x).sum(), x, create_graph=True)
        g.sum().backward()
    with pytest.raises(RuntimeError):
        program(torch)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        program(tg)


def test_a_function_without_gradients():
    Exp = functions(tg)[1]
    y = Exp.apply(tg.tensor(X))
    assert not y.requires_grad and y.is_leaf
    with tg.no_grad():
        assert not Exp.apply(leaf(tg, X)).requires_grad
    y = Exp.apply(leaf(tg, X))
    assert y.requires_grad and y.grad_fn.name == "Exp"


def test_an_identity_function_makes_a_new_tensor():
    class Same(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5
    x = leaf(tg, X)
    y = Same.apply(x)
    y.sum().backward()
    assert y is not x and x.grad.tolist() == np.full_like(X, 5).tolist()


def test_wrong_backwards_are_told():
    class Bad(autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    class Misshapen(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g[:1, :1].reshape(1)[:0]
    x = leaf(tg, X)
    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Bad.apply(x, x).sum().backward()
    with pytest.raises(RuntimeError, match="invalid gradient at index 0"):
        Misshapen.apply(x).sum().backward()
    with pytest.raises(NotImplementedError):
        autograd.Function.apply(x)


def test_a_saved_tensor_that_was_changed_is_told():
    x = leaf(tg, X)
    h = x * 1
    y = functions(tg)[0].apply(h, h, 1.0)
    with tg.no_grad():
        h.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_function_is_freed_without_the_collector():
    gc.disable()
    try:
        x = leaf(tg, X)
        for f in functions(tg)[:4]:
            y = f.apply(x, x, 1.0) if f.__name__ == "Mul" else f.apply(x)
            y = y[0] if isinstance(y, tuple) else y
            gone = weakref.ref(y)
            del y
            assert gone() is None, f.__name__
    finally:
        gc.enable()


# ---- gradcheck ------------------------------------------------------------------------------------------------------
def wrong_sine(lib):
    class Sine(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return g * x.cos() * (1 + (x > 1))
    return Sine.apply


def test_gradcheck_names_what_is_wrong():
    a = np.array([[0.5, 0.25], [0.1, 2.0]])
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 1"):
        torch.autograd.gradcheck(lambda y, x: wrong_sine(torch)(x * 2).exp() + y, (leaf(torch, a), leaf(torch, a)))
    with pytest.raises(autograd.GradcheckError) as error:
        autograd.gradcheck(lambda y, x: wrong_sine(tg)(x * 2).exp() + y, (leaf(tg, a), leaf(tg, a)))
    text = str(error.value)
    exact = math.exp(math.sin(4)) * math.cos(4) * 2
    assert "operation: Sine(" in text and "input 1" in text and "(1, 1) of the input" in text
    assert f"{exact:.6g}" in text and f"{2 * exact:.6g}" in text
    assert isinstance(error.value, RuntimeError)
    assert not autograd.gradcheck(wrong_sine(tg), leaf(tg, a + 1), raise_exception=False)


def test_gradcheck_compares_as_torch_does():
    """The same verdicts: right, kinked, constant, several outputs, whole numbers beside floats, float32."""
    a = np.array([0.5, -0.25, 1.5])
    for f in (lambda x: x.tanh(), lambda x: (x.exp(), x.sum()), lambda x: x * 0 + 1.0, lambda x: (x, x.argmax()),
              lambda x: x[:0]):
        for lib in LIBS:
            assert lib.autograd.gradcheck(f, leaf(lib, a))
    for lib in LIBS:
        assert not lib.autograd.gradcheck(lambda x: x.relu(), leaf(lib, np.zeros(2)), raise_exception=False)
        assert not lib.autograd.gradcheck(lambda x: x.detach() * x, leaf(lib, a), raise_exception=False)
        with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
            lib.autograd.gradcheck(lambda x: x, lib.ones(2))
        with pytest.warns(UserWarning, match="double precision"):
            lib.autograd.gradcheck(lambda x: x * 2, lib.ones(2, requires_grad=True), atol=0.1)
        assert lib.autograd.gradgradcheck(lambda x, y: (x * y).sin(), (leaf(lib, a), leaf(lib, a)))
    with pytest.raises(autograd.GradcheckError, match="forward mode|Jacobian mismatch"):
        autograd.gradcheck(lambda x: x.detach() * x, leaf(tg, a), check_forward_ad=True, check_backward_ad=False)


def test_gradcheck_leaves_its_inputs_alone():
    x = leaf(tg, X)
    before = x.payload
    autograd.gradcheck(lambda x: x.tanh(), x)
    assert x.payload is before and x.tolist() == X.tolist() and x.grad is None


def test_gradgradcheck_finds_a_wrong_second_derivative():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 3 * g * x * x.detach()
    assert autograd.gradcheck(Cube.apply, leaf(tg, X))
    with pytest.raises(autograd.GradcheckError, match="Jacobian mismatch"):
        autograd.gradgradcheck(Cube.apply, leaf(tg, X))


def test_a_backward_that_is_not_repeatable_is_told():
    class Noisy(autograd.Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            Noisy.calls += 1
            return g * 2 + 1e-7 * Noisy.calls
    with pytest.raises(autograd.GradcheckError, match="not reentrant"):
        autograd.gradcheck(Noisy.apply, leaf(tg, X))


# ---- anomalies and modes --------------------------------------------------------------------------------------------
def test_an_anomaly_is_named_with_its_line():
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    with autograd.detect_anomaly(), np.errstate(all="ignore"):
        y = x.sqrt()
        with pytest.raises(RuntimeError) as error:
            (y * 0).sum().backward()
    assert "'sqrtBackward' returned nan values in its 0th output" in str(error.value)
    assert "y = x.sqrt()" in str(error.value)
    with np.errstate(all="ignore"):
        (x.sqrt() * 0).sum().backward()               # outside nothing is said
    with autograd.detect_anomaly(check_nan=False), np.errstate(all="ignore"):
        (x.sqrt() * 0).sum().backward()


def test_an_infinite_adjoint_is_an_anomaly_too():
    with autograd.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(RuntimeError,
                                                                             match="'logBackward' returned inf"):
        tg.tensor([0.0], requires_grad=True).log().sum().backward()


@np.errstate(all="ignore")
def test_set_detect_anomaly():
    autograd.set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match="sqrtBackward"):
            (tg.zeros(1, requires_grad=True).sqrt() * 0).sum().backward()
        with autograd.set_detect_anomaly(False):
            (tg.zeros(1, requires_grad=True).sqrt() * 0).sum().backward()
    finally:
        autograd.set_detect_anomaly(False)


def test_modes():
    x = leaf(tg, X)
    with autograd.inference_mode():
        assert not (x * 2).requires_grad
        with autograd.enable_grad():
            assert (x * 2).requires_grad
    with autograd.inference_mode(False):
        assert (x * 2).requires_grad

    @autograd.inference_mode()
    def f():
        return (x * 2).requires_grad
    assert not f() and tg.is_grad_enabled()
    assert autograd.Variable(tg.ones(2), requires_grad=True).requires_grad


def test_gradgradcheck_names_the_function_whose_backward_leaves_the_graph():
    class Cube(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return g * 3 * x.detach() ** 2

    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    for f in (Cube.apply, lambda x: (Cube.apply(x) * x).sin()):
        assert tg.autograd.gradcheck(f, (x,)) and not tg.autograd.gradgradcheck(f, (x,), raise_exception=False)
        with pytest.raises(RuntimeError, match=r"operation: Cube\((.|\n)*backward, of Cube"):
            tg.autograd.gradgradcheck(f, (x,))


def test_batched_grads_are_those_of_each_row():
    for lib in (tg, torch):
        x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = lib.stack([x.prod(), (x * x).sum()])
        J, = lib.autograd.grad(y, x, lib.eye(2), is_grads_batched=True)
        assert J.tolist() == [[6, 3, 2], [2, 4, 6]]
        with pytest.raises(RuntimeError, match="a second time"):
            lib.autograd.grad(y, x, lib.ones(2))
        z = lib.tensor(1.0, requires_grad=True)
        assert lib.autograd.grad(x * 2, z, lib.eye(3), is_grads_batched=True, allow_unused=True) == (None,)


def test_what_is_not_checked_is_refused_by_name():
    x = tg.ones(2, dtype=tg.float64, requires_grad=True)
    for name in ("check_batched_grad", "check_grad_dtypes", "masked", "check_batched_forward_grad"):
        with pytest.raises(NotImplementedError, match=name):
            tg.autograd.gradcheck(tg.tanh, (x,), **{name: True})
    with pytest.raises(NotImplementedError, match="always_call=True"):
        tg.nn.Linear(1, 1).register_forward_hook(print, always_call=True)


def test_backward_to_some_inputs_only():
    for lib in (tg, torch):
        a, b = (lib.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        y = a * b
        (y * y).sum().backward(inputs=[a, y])
        assert a.grad.tolist() == [2, 16] and y.grad.tolist() == [2, 8] and b.grad is None
        (a * b).sum().backward(inputs=b)
        assert b.grad.tolist() == [1, 2] and a.grad.tolist() == [2, 16]
