"""Looking inside a network: forward hooks, backward hooks, a hook on a tensor, retain_grad."""
import numpy as np


def main(torch):
    nn = torch.nn
    rng = np.random.default_rng(15)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    for p in net.parameters():
        p.data.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape))))
    seen, flows = {}, {}

    def get_activation(name):
        def hook(module, input, output):
            seen[name] = output.detach()
        return hook

    handles = [layer.register_forward_hook(get_activation(name)) for name, layer in net.named_children()]
    net[2].register_full_backward_hook(lambda m, gi, go: flows.update(inside=gi[0].clone(), outside=go[0].clone()))
    x = torch.from_numpy(rng.normal(size=(5, 3)))
    hidden = net[:2](x)
    hidden.retain_grad()
    hidden.register_hook(lambda g: g * 2)
    out = net[2](hidden)
    out.pow(2).sum().backward()
    for h in handles:
        h.remove()
    net(x + 1)
    return [seen["0"].sum().item(), seen["1"].mean().item(), seen["2"].std().item(), flows["inside"].sum().item(),
            flows["outside"].sum().item(), hidden.grad.sum().item(), net[0].weight.grad.norm().item()]
