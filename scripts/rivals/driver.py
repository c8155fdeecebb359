"""Python rivals, one line of JSON in, one out. `open` prepares a kind of work on .npy inputs, `sample` times calls of it.

One thread each. A kind whose packages are not installed answers {"absent": reason}.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import json
import sys
import time

import numpy as np

KINDS = {}
WORKS = {}


def kind(make):
    KINDS[make.__name__] = make
    return make


@kind
def numpy_gemm(load, p):
    a, b = load("a"), load("b")
    return lambda: a @ b


@kind
def numpy_sum(load, p):
    x, y = load("x"), load("y")
    return lambda: np.dot(x, y)


@kind
def numpy_gemv(load, p):
    a, x = load("a"), load("x")
    return lambda: a @ x


@kind
def numpy_sort(load, p):
    x = load("x")
    return lambda: np.sort(x)


@kind
def numpy_argsort(load, p):
    x = load("x")
    return lambda: np.argsort(x, kind="stable")


@kind
def numpy_topk(load, p):
    x, k = load("x"), p["k"]
    return lambda: np.sort(x[np.argpartition(x, len(x) - k)[len(x) - k :]])[::-1]


@kind
def pot_sinkhorn(load, p):
    import ot

    cost = load("cost")
    n, m = cost.shape
    a, b = np.full(n, 1 / n, cost.dtype), np.full(m, 1 / m, cost.dtype)
    options = {"numItermax": p["iterations"], "stopThr": 0, "warn": False, "verbose": False}
    if p["method"] == "log":
        return lambda: ot.bregman.sinkhorn_log(a, b, cost, p["epsilon"], **options)
    return lambda: ot.sinkhorn(a, b, cost, p["epsilon"], method="sinkhorn", **options)


def weights_of(load, p, cost):
    if p.get("weights"):
        return load("a"), load("b")
    n, m = cost.shape
    return np.full(n, 1 / n, cost.dtype), np.full(m, 1 / m, cost.dtype)


def iterations_to(a, b, kernel, error):
    """Iterations of v = b / (K'u), u = a / (Kv) from ones until the L1 error of the column marginal is met; None where that is hopeless."""
    u, v = np.full(len(a), 1 / len(a), a.dtype), np.full(len(b), 1 / len(b), a.dtype)
    for count in range(1, 100_001):
        product = kernel.T @ u
        if count > 1 and count % 10 == 1 and np.abs(v * product - b).sum() <= error:
            return count - 1
        v = b / product
        u = a / (kernel @ v)
        if not (np.isfinite(u).all() and np.isfinite(v).all()):
            return None
    return None


@kind
def pot_to_error(load, p):
    """POT run for as many iterations as reach the error, without checks on the way; `fastest`: of the methods that reach it."""
    import ot

    cost = load("cost")
    a, b = weights_of(load, p, cost)
    count = iterations_to(a, b, np.exp(-cost / p["epsilon"]).astype(cost.dtype), p["error"])
    options = {"numItermax": count, "stopThr": 0, "warn": False, "verbose": False}
    finish = (lambda plan: np.array([(plan * cost).sum()])) if p.get("value") else (lambda plan: plan)
    if count is None:  # the kernel underflows: only the log domain goes on
        options["numItermax"] = 10_000
        return lambda: finish(ot.bregman.sinkhorn_log(a, b, cost, p["epsilon"], **{**options, "stopThr": p["error"]}))
    return lambda: finish(ot.sinkhorn(a, b, cost, p["epsilon"], method="sinkhorn", **options))


@kind
def pot_stabilized(load, p):
    import ot

    cost = load("cost")
    a, b = weights_of(load, p, cost)

    def work():
        ot.bregman.sinkhorn_stabilized(a, b, cost, p["epsilon"], numItermax=p["iterations"], stopThr=p["tolerance"], warn=False)

    return work


@kind
def pot_line(load, p):
    import ot

    x, y = load("x"), load("y")
    return lambda: float(ot.wasserstein_1d(x, y, p=1))


@kind
def pot_sliced(load, p):
    import ot

    x, y, directions = load("x"), load("y"), load("directions").T
    return lambda: float(ot.sliced_wasserstein_distance(x, y, projections=directions))


@kind
def scipy_assignment(load, p):
    from scipy.optimize import linear_sum_assignment

    cost = load("cost")
    return lambda: float(cost[linear_sum_assignment(cost)].sum())


@kind
def pot_emd(load, p):
    import ot

    cost = load("cost").astype("float64")
    n, m = cost.shape
    a, b = np.full(n, 1 / n), np.full(m, 1 / m)
    return lambda: float(ot.emd2(a, b, cost, numItermax=10_000_000))


@kind
def p2ot_published(load, p):
    """The published scaling iteration of P2OT in float64, for the iterations that an error needs, without checks on the way."""
    logits = load("logits").astype("float64")
    n, k = logits.shape
    rho, eps, lam = p["mass"], p["epsilon"], p["penalty"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    cost = np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted
    cost = np.concatenate([cost, np.zeros((n, 1))], axis=1)
    kernel = np.exp(-cost / eps)
    pa, pb = np.full(n, 1 / n), np.concatenate([np.full(k, rho / k), [1 - rho]])
    exponent = np.concatenate([np.full(k, lam / (lam + eps)), [1.0]])

    def iterate(b):
        a = pa / (kernel @ b)
        return a, (pb / (a @ kernel)) ** exponent

    def error(b):
        """L1 distance of the column masses to what their penalty wants there: rho * softmax(-potential / lambda)."""
        masses = b * ((pa / (kernel @ b)) @ kernel)
        potential = eps * np.log(b[:k] / b[k])
        wanted = np.exp((potential.min() - potential) / lam)
        return np.abs(masses[:k] - rho * wanted / wanted.sum()).sum() + abs(masses[k] - (1 - rho))

    start = np.full(k + 1, 1 / (k + 1))
    count, b = 0, start
    while error(b) > p["error"]:
        for _ in range(25):
            b = iterate(b)[1]
        count += 25
    print("P2OT, mass", rho, "published iterations:", count)

    def work():
        b = start
        for _ in range(count):
            a, b = iterate(b)
        return (a[:, None] * kernel * b)[:, :k]

    return work


@kind
def numpy_mfac_build(load, p):
    import scipy.linalg as la

    g, lam = load("g"), p["damping"]
    m, _ = g.shape

    def work():
        k = (g @ g.T).astype("float64") + m * lam * np.eye(m)
        low = np.linalg.cholesky(k).astype("float32")
        u = la.solve_triangular(low, g, lower=True, check_finite=False)
        return (1 - (u * u).sum(axis=0)) / lam

    return work


@kind
def numpy_two_products(load, p):
    """The two products of a dynamic M-FAC update on a window [m, d]: W g and its transpose times the coefficients."""
    rng = np.random.default_rng(0)
    window = rng.standard_normal((p["rows"], p["cols"]), dtype=np.float32)
    g = rng.standard_normal(p["cols"], dtype=np.float32)
    return lambda: (window.T @ (window @ g))[:0]


@kind
def numpy_mfac_recurrence(load, p):
    """M-FAC as published: one gradient after the other, each a matrix-vector product with the rows before it."""
    g, lam = load("g"), p["damping"]
    m, d = g.shape

    def work():
        v = np.empty_like(g)
        q = np.empty(m, g.dtype)
        diagonal = np.full(d, 1 / lam, g.dtype)
        for i in range(m):
            v[i] = g[i] / lam - (v[:i] @ g[i] / q[:i]) @ v[:i] if i else g[i] / lam
            q[i] = m + g[i] @ v[i]
            diagonal -= v[i] * v[i] / q[i]
        return diagonal

    return work


@kind
def torch_diffsort(load, p):
    """A sorting network with the Cauchy relaxation by index swaps (no dense layer products), forward and backward."""
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(load("x"))
    batch, n = x.shape
    weight = torch.from_numpy(load("w"))
    layers = [tuple(torch.tensor(layer).T) for layer in p["layers"]]

    def work():
        v = x.clone().requires_grad_(True)
        y = v
        matrix = torch.eye(n).repeat(batch, 1, 1) if p["matrix"] else None
        for i, j in layers:
            low, high = y[:, i], y[:, j]
            a = torch.atan(p["steepness"] * (high - low)) / np.pi + 0.5
            y = y.clone()
            y[:, i] = a * low + (1 - a) * high
            y[:, j] = (1 - a) * low + a * high
            if matrix is not None:
                top, bottom, s = matrix[:, i], matrix[:, j], a[:, :, None]
                matrix = matrix.clone()
                matrix[:, i] = s * top + (1 - s) * bottom
                matrix[:, j] = (1 - s) * top + s * bottom
        loss = (matrix * weight).sum() if matrix is not None else (y * weight).sum()
        loss.backward()
        return v.grad.numpy()

    return work


@kind
def torch_diffsort_dense(load, p):
    """The same network as the paper writes it: every layer a product with dense n x n matrices, forward and backward."""
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(load("x"))
    batch, n = x.shape
    weight = torch.from_numpy(load("w"))
    eye = torch.eye(n)
    layers = []
    for pairs in p["layers"]:
        low, high = torch.tensor(pairs).T
        rest = torch.ones(n)
        rest[low] = rest[high] = 0
        layers.append((low, high, eye[low], eye[high], torch.diag(rest)))

    def work():
        v = x.clone().requires_grad_(True)
        y, matrix = v, eye.repeat(batch, 1, 1)
        for low, high, from_low, from_high, rest in layers:
            a = torch.atan(p["steepness"] * (y[:, high] - y[:, low])) / np.pi + 0.5
            keep, cross = a[:, :, None], 1 - a[:, :, None]
            upper = keep * from_low + cross * from_high
            lower = cross * from_low + keep * from_high
            layer = rest + from_low.T @ upper + from_high.T @ lower
            y = (layer @ y[:, :, None])[:, :, 0]
            matrix = layer @ matrix
        loss = (matrix * weight).sum()
        loss.backward()
        return v.grad.numpy()

    return work


@kind
def torch_group_ordering(load, p):
    """GroCo's loss of score lists with the permutation matrix formed by dense layers, as published, forward and backward."""
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(load("x"))
    batch, n = x.shape
    front = p["negatives"]
    target = (torch.arange(n) < front).float().repeat(batch, 1)
    eye = torch.eye(n)
    layers = [torch.tensor(pairs).T for pairs in p["layers"]]

    def work():
        v = x.clone().requires_grad_(True)
        y, matrix = v, eye.repeat(batch, 1, 1)
        for low, high in layers:
            rest = torch.ones(n)
            rest[low] = rest[high] = 0
            a = torch.atan(y[:, high] - y[:, low]) / np.pi + 0.5
            keep, cross = a[:, :, None], 1 - a[:, :, None]
            upper, lower = keep * eye[low] + cross * eye[high], cross * eye[low] + keep * eye[high]
            layer = torch.diag(rest) + eye[low].T @ upper + eye[high].T @ lower
            y = (layer @ y[:, :, None])[:, :, 0]
            matrix = layer @ matrix
        share = matrix[:, :front].sum(1).clamp(0, 1)
        torch.nn.functional.binary_cross_entropy(share, target).backward()
        return v.grad.numpy()

    return work


@kind
def torch_soft_topk(load, p):
    """Sigmoid soft top-k by 32 bisections."""
    import torch

    torch.set_num_threads(1)
    x = torch.from_numpy(load("x"))
    k, alpha, margin = p["k"], p["alpha"], (10 + np.log(x.shape[1])) / p["alpha"]

    def work():
        low, high = -x.max(1, keepdim=True).values - margin, -x.min(1, keepdim=True).values + margin
        for _ in range(32):
            t = (low + high) / 2
            below = torch.sigmoid(alpha * (x + t)).sum(1, keepdim=True) < k
            low, high = torch.where(below, t, low), torch.where(below, high, t)
        return torch.sigmoid(alpha * (x + (low + high) / 2)).numpy()

    return work


def torch_model(path):
    """The forward pass of an ONNX model in PyTorch, its float initializers as parameters in file order. Node by node, as
    the file has it: normalizations that exporters write out stay written out."""
    import onnx
    import torch
    import torch.nn.functional as F
    from onnx import helper, numpy_helper

    torch.set_num_threads(1)
    graph = onnx.load(path).graph
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    attributes = [{a.name: helper.get_attribute_value(a) for a in node.attribute} for node in graph.node]
    constants = {
        node.output[0]: torch.from_numpy(numpy_helper.to_array(at["value"]).copy())
        for node, at in zip(graph.node, attributes)
        if node.op_type == "Constant"
    }

    def padded(x, pads, fill=0.0):
        return F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=fill) if any(pads) else x

    def conv(at, x, w, b=None):
        pads = at.get("pads", [0, 0, 0, 0])
        even = pads[:2] == pads[2:]
        return F.conv2d(x if even else padded(x, pads), w, b, at.get("strides", 1), pads[:2] if even else 0, at.get("dilations", 1), at.get("group", 1))

    def mean(at, x, axes=None):
        return x.mean(at["axes"] if axes is None else axes.tolist(), keepdim=bool(at.get("keepdims", 1)))

    def divide(at, x, y):
        return torch.div(x, y, rounding_mode=None if x.is_floating_point() else "trunc")

    ops = {
        "Conv": conv,
        "Gemm": lambda at, x, w, b: F.linear(x, w if at.get("transB") else w.T, b),
        "MatMul": lambda at, x, y: x @ y,
        "Relu": lambda at, x: F.relu(x),
        "Tanh": lambda at, x: torch.tanh(x),
        "Erf": lambda at, x: torch.erf(x),
        "Sqrt": lambda at, x: torch.sqrt(x),
        "Softmax": lambda at, x: F.softmax(x, at.get("axis", -1)),
        "Add": lambda at, x, y: x + y,
        "Sub": lambda at, x, y: x - y,
        "Mul": lambda at, x, y: x * y,
        "Div": divide,
        "Pow": lambda at, x, y: x ** y.item(),
        "ReduceMean": mean,
        "MaxPool": lambda at, x: F.max_pool2d(padded(x, at.get("pads", [0] * 4), -float("inf")), at["kernel_shape"], at.get("strides")),
        "GlobalAveragePool": lambda at, x: x.mean((2, 3), keepdim=True),
        "Flatten": lambda at, x: x.flatten(1),
        "Transpose": lambda at, x: x.permute(at["perm"]),
        "Reshape": lambda at, x, shape: x.reshape(shape.tolist()),
        "Squeeze": lambda at, x, axes: x.squeeze(axes.item()),
        "Unsqueeze": lambda at, x, axes: x.unsqueeze(axes.item()),
        "Concat": lambda at, *xs: torch.cat(xs, at["axis"]),
        "Shape": lambda at, x: torch.tensor(x.shape),
        "Gather": lambda at, x, i: x[i] if at.get("axis", 0) == 0 else torch.index_select(x, at["axis"], i),
        "Cast": lambda at, x: x.to({1: torch.float32, 7: torch.int64}[at["to"]]),
    }
    missing = {node.op_type for node in graph.node} - set(ops) - {"Constant"}
    if missing:
        raise ImportError(f"no PyTorch form of {', '.join(sorted(missing))} here")

    def forward(x, w):
        env = {**constants, **w, graph.input[0].name: x, "": None}
        for node, at in zip(graph.node, attributes):
            if node.op_type != "Constant":
                env[node.output[0]] = ops[node.op_type](at, *(env[name] for name in node.input))
        return env[graph.output[0].name]

    return forward, weights


@kind
def torch_onnx(load, p):
    import torch

    forward, weights = torch_model(p["path"])
    x, y = torch.from_numpy(load("x")), torch.from_numpy(load("y").astype("int64"))
    names = [name for name in p["slots"]]
    sizes = [weights[name].numel() for name in names]
    direction = torch.from_numpy(load("v"))
    parts = [part.reshape(weights[name].shape) for name, part in zip(names, torch.split(direction, sizes))]
    if p["what"] == "forward":

        def work():
            with torch.no_grad():
                return forward(x, weights).numpy()

        return work

    def loss_gradient(create):
        w = {**weights, **{name: weights[name].detach().requires_grad_(True) for name in names}}
        loss = torch.nn.functional.cross_entropy(forward(x, w), y)
        chosen = [w[name] for name in names]
        return chosen, torch.autograd.grad(loss, chosen, create_graph=create)

    def flat(parts):
        return np.concatenate([part.detach().numpy().ravel() for part in parts])

    if p["what"] == "gradient":
        return lambda: flat(loss_gradient(False)[1])

    def hvp():
        chosen, grads = loss_gradient(True)
        return flat(torch.autograd.grad(sum((g * v).sum() for g, v in zip(grads, parts)), chosen))

    return hvp


def answer(message):
    command = message["command"]
    if command == "open":
        folder = message["folder"]
        work = KINDS[message["kind"]](lambda name: np.load(os.path.join(folder, name + ".npy")), message["params"])
        result = work()
        np.save(os.path.join(folder, message["id"] + ".result.npy"), np.zeros(0) if result is None else np.asarray(result))
        WORKS[message["id"]] = work
        return {}
    if command == "close":
        WORKS.pop(message["id"], None)
        return {}
    if command == "versions":
        found = {"python": sys.version.split()[0], "numpy": np.__version__}
        for module, name in (("scipy", "scipy"), ("torch", "torch"), ("ot", "POT")):
            try:
                found[name] = __import__(module).__version__
            except ImportError:
                found[name] = "absent"
        return found
    work, calls = WORKS[message["id"]], message["calls"]
    start = time.process_time()
    for _ in range(calls):
        work()
    return {"milliseconds": (time.process_time() - start) * 1000}


replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever a package prints goes to stderr
for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except ImportError as error:
        reply = {"absent": str(error)}
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    replies.write(json.dumps(reply) + "\n")
    replies.flush()
