"""Whole architectures as ONNX files, each with its gradient and one Hessian product by double-precision PyTorch.

Usage: export.py FOLDER [NAME ...]      (Debian: python3-torch python3-torchvision python3-onnx python3-numpy)
Writes FOLDER/NAME.onnx and FOLDER/NAME.npz: x, y, loss, v/PARAMETER (±1), grad/PARAMETER, hvp/PARAMETER (float32 of float64 values).
Weights are random (seed 0) and exact in float32; batch norms keep their statistics (of two random batches) and their node.
"""

import sys
import time

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F


class UNet(nn.Module):
    """Three levels; up by transposed convolution, by nearest and by bilinear resizing; one logit map of 5 classes."""

    def __init__(self, width=12):
        super().__init__()

        def block(i, o):
            return nn.Sequential(
                nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.SiLU()
            )

        w = width
        self.down = nn.ModuleList([block(3, w), block(w, 2 * w), block(2 * w, 4 * w)])
        self.bottom = block(4 * w, 8 * w)
        self.up2 = nn.ConvTranspose2d(8 * w, 4 * w, 2, stride=2)
        self.side = nn.ModuleList([block(8 * w, 4 * w), block(6 * w, 2 * w), block(3 * w, w)])
        self.head = nn.Conv2d(w, 5, 1)

    def forward(self, x):
        a = self.down[0](x)
        b = self.down[1](F.max_pool2d(a, 2))
        c = self.down[2](F.avg_pool2d(b, 2))
        d = self.bottom(F.max_pool2d(c, 2))
        u = self.side[0](torch.cat([self.up2(d), c], 1))
        u = self.side[1](torch.cat([F.interpolate(u, scale_factor=2, mode='nearest'), b], 1))
        u = self.side[2](torch.cat([F.interpolate(u, scale_factor=2, mode='bilinear', align_corners=False), a], 1))
        return self.head(u)


class Encoder(nn.Module):
    """Four pre-norm layers at d = 128 with four heads over 16 tokens, a class token, a head."""

    def __init__(self, d=128, heads=4, layers=4, classes=10, vocabulary=50, tokens=16):
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(vocabulary, d)
        self.place = nn.Parameter(torch.randn(1, tokens + 1, d) * 0.1)
        self.token = nn.Parameter(torch.randn(1, 1, d) * 0.1)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    'n1': nn.LayerNorm(d),
                    'qkv': nn.Linear(d, 3 * d),
                    'out': nn.Linear(d, d),
                    'n2': nn.LayerNorm(d),
                    'f1': nn.Linear(d, 4 * d),
                    'f2': nn.Linear(4 * d, d),
                }
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, classes)

    def forward(self, ids):
        x = self.embed(ids)
        n, t, d = x.shape
        x = torch.cat([self.token.expand(n, -1, -1), x], 1) + self.place
        for layer in self.layers:
            q, k, v = layer['qkv'](layer['n1'](x)).view(n, t + 1, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
            a = (q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5).softmax(-1) @ v
            x = x + layer['out'](a.transpose(1, 2).reshape(n, t + 1, d))
            x = x + layer['f2'](F.gelu(layer['f1'](layer['n2'](x))))
        return self.head(self.norm(x)[:, 0])


class Recurrent(nn.Module):
    """A bidirectional LSTM over 32 steps, the last states to a head."""

    def __init__(self, inputs=8, hidden=24, classes=6):
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x):
        h, _ = self.lstm(x)
        return self.head(h[:, -1])


class Detector(nn.Module):
    """A small backbone and an anchor-free head: sigmoid centres, exponential sizes, everything in one [n, boxes, 4 + classes] tensor."""

    def __init__(self, width=16, classes=4):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.1), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.Hardswish())
        self.deep = nn.Sequential(nn.Conv2d(2 * width, 2 * width, 3, 2, 1), nn.Mish())
        self.heads = nn.ModuleList([nn.Conv2d(2 * width, 4 + classes, 1), nn.Conv2d(2 * width, 4 + classes, 1)])

    def forward(self, x):
        a = self.stem(x)
        b = self.deep(a)
        rows = []
        for scale, head, f in ((8.0, self.heads[0], a), (16.0, self.heads[1], b)):
            n, c, h, w = f.shape
            p = head(f).permute(0, 2, 3, 1).reshape(n, h * w, -1)
            rows.append(torch.cat([torch.sigmoid(p[..., :2]) * 2 - 0.5, torch.exp(p[..., 2:4]) * scale * 0.05, p[..., 4:]], -1))
        return torch.cat(rows, 1)


def vision(name, **kw):
    return lambda: getattr(torchvision.models, name)(num_classes=10, **kw)


def video():
    return torchvision.models.video.r3d_18(num_classes=10)


def normal(*shape):
    return lambda n: torch.randn(n, *shape)


# name: (model, input, batch, classes or None for a squared error)
MODELS = {
    'resnet18': (vision('resnet18'), normal(3, 64, 64), 2, 10),
    'mobilenet-v2': (vision('mobilenet_v2'), normal(3, 64, 64), 2, 10),
    'mobilenet-v3': (vision('mobilenet_v3_small'), normal(3, 64, 64), 2, 10),
    'efficientnet-b0': (vision('efficientnet_b0'), normal(3, 64, 64), 2, 10),
    'densenet121': (vision('densenet121'), normal(3, 64, 64), 2, 10),
    'shufflenet-v2': (vision('shufflenet_v2_x0_5'), normal(3, 64, 64), 2, 10),
    'convnext-t': (vision('convnext_tiny'), normal(3, 64, 64), 2, 10),
    'swin-t': (vision('swin_t'), normal(3, 64, 64), 2, 10),
    'resnet3d-18': (video, normal(3, 4, 32, 32), 2, 10),
    'unet': (UNet, normal(3, 32, 32), 2, 5),
    'encoder': (Encoder, lambda n: torch.randint(0, 50, (n, 16)), 4, 10),
    'lstm': (Recurrent, normal(32, 8), 4, 6),
    'detector': (Detector, normal(3, 32, 32), 2, None),
}


def settle(model, x):
    """Running statistics away from 0 and 1, and no two parameters alike (the exporter merges those)."""
    model.train()
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 1 or p.std() <= 1e-3 * p.abs().mean():
                p.add_(0.1 * torch.randn_like(p))
        for _ in range(2):
            model(x() if x().dtype == torch.int64 else x() * 1.3 + 0.1)
    model.eval()


def main(folder, names):
    torch.set_num_threads(1)
    for name in names or MODELS:
        torch.manual_seed(0)
        make, draw, n, classes = MODELS[name]
        model = make()
        settle(model, lambda: draw(4))
        x = draw(n)
        path = f'{folder}/{name}'
        torch.onnx.export(
            model, x, path + '.onnx', opset_version=16, input_names=['x'], output_names=['logits'], dynamic_axes={'x': {0: 'N'}, 'logits': {0: 'N'}},
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        )
        # This PyTorch has no second derivative of its own hard functions: the same ones from clamps.
        kept = F.hardsigmoid, F.hardswish
        F.hardsigmoid = lambda t, inplace=False: F.relu6(t + 3) / 6
        F.hardswish = lambda t, inplace=False: t * F.relu6(t + 3) / 6
        model = model.double()
        wide = x.double() if x.is_floating_point() else x
        logits = model(wide)
        if classes is None:
            y = torch.randn(logits.shape).float()
            loss = F.mse_loss(logits, y.double())
        else:
            y = torch.randint(0, classes, (logits.shape[0], *logits.shape[2:]))
            loss = F.cross_entropy(logits, y)
        parameters = dict(model.named_parameters())
        start = time.time()
        grad = torch.autograd.grad(loss, list(parameters.values()), create_graph=True, allow_unused=True)
        v = {k: (torch.randint(0, 2, p.shape) * 2 - 1).double() for k, p in parameters.items()}
        used = [(k, g) for k, g in zip(parameters, grad) if g is not None]
        hvp = torch.autograd.grad([g for _, g in used], [parameters[k] for k, _ in used], [v[k] for k, _ in used], allow_unused=True)
        arrays = {'x': x.numpy(), 'y': y.numpy(), 'loss': np.array([loss.item()])}
        for (k, g), h in zip(used, hvp):
            arrays['v/' + k] = v[k].numpy().astype(np.int8)
            arrays['grad/' + k] = g.detach().numpy().astype(np.float32)
            arrays['hvp/' + k] = (torch.zeros_like(g) if h is None else h).numpy().astype(np.float32)
        F.hardsigmoid, F.hardswish = kept
        np.savez(path + '.npz', **arrays)
        print(name, sum(p.numel() for p in parameters.values()), f'{loss.item():.6f}', f'{time.time() - start:.1f} s', flush=True)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
