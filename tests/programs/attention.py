"""A small causal transformer block on tokens: Embedding, masked attention of several heads, tied output weights."""
import math

import numpy as np


def main(torch):
    nn, F = torch.nn, torch.nn.functional
    rng = np.random.default_rng(7)

    class SelfAttention(nn.Module):
        def __init__(self, dim, heads, length):
            super().__init__()
            self.heads = heads
            self.qkv = nn.Linear(dim, 3 * dim, bias=False)
            self.proj = nn.Linear(dim, dim)
            self.register_buffer("mask", torch.tril(torch.ones(length, length)).view(1, 1, length, length))

        def forward(self, x):
            B, T, C = x.shape
            q, k, v = self.qkv(x).split(C, dim=2)
            q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
            att = F.softmax(att, dim=-1)
            y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
            return self.proj(y)

    class Tiny(nn.Module):
        def __init__(self, vocabulary=11, dim=8, length=6):
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, dim)
            self.positions = nn.Embedding(length, dim)
            self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.attention = SelfAttention(dim, 2, length)
            self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), nn.Dropout(0.0))
            self.head = nn.Linear(dim, vocabulary, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, idx, targets):
            x = self.tokens(idx) + self.positions(torch.arange(idx.size(1)))
            x = x + self.attention(self.ln1(x))
            x = x + self.mlp(self.ln2(x))
            logits = self.head(x)
            return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

    model = Tiny()
    for name, p in model.named_parameters():
        if "ln" not in name:
            with torch.no_grad():
                p.copy_(torch.tensor(rng.normal(size=tuple(p.shape)) * 0.3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    data = torch.from_numpy(rng.integers(0, 11, (4, 7)))
    x, y = data[:, :-1], data[:, 1:].clone()
    y[:, 0] = -1
    losses = [len(list(model.parameters())), len(model.state_dict())]
    for _ in range(8):
        loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
