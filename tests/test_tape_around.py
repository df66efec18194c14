"""Small programs made to break compile(): what they show must be what they show uncompiled, or be refused by its line.

Each is a text that is run twice, in names of its own, with ``compile`` as it is and as nothing at all. ``show`` keeps
numbers at once, so that memory that is used again later is noticed.
"""
from __future__ import annotations

import copy
import functools
import itertools
import linecache
import threading
import types

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, nn, optim
from tinygrad_edu.tape import CaptureError

RIGHT = {
    "a number of a helper's surroundings": """
        scale = 2.0
        def helper(x): return x * scale
        f = compile(lambda x: helper(x).sum())
        show(f(X(3))); scale = 3.0; show(f(X(3)))""",
    "attributes of attributes": """
        cfg = NS(a=NS(scale=2.0))
        f = compile(lambda x: x * cfg.a.scale)
        show(f(X(3))); cfg.a.scale = 3.0; show(f(X(3))); cfg.a = NS(scale=5.0); show(f(X(3)))""",
    "attributes of a class, a property and a slot": """
        class C:
            __slots__ = ("k",)
            scale = 2.0
            @property
            def twice(self): return 2 * self.k
        c = C(); c.k = 1.0
        f = compile(lambda x: x * C.scale + c.twice)
        show(f(X(3))); C.scale = 3.0; show(f(X(3))); c.k = 7.0; show(f(X(3)))""",
    "numbers in dicts and lists": """
        cfg = {"scale": 2.0, "deep": {"a": [1.0, 2.0]}}
        f = compile(lambda x: x * cfg["scale"] + cfg["deep"]["a"][1] + tg.tensor(cfg["deep"]["a"]).sum())
        show(f(X(3))); cfg["scale"] = 3.0; show(f(X(3))); cfg["deep"]["a"][1] = 7.0; show(f(X(3)))""",
    "lists of tensors": """
        ws = [X(3), X(3, seed=2)]
        f = compile(lambda x: sum((w * x).sum() for w in ws))
        show(f(X(3))); ws.append(X(3, seed=3)); show(f(X(3))); ws[0] = X(3, seed=4); show(f(X(3)))""",
    "kinds of numbers": """
        k = 2
        f = compile(lambda x: x * k + (1 if k is True else 0))
        show(f(I(3))); k = 2.0; show(f(I(3))); k = True; show(f(I(3))); k = X(3); show(f(I(3))); k = None
        k = 1; show(f(I(3)))""",
    "other functions under the same names": """
        act, box = tg.tanh, NS(h=lambda x: x * 2)
        def f(x, k=2.0): return box.h(act(x)) * k
        g = compile(f)
        show(g(X(3))); act = tg.relu; show(g(X(3))); box.h = lambda x: x * 3; show(g(X(3)))
        f.__defaults__ = (5.0,); show(g(X(3)))""",
    "partial functions and recursion": """
        part = functools.partial(lambda x, c: x * c["k"], c={"k": 1.0})
        f, box = compile(part), {}
        box["g"] = compile(lambda x, n: x.sum() if n <= 0 else box["g"](x * 2, n - 1))
        show(f(X(3))); part.keywords["c"]["k"] = 4.0; show(f(X(3)))
        for n in (2, 3, 2): show(box["g"](X(3), n))""",
    "compiled inside compiled": """
        k = 2.0
        inner = compile(lambda x: x * k)
        f = compile(lambda x: inner(x).sum())
        show(f(X(3))); show(f(X(3))); k = 3.0; show(f(X(3))); show(inner(X(3)))""",
    "attributes and parts of modules": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.k, self.body = 2.0, nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
            def forward(self, x): return self.body(x) * self.k
        net = Net().double()
        @compile
        def f(x):
            with tg.no_grad(): return net(x)
        for change in ("pass", "net.k = 3.0", "net.body[1].p = 0.1", "net.body[1] = nn.ReLU()", "net.eval()",
                       "net.body.append(nn.Tanh())", "net.body[0].weight = nn.Parameter(X(2, 3))",
                       "h = net.register_forward_hook(lambda m, i, o: o * 2)", "h.remove()"):
            exec(change); show(f(X(4, 3)), f(X(4, 3)))""",
    "a parameter replaced while it is trained": """
        net = nn.Linear(3, 2).double(); rule = optim.SGD(net.parameters(), 0.1)
        @compile
        def f(x):
            rule.zero_grad(); loss = (net(x) ** 2).sum(); loss.backward(); rule.step(); return loss
        show(f(X(4, 3)), f(X(4, 3))); net.weight = nn.Parameter(X(2, 3))
        show(f(X(4, 3)), net.weight, net.weight.grad, net.bias)""",
    "hooks of tensors that come and go": """
        w = X(3).requires_grad_()
        @compile
        def f(x): w.grad = None; (w * x).sum().backward(); return w.grad
        show(f(X(3))); h = w.register_hook(lambda g: g * 2); show(f(X(3))); h.remove(); show(f(X(3)))""",
    "what hooks of tensors, parameters and arguments read": """
        w, net, scale, on = X(3).requires_grad_(), nn.Linear(3, 1).double(), [1.0], NS(k=1.0)
        class Scaled:
            def __call__(self, g): return g * on.k
        w.register_hook(lambda g: g * scale[0]); net.weight.register_hook(Scaled())
        @compile
        def f(x):
            w.grad = net.weight.grad = x.grad = None; (net(w * x)).sum().backward()
            return w.grad, net.weight.grad, x.grad
        x = X(3, seed=1).requires_grad_(); x.register_hook(lambda g: g + scale[-1])
        for change in ("pass", "scale[0] = 2.0", "on.k = 3.0", "scale.append(5.0)", "h = x.register_hook(lambda g: -g)",
                       "h.remove()", "h = net.weight.register_hook(lambda g: -g)"):
            exec(change); show(f(x), f(x))""",
    "which tensors require a gradient": """
        ps = [X(3, seed=k).requires_grad_() for k in range(3)]
        @compile
        def f(x):
            for p in ps: p.grad = None
            sum((p * x).exp().sum() for p in ps if p.requires_grad).backward()
            return [p.grad if p.grad is not None else 0 for p in ps]
        for on in (True, False, True): ps[1].requires_grad_(on); show(f(X(3)))""",
    "parameters and rates of an optimiser": """
        w, v = X(3).requires_grad_(), X(3, seed=2).requires_grad_()
        rule = optim.SGD([w], 0.1, momentum=0.9); schedule = optim.lr_scheduler.StepLR(rule, 2, 0.5)
        @compile
        def f(x):
            rule.zero_grad(); loss = (w * v * x).exp().sum(); loss.backward(); rule.step()
            return loss * schedule.get_last_lr()[0] + rule.param_groups[0]["lr"]
        for k in range(7):
            if k == 3: rule.add_param_group({"params": [v], "lr": 0.01})
            if k == 5: rule = optim.Adam([w], 0.1)
            show(f(X(3, seed=k)), w, v, v.grad); schedule.step()""",
    "a trainer": """
        class Trainer:
            def __init__(self):
                self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1)).double()
                self.rule, self.clip = optim.Adam(self.net.parameters(), 0.01), 1.0
            def step(self, x):
                self.rule.zero_grad(); loss = (self.net(x) ** 2).mean(); loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), self.clip); self.rule.step(); return loss
        t = Trainer(); f = compile(t.step)
        for k in range(6):
            show(f(X(4, 3, seed=k)), *t.net.parameters())
            if k == 2: t.clip = 0.01
            if k == 3: t.net.eval()
            if k == 4: t.net = nn.Linear(3, 1).double()""",
    "train and eval inside": """
        net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5)).double()
        @compile
        def f(x):
            net.train()
            with tg.no_grad(): return net(x)
        for k in range(5): show(f(X(5, 3, seed=k)), net.training); net.train(k % 2 == 0)""",
    "numbers that Python takes from arrays": """
        a = np.ones(3)
        f = compile(lambda x: x * float(a[0]) + a.sum())
        g = compile(lambda a, x: x * 2 if a[0] > 2 else x * a.tolist()[1])
        v = Value(0.5); h = compile(lambda a: sum(v * float(k) for k in a).data)
        for k in range(4): show(f(X(3)), g(a, X(3)), h(a)); a *= 2""",
    "tensors kept in dicts and objects": """
        c, d = NS(w=X(3)), {"w": X(3, seed=1)}
        f = compile(lambda x: x * c.w + d["w"])
        for k in range(3): show(f(X(3))); c.w = c.w * 2; d["w"] = d["w"] + 1""",
    "results that are changed": """
        w = X(3)
        f = compile(lambda x: (x * w, w, x, x * 1, x ** 1, x * 2, x * 2, w.clone(), tg.ones(3), tg.arange(3) * 2))
        for k in range(3):
            x = X(3, seed=k); parts = f(x); show(*parts, w, x)
            for i, part in enumerate(parts): part.add_(i + 1)
            show(*parts, w, x)""",
    "a copy, and then a change": """
        w = X(3)
        @compile
        def f(x): a = w * 1; b = w ** 1; c = copy.deepcopy(w); w.add_(x); return a + b + c, w * 1
        for k in range(3): a, b = f(X(3, seed=k)); b.add_(1); show(a, b, w)""",
    "an argument that is another one": """
        w, a, b = X(3), X(3, seed=1), X(3, seed=2)
        f = compile(lambda x, y: x * 2 + y * 3)
        @compile
        def g(x, y): s = (y * 3).sum(); x[0] = 5.0; return s, (y * 3).sum()
        @compile
        def h(x): t = x * 1.0; w.add_(1); return x * 2 + t
        show(f(a, a), f(a, b), f(b, b), f(b, a))
        show(g(X(3), X(3)), g(a, a), g(b, b[:2]), g(X(3), X(3)), g(a, a[:]))
        show(h(X(3)), h(w), h(X(3)), h(w), h(w[:]))""",
    "strides": """
        @compile
        def f(x): y = x.view(-1); y += 1; return x.reshape(-1) * 2
        show(f(X(3, 4)))
        try: f(X(4, 3).t())
        except RuntimeError: show("refused")
        show(compile(lambda x: x.reshape(-1))(X(4, 3).t()))""",
    "errors in the middle": """
        w, bad = X(3).requires_grad_(), [True]
        @compile
        def f(x):
            w.grad = None; (w * x).sum().backward()
            if bad[0]: raise KeyError("no")
            return w.grad
        for flag in (True, False, False, True, False):
            bad[0] = flag
            try: show(f(X(3)))
            except KeyError: show("no")""",
    "try and while": """
        @compile
        def f(x):
            try: return x @ tg.ones(3).double()
            except RuntimeError: return x.sum()
        @compile
        def g(x):
            n = 0
            while x.norm() > 0.1: x = x * 0.5; n += 1
            return x, n
        for n in (3, 2, 3, 2): show(f(X(2, n)), g(X(n) * n))""",
    "objects, sets and NumPy's numbers as arguments": """
        f = compile(lambda x, p: x * p.k); g = compile(lambda x, s: x * sum(s)); h = compile(lambda x, k: x * k)
        for k in range(30):
            show(f(X(3), NS(k=k + 1.0)), g(X(3), {float(k)}), h(X(3), np.float64(k)), h(X(3), np.int64(k)))
        p, s = NS(k=1.0), {1.0}
        show(f(X(3), p), g(X(3), s)); p.k = 2.0; s.add(5.0); show(f(X(3), p), g(X(3), s))""",
    "gradients that are held and changed": """
        w = X(3).requires_grad_(); held = []
        @compile
        def f(x): loss = (w * x).exp().sum(); loss.backward(); return w.grad
        for k in range(6):
            r = f(X(3, seed=k)); show(r, w.grad); r.mul_(0.5); held.append(w.grad); show(w.grad)
            w.grad = (None, w.grad, X(3))[k % 3]
        show(*held)""",
    "functions of one's own, and gradients in the loss": """
        class Cube(tg.autograd.Function):
            @staticmethod
            def forward(ctx, x, k): ctx.save_for_backward(x); ctx.k = k; return k * x ** 3
            @staticmethod
            def backward(ctx, g): x, = ctx.saved_tensors; return g * 3 * ctx.k * x ** 2, None
        w = X(3).requires_grad_()
        @compile
        def f(x, k):
            w.grad = None; loss = (Cube.apply(w, k) * x).sum(); loss.backward(retain_graph=True); loss.backward()
            g, = tg.autograd.grad((w * x).exp().sum(), w, create_graph=True); (g ** 2).sum().backward()
            return loss.detach(), w.grad
        for k in range(4): show(f(X(3, seed=k), k + 1.0))""",
    "batches without rows, dtypes, named results": """
        net = nn.Linear(3, 2).double()
        @compile
        def f(x): net.weight.grad = None; loss = net(x).sum(); loss.backward(); return loss, net.weight.grad
        g = compile(lambda x: x * 2.5 + 1); h = compile(lambda x: x.max(0))
        for n in (0, 2, 0, 2): show(f(X(n, 3)))
        for x in (X(3), X(3).float(), I(3), X(3) > 0, X(3)): show(g(x), str(g(x).dtype))
        for k in range(3): show(h(X(3, seed=k)).values, h(X(3, seed=k)).indices)""",
    "Values and what is around them": """
        w, cfg, data = [Value(0.5), Value(1.5)], NS(k=2.0), [1.0, 2.0]
        @compile
        def f():
            y = sum(w[0] * d for d in data) * cfg.k + w[1]
            w[0].grad = 0.0; y.backward(); w[0].data -= 0.1 * w[0].grad; return y
        for change in ("pass", "cfg.k = 5.0", "data[0] = 9.0", "data.append(4.0)", "w[1] = Value(7.0)"):
            exec(change); show(f(), f(), *w)""",
    "threads": """
        f = compile(lambda x: ((x * 2).tanh() @ x.t()).sum(0)); v = Value(2.0)
        g = compile(lambda x: (v * x + x * x).data); found = []
        f(X(20, 20)); g(1.0)
        def work(k):
            for _ in range(40): found.append((k, f(X(20, 20, seed=k)).tolist(), g(float(k))))
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        for k, a, b in sorted(found): show(a, b)""",
    "dicts under any keys": """
        a, b = X(3).requires_grad_(), X(3, seed=1).requires_grad_()
        rates = {a: 0.1, (b, 1): 0.2, 0.5: 1.0, None: 1.0, True: 1.0, "{x}": 1.0}
        many = {(i, j): Value(i + 0.5 * j) for i in range(5) for j in range(5)}
        @compile
        def f(x):
            a.grad = b.grad = None; loss = (a * b * x).sum(); loss.backward()
            with tg.no_grad(): a.sub_(rates[a] * a.grad); b.sub_(rates[b, 1] * b.grad)
            return loss * rates[0.5] * rates[None] * rates[True] * rates["{x}"]
        g = compile(lambda x: sum(v * x for v in many.values()).data * many[1, 2].data)
        for key in rates: show(f(X(3)), a, b); rates[key] = 3.0; show(f(X(3)), a, b)
        show(g(1.0)); many[1, 2] = Value(9.0); show(g(1.0)); many[7, 7] = Value(2.0); show(g(1.0))""",
    "what keys and sets hold": """
        a, b, key = Value(0.5), Value(1.5), NS(); ws, fixed = {a, b}, frozenset([a, b])
        class Key: pass
        key = Key(); key.rate = 2.0; table = {key: 1.0}
        f = compile(lambda x: sum(w * x for w in ws).data + sum(w.data for w in fixed) * sum(k.rate for k in table))
        show(f(1.0)); ws.remove(a); ws.add(Value(10.0)); show(f(1.0)); a.data = 4.0; show(f(1.0)); key.rate = 3.0
        show(f(1.0))""",
    "other containers": """
        import array, collections, weakref
        class Key: pass
        key, plain, d, own = Key(), {"k": 1.0}, {"k": 1.0}, collections.defaultdict(lambda: 1.0, k=1.0); key.k = 1.0
        boxes = [collections.ChainMap({"k": 1.0}), collections.UserDict(k=1.0), own,
                 weakref.WeakKeyDictionary({key: 1.0})]
        lists = [collections.UserList([1.0]), array.array("d", [1.0]), bytearray(b"a"), collections.deque([1.0])]
        proxy, view, alive = types.MappingProxyType(plain), d.values(), weakref.ref(key)
        fs = [lambda: [box["k"] for box in boxes[:3]], lambda: boxes[3][key], lambda: [box[0] for box in lists],
              lambda: [proxy["k"], *view], lambda: alive().k]
        fs = [compile(lambda x, f=f: x * tg.tensor(f()).double().sum()) for f in fs]
        show([f(X(3)) for f in fs])
        for box in (*boxes[:3], plain, d): box["k"] = 2.0; show([f(X(3)) for f in fs])
        for box in lists: box[0] = 3; show([f(X(3)) for f in fs])
        boxes[3][key] = 4.0; show([f(X(3)) for f in fs]); key.k = 5.0; show([f(X(3)) for f in fs])""",
    "attributes by name": """
        import operator
        class Net(nn.Module):
            def __init__(self):
                super().__init__(); self.body = nn.Linear(3, 3).double()
                for i in range(2): setattr(self, f"w{i}", X(3, seed=i))
            def forward(self, x): return sum(getattr(self, f"w{i}") * x for i in range(2)) * getattr(self, "k", 1.0)
        class Point:
            __slots__ = ("__dict__", "__k")
            def __init__(self): self.__k = 2.0; self.j = 1.0
            def k(self): return self.__k
            def set(self, k): self.__k = k
        net, cfg, p, reads, calls = Net(), NS(k=2.0), Point(), operator.attrgetter("k"), operator.methodcaller("k")
        def matched(p):
            match p:
                case Point(j=j): return j
        fs = [net, lambda x: x * getattr(cfg, "k"), lambda x: x * vars(cfg)["k"], lambda x: x * cfg.__dict__["k"],
              lambda x: x * reads(cfg), lambda x: x * calls(p), lambda x: x * matched(p),
              lambda x: x * (2.0 if hasattr(p, "new") else 1.0), lambda x: x * getattr(net.body, "k", 1.0)]
        fs = [tg.no_grad()(compile(f)) for f in fs]
        for change in ("pass", "cfg.k = 3.0", "net.w1 = X(3, seed=5)", "net.k = 2.0", "net.k = 3.0", "p.set(5.0)",
                       "p.j = 2.0", "Point.new = 1", "Point.k = lambda self: 7.0", "net.body.k = 2.0"):
            exec(change); show([f(X(3)) for f in fs])""",
    "methods that are replaced": """
        class Base:
            k = 2.0
            def act(self, x): return x.tanh()
            def loud(self, x): return x * self.k
        class Neuron(Base):
            def __init__(self): self.inner = 1.0
            def loud(self, x): return super().loud(x) + 1
            def __call__(self, x): return self.loud(self.act(x)) * self.twice + self.fixed(x) + self.of(x)
            @property
            def twice(self): return self.inner
            @twice.setter
            def twice(self, x): self.inner = x
            @staticmethod
            def fixed(x): return x
            @classmethod
            def of(cls, x): return x * cls.k
        n = Neuron(); f = compile(lambda x: n(x))
        for change in ("pass", "Base.act = lambda self, x: x.relu()", "Neuron.act = lambda self, x: x * 10",
                       "Base.k = 3.0", "Neuron.k = 4.0", "Base.loud = lambda self, x: x", "n.twice = 5.0",
                       "Neuron.twice = property(lambda self: 7.0)", "Neuron.fixed = staticmethod(lambda x: x * 2)",
                       "Neuron.of = classmethod(lambda cls, x: x)", "n.act = lambda x: x",
                       "Neuron.__call__ = lambda self, x: x"):
            exec(change); show(f(X(3)))""",
    "containers and classes of one's own": """
        import sys
        class Config(dict):
            scale = 2.0
            def __getattr__(self, name): return self[name]
        class Bag:
            def __init__(self): self.items = [1.0, 2.0]
            def __iter__(self): return iter(self.items)
        class Kind(type):
            @property
            def k(cls): return cls.j
        class Of(metaclass=Kind): j = 1.0
        class Given:
            def __init__(self): self.v = 1.0
            def __get__(self, x, owner=None): return self.v
        class Has: v = Given()
        class Cube(tg.autograd.Function):
            @staticmethod
            def forward(ctx, x): return x ** 3
            @staticmethod
            def backward(ctx, g): return g
        c, bag, has = Config(rate=2.0), Bag(), Has(); c.own = 1.0
        f = compile(lambda x: Cube.apply(x * c.rate * c.scale + c.own) * sum(bag) * Of.k * has.v)
        for change in ("pass", "c['rate'] = 3.0", "Config.scale = 3.0", "c.own = 2.0", "bag.items.append(3.0)",
                       "Of.j = 2.0", "vars(Has)['v'].v = 3.0", "Bag.__iter__ = lambda self: iter([1.0])",
                       "Cube.forward = staticmethod(lambda ctx, x: x ** 2)"):
            exec(change); show(f(X(3)))""",
    "modules imported inside, attributes of functions, names in text": """
        import sys
        m = sys.modules["settings_of_a_test"] = types.ModuleType("settings_of_a_test"); m.rate, m.__path__ = 1.0, []
        m.sub = sys.modules["settings_of_a_test.sub"] = types.ModuleType("settings_of_a_test.sub"); m.sub.rate = 1.0
        k = 1.0
        def first(x):
            import settings_of_a_test
            return x * settings_of_a_test.rate
        def second(x):
            from settings_of_a_test.sub import rate
            return x * rate
        def third(x): return x * third.rate
        third.rate = 1.0
        fs = [compile(f) for f in (first, second, lambda x: third(x), lambda x: x * globals()["k"],
                                   lambda x: x * eval("k + 1"), lambda x: x * abs(-2.0))]
        for change in ("pass", "m.rate = 2.0", "m.sub.rate = 3.0", "third.rate = 4.0", "k = 5.0", "abs = lambda x: x"):
            exec(change); show([f(X(3)) for f in fs])""",
    "decorated helpers, bound methods, context variables": """
        import contextlib, contextvars
        k, cfg, var = 1.0, {"k": 1.0}, contextvars.ContextVar("var", default=1.0); get = cfg.get
        @tg.no_grad()
        def first(x): return x * k
        @contextlib.contextmanager
        def second(): yield k
        @functools.singledispatch
        def third(x): return x * k
        @functools.lru_cache
        def fourth(): return k
        def within(x):
            with second() as k: return x * k
        fs = [compile(f) for f in (lambda x: first(x), within, lambda x: third(x), lambda x: x * fourth(),
                                   lambda x: x * get("k"), lambda x: x * var.get())]
        for change in ("pass", "k = 2.0; fourth.cache_clear()", "cfg['k'] = 3.0", "var.set(4.0)"):
            exec(change); show([f(X(3)) for f in fs])""",
    "what is not there yet, what is made inside, the order of a dict": """
        class C:
            k = 1.0
            def __init__(self): self.j = self.k
            def __repr__(self): return str(self.k)
        class Config(dict): k = 1.0
        class A: k = 1.0
        class B: k = 2.0
        a, b, c, d, lazy, state = A(), B(), C(), {"a": 1.0, "b": 2.0}, types.ModuleType("lazy"), {"k": 1.0}
        lazy.__getattr__ = lambda name: state["k"]; first = {a: None}
        def named(x):
            try: return x * extra
            except NameError: return x
        def found(x):
            try: return x * c.new
            except AttributeError: return x
        def order(x): return x * next(iter(d.values()))
        fs = [compile(f) for f in (named, found, lambda x: x * C().j, lambda x: x * float(repr(c)),
                                   lambda x: x * lazy.k, order, lambda x: x * next(iter(first)).k)]
        g = compile(lambda x, c: x * getattr(c, "k"))
        for change in ("pass", "extra = 2.0", "C.new = 3.0", "c.k = 4.0", "d['a'] = d.pop('a')",
                       "C.__init__ = lambda self: vars(self).update(j=5.0)", "state['k'] = 6.0",
                       "first.clear(); first[b] = None", "Config.k = 7.0"):
            exec(change); show([f(X(3)) for f in fs], g(X(3), Config()))""",
    "methods that only other methods, or others, call": """
        k = 1.0
        class Base:
            def __init__(self): self.j = k
        class C(Base):
            def __init__(self): super().__init__(); self.log, self.rates = [], [1.0]
            def a(self, x): return getattr(self, "b")(x) if self.j < 0 else C.b(self, x)
            def b(self, x): return self.c(x) * self.rate
            def c(self, x): return x * self.rates[0] * type(self)().j
            @property
            def rate(self): return self.rates[-1]
            @rate.deleter
            def rate(self): self.log.append(k)
            def unused(self): return self.log
        class Net(nn.Module):
            def __init__(self): super().__init__(); self.w, self.ws = nn.Parameter(X(3)), [2.0]
            def parameters(self, recurse=True): yield self.w * self.ws[0]
        class Text(list):
            def write(self, text): self.last = text
        c, net, out = C(), Net(), Text(); out.last = ""
        fs = [compile(f) for f in (lambda x: c.a(x), lambda x: x * C().j, lambda x: x * len(c.log), lambda x: c.c(x),
              lambda x: (x * nn.utils.parameters_to_vector(net.parameters())).detach())]
        for change in ("pass", "k = 2.0", "c.rates[0] = 3.0", "c.rates.append(4.0)", "c.log.append(1)",
                       "C.b = lambda self, x: x * 7", "net.ws[0] = 3.0",
                       "Base.__init__ = lambda self: vars(self).update(j=9.0)"):
            exec(change); show([f(X(3)) for f in fs])""",
    "long lists and dicts of numbers": """
        import math
        table, rows = list(range(20)), [[float(k), 1.0] for k in range(20)]
        names, few, odd = {str(k): 1.0 for k in range(20)}, {1, 2}, [range(k) for k in range(20)]
        fs = [compile(f) for f in (lambda x: x * 1 + tg.tensor(table), lambda x: x * rows[3][1] + tg.tensor(rows).sum(),
              lambda x: x * sum(k * v for k, v in enumerate(names.values())), lambda x: x * tg.tensor(list(few)).sum(),
              lambda x: x * len(odd[3]), lambda x: x * math.copysign(1.0, table[0]) * (2 if table[1] is True else 1))]
        table[0] = 0.0
        for change in ("pass", "table[:] = map(float, table)", "table[1] = True", "rows[3][1] = 2.0", "rows[3][1] = 2",
                       "names['3'] = 2.0", "names['4'] = names.pop('4')", "few.add(3)", "few.remove(1); few.add(1.5)",
                       "odd[3] = range(7)", "table[0] = -0.0", "table.append(1)"):
            exec(change); show(*[f(X(21 if len(table) > 20 else 20)) for f in fs])""",
    "what primitives of one's own read": """
        from tinygrad_edu.graph import primitive
        leak, box, own = 0.1, [1.0], NS(k=1.0)
        def back(g, y, x): return g * box[0]
        leaky = primitive("leaky", lambda x: np.where(x > 0, x, leak * x),
                          lambda g, y, x: np.where(x > 0, g, leak * g), register=False)
        boxed = primitive("boxed", lambda x, k=box: x * k[0], back, register=False)
        held = {"op": primitive("held", lambda x: x * own.k, lambda g, y, x: g * own.k, register=False)}
        cube = primitive("cubed", lambda x: x * x * x, lambda g, y, x: 3 * g * x * x, register=False)
        @compile
        def f(x):
            x.grad = None; cube(held["op"](boxed(leaky(x)))).sum().backward(); return leaky(x) * 1, x.grad
        x, v = X(5).requires_grad_(), Value(-1.0)
        @compile
        def g(k): v.grad = 0.0; y = leaky(v * k) + cube(v); y.backward(); return y.data, v.grad
        for change in ("pass", "leak = 0.5", "box[0] = 3.0", "own.k = 4.0",
                       "leaky.fn = leaky.scalar = lambda x: np.where(x > 0, x, -x)"):
            exec(change); show(f(x), f(x), g(1.0), g(2.0))""",
    "generators that are not drawn from": """
        import random
        made = [random.Random(0), random.SystemRandom(), np.random.RandomState(0),
                np.random.Generator(np.random.MT19937(0))]
        f = compile(lambda x, noisy=False: x + made[0].random() + made[1].random() if noisy else x * len(made))
        for k in range(2): show(f(X(3)))""",
}
REFUSED = {
    "a list that grows": (r"the function changes seen .*seen\.append", """
        seen = []
        @compile
        def f(x):
            seen.append(1)
            return x.sum() * len(seen)
        f(X(3))"""),
    "a number put away": (r"the function changes log .*log\[.last", """
        log = {}
        @compile
        def f(x):
            log["last"] = x.sum().item()
            return x * 2
        f(X(3))"""),
    "a counter": (r"the function changes self\.n .*self\.n \+= 1", """
        class C:
            n = 0
            def f(self, x):
                self.n += 1
                return x * self.n
        c = C(); c.n = 1; compile(c.f)(X(3))"""),
    "a default that grows": ("the function changes the defaults of f", """
        def f(x, seen=[]):
            seen.append(0)
            return x * len(seen)
        compile(f)(X(3))"""),
    "a Value's history": (r"the function changes seen .*seen\.append", """
        v, seen = Value(1.0), []
        @compile
        def f():
            y = v * v; y.backward()
            seen.append(y.data)
            return y
        f()"""),
    "a rate that decays inside": (r"changes rule\.param_groups\[0\]\['lr'\] .*\*= 0\.9", """
        w = X(3).requires_grad_(); rule = optim.SGD([w], 0.1)
        @compile
        def f(x):
            w.grad = None; (w * x).sum().backward(); rule.step()
            rule.param_groups[0]["lr"] *= 0.9
        f(X(3))"""),
    "an optimiser of one's own that counts": (r"the function changes rule\.t .*self\.t \+= 1", """
        class Rule(optim.Optimizer):
            t = 0
            def __init__(self, ps): super().__init__(ps, {}); self.t = 0
            def step(self):
                self.t += 1
        w = X(3).requires_grad_(); rule = Rule([w])
        compile(lambda x: rule.step())(X(3))"""),
    "a state that is a tensor": (r"the function changes m\.h .*self\.h =", """
        class M(nn.Module):
            def __init__(self): super().__init__(); self.h = X(3)
            def forward(self, x):
                self.h = (self.h + x).tanh()
                return self.h
        m = M(); compile(lambda x: m(x).detach())(X(3))"""),
    "an iterator": (r"an iterator \(numbers\).*next\(numbers\)", """
        numbers = itertools.count()
        f = compile(lambda x: x * next(numbers))
        f(X(3))"""),
    "a generator of one's own": ("random numbers from elsewhere", """
        rng = np.random.default_rng(0)
        compile(lambda x: x * rng.normal())(X(3))"""),
    "a generator of NumPy's old kind": ("random numbers from elsewhere", """
        rng = np.random.RandomState(0)
        compile(lambda x: x * rng.uniform())(X(3))"""),
    "a generator's state in arrays": ("random numbers from elsewhere", """
        rng = np.random.Generator(np.random.MT19937(0))
        compile(lambda x: x * rng.uniform())(X(3))"""),
    "a generator's method": ("random numbers from elsewhere", """
        import random
        draw = random.Random(0).random
        compile(lambda x: x * draw())(X(3))"""),
    "a list's method": (r"the function changes put .*put\(1\)", """
        seen = []; put = seen.append
        @compile
        def f(x):
            put(1)
            return x * 2
        f(X(3))"""),
    "a counter under a tensor": (r"the function changes steps .*steps\[w\] \+= 1", """
        w = X(3); steps = {w: 0}
        @compile
        def f(x):
            steps[w] += 1
            return x * steps[w]
        f(X(3))"""),
    "a momentum in a list": (r"the function changes v\[0\] .*v\[i\] = 0\.9", """
        ws, v = [Value(1.0), Value(2.0)], [0.0, 0.0]
        @compile
        def f(x):
            y = (ws[0] * ws[1] * x) ** 2
            y.backward()
            for i, w in enumerate(ws):
                g, w.grad = w.grad, 0.0
                v[i] = 0.9 * v[i] + g
                w.data -= 0.1 * v[i]
            return y
        f(1.0)"""),
    "an attribute by name": (r"the function changes c\.k0 .*setattr", """
        c = NS(k0=2.0)
        @compile
        def f(x):
            setattr(c, "k0", 1.0 + getattr(c, "k0"))
            return x * 2
        f(X(3))"""),
    "a list that grows where an attribute is deleted": (r"the function changes c\.log .*self\.log\.append", """
        class C:
            def __init__(self): self.log = []
            @property
            def k(self): return 1.0
            @k.deleter
            def k(self): self.log.append(1)
        c = C()
        @compile
        def f(x):
            del c.k
            return x * 2
        f(X(3))"""),
    "what is printed into an object": (r"the function changes out\.texts .*self\.texts\.append", """
        class Out:
            def __init__(self): self.texts = []
            def write(self, text): self.texts.append(text)
        out = Out()
        @compile
        def f(x):
            print("here", file=out)
            return x * 2
        f(X(3))"""),
    "a list that a hook fills": (r"the function changes norms .*norms\.append", """
        w = X(3).requires_grad_(); norms = []
        w.register_hook(lambda g: norms.append(1))
        @compile
        def f(x): w.grad = None; (w * x).sum().backward()
        f(X(3))"""),
    "a hook's own count": (r"the function changes .*\.n .*self\.n \+= 1", """
        class Count:
            n = 0
            def __init__(self): self.n = 0
            def __call__(self, g): self.n += 1
        f = compile(lambda x: (x * x).sum().backward())
        x = X(3).requires_grad_(); x.register_hook(Count()); f(x)"""),
    "a counter of a function": (r"the function changes h\.n .*h\.n \+= 1", """
        def h(x):
            h.n += 1
            return x * 2
        h.n = 0; compile(lambda x: h(x))(X(3))"""),
    "a counter behind a property": (r"the function changes c\._k .*self\._k =", """
        class C:
            def __init__(self): self._k = 2.0
            @property
            def k(self): return 1.0
            @k.setter
            def k(self, x):
                self._k = self._k + x
        c = C()
        @compile
        def f(x):
            c.k = 1.0
            return x * 2
        f(X(3))"""),
    "an array changed by NumPy": (r"a change of the array a by NumPy .*a \+= 1", """
        def f(a, x):
            a += 1
            return x * tg.tensor(a)
        compile(f)(np.zeros(3), X(3))"""),
    "a number of an array that also takes part": (r"a number that NumPy computed .*x \* a \* a\.max", """
        a = np.ones(3)
        compile(lambda x: x * a * a.max())(X(3))"""),
    "the inside of an optimiser": ("an optimiser, or another function called as a whole, has just made", """
        w = X(3).requires_grad_(); rule = optim.SGD([w], 0.1, momentum=0.9)
        @compile
        def f(x):
            w.grad = None; (w * x).sum().backward(); rule.step()
            return [v["momentum_buffer"] * 1 for v in rule.state.values()]
        rule.state; f(X(3))"""),
    "weights loaded inside": ("a change of b_weight in a way that is not captured", """
        a, b = nn.Linear(3, 2), nn.Linear(3, 2)
        @compile
        def f(x): b.load_state_dict(a.state_dict()); return b(x).detach()
        f(tg.ones(1, 3))"""),
    "weights drawn inside": ("nn.init inside", "compile(lambda x: nn.Linear(3, 2)(x).detach())(tg.ones(1, 3))"),
    "a graph from outside": ("the backward pass reaches what was computed outside", """
        w = X(3).requires_grad_(); y = w * 2
        @compile
        def f(x): (y * x).sum().backward(); return w.grad
        f(X(3))"""),
    "a generator function": ("a result of type generator", """
        def f(x): yield x * 2
        compile(f)(X(3))"""),
    "looking for a nan": ("detect_anomaly", """
        @compile
        def f(x):
            with tg.autograd.detect_anomaly(): return x * 2
        f(X(3))"""),
}


def numbers(x):
    """What is in ``x``, as plain numbers."""
    if isinstance(x, (list, tuple)):
        return [numbers(item) for item in x]
    return x.detach().numpy().copy() if isinstance(x, tg.Tensor) else float(x.data) if isinstance(x, Value) else x


def run(name: str, text: str, compiled) -> list:
    """Everything that a program shows."""
    shown: list = []
    lines = text.split("\n")[text.startswith("\n"):]
    text = "\n".join(line[8:] if line.startswith(" " * 8) else line for line in lines) + "\n"
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    tg.manual_seed(0)
    space = {"__name__": "program", "tg": tg, "nn": nn, "optim": optim, "np": np, "Value": Value, "copy": copy,
             "functools": functools, "threading": threading, "itertools": itertools, "types": types,
             "NS": types.SimpleNamespace, "compile": compiled, "show": lambda *xs: shown.append(numbers(xs)),
             "X": lambda *shape, seed=0: tg.tensor(np.random.default_rng(seed).normal(size=shape)),
             "I": lambda n: tg.arange(1, n + 1)}
    exec(builtin_compile(text, file, "exec"), space)
    return shown


builtin_compile = compile


def same(a, b) -> bool:
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.allclose(a, b, rtol=1e-12, atol=1e-14)
    return a == b or abs(a - b) <= 1e-12 * abs(a)


@pytest.mark.filterwarnings("ignore:.*now runs as it is:RuntimeWarning")
@pytest.mark.parametrize("name", RIGHT)
def test_what_changes_around_a_compiled_function_is_seen(name):
    plain, compiled = (run(name, RIGHT[name], how) for how in (lambda f: f, tg.compile))
    assert len(plain) == len(compiled) > 0
    for k, (a, b) in enumerate(zip(plain, compiled, strict=True)):
        assert same(a, b), f"what is shown {k + 1}th"


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_replay_would_not_repeat_is_refused_by_its_line(name):
    match, text = REFUSED[name]
    run(name, text, lambda f: f)                      # without compile it is a program like any other
    with pytest.raises(CaptureError, match=match):
        run(name, text, tg.compile)
