"""An autograd.Function of one's own: a straight-through step and a cubic with saved tensors."""
import numpy as np


def main(torch):
    rng = np.random.default_rng(5)

    class StraightThrough(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output.clamp(-1, 1)

    class Cubic(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return factor * x ** 3

        @staticmethod
        def backward(ctx, grad_output):
            x, = ctx.saved_tensors
            grad_x = None
            if ctx.needs_input_grad[0]:
                grad_x = grad_output * 3 * ctx.factor * x ** 2
            return grad_x, None

    w = torch.from_numpy(rng.normal(size=(4, 3))).requires_grad_()
    x = torch.from_numpy(rng.normal(size=(10, 4)))
    target = torch.from_numpy(rng.normal(size=(10, 3)))
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, nesterov=True)
    losses = []
    for _ in range(8):
        hidden = x.mm(w)
        loss = ((Cubic.apply(hidden, 0.3) + StraightThrough.apply(hidden) - target) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_([w], 0.5)
        optimizer.step()
        losses.append(loss.item())
    assert torch.autograd.gradcheck(lambda t: Cubic.apply(t, 2.0), (w,))
    return losses
