"""MIMIC's multiview masked autoencoder and plain MAE in PyTorch, as twins of covista's for parity.

Written from the published descriptions (Marathe et al. 2023; He et al. 2022; Weinzaepfel et al. 2022); parameter
names and shapes are those of released checkpoints.

    python torch_mae.py fixture OUT.safetensors --kind mimic|mae --size atom|micro|tiny|base --seed 0 [--image 224 --patch 16]
        random weights, two images, a mask, and what a port should match
"""
import argparse
import json

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {  # encoder dim, depth, heads; decoder dim, depth, heads
    "atom": (12, 2, 2, 16, 1, 2),
    "micro": (64, 2, 2, 48, 1, 3),
    "tiny": (192, 4, 3, 128, 2, 4),
    "base": (768, 12, 12, 512, 8, 16),
}


def position_table(dim, grid):
    """[1, 1 + grid * grid, dim]: a row of zeros for the class token; per patch sines and cosines of x, then of y."""
    rows = [torch.zeros(dim, dtype=torch.float64)]
    k = torch.arange(dim // 4, dtype=torch.float64)
    speed = 1.0 / 10000.0 ** (k / (dim / 4))
    for y in range(grid):
        for x in range(grid):
            rows.append(torch.cat([(x * speed).sin(), (x * speed).cos(), (y * speed).sin(), (y * speed).cos()]))
    return torch.stack(rows).float()[None]


def multi_head(q, k, v, heads):
    """Softmax attention written out; [batch, tokens, dim] each."""
    b, n, dim = q.shape
    d = dim // heads
    q, k, v = (t.reshape(b, t.shape[1], heads, d).permute(0, 2, 1, 3) for t in (q, k, v))
    weights = torch.softmax(q @ k.transpose(2, 3) / d**0.5, 3)
    return (weights @ v).permute(0, 2, 1, 3).reshape(b, n, dim)


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = self.qkv(x).split(x.shape[2], 2)
        return self.proj(multi_head(q, k, v, self.heads))


class CrossAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.projq = nn.Linear(dim, dim)
        self.projk = nn.Linear(dim, dim)
        self.projv = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, y):
        return self.proj(multi_head(self.projq(x), self.projk(y), self.projv(y), self.heads))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim * 4)
        self.fc2 = nn.Linear(dim * 4, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """A ViT block."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class CrossBlock(nn.Module):
    """Self-attention, attention to the reference, perceptron."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.norm_y = nn.LayerNorm(dim, eps=1e-6)
        self.cross_attn = CrossAttention(dim, heads)
        self.norm3 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim)

    def forward(self, x, y):
        x = x + self.attn(self.norm1(x))
        x = x + self.cross_attn(self.norm2(x), self.norm_y(y))
        return x + self.mlp(self.norm3(x))


class PatchEmbed(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)

    def forward(self, image):
        return self.proj(image).flatten(2).transpose(1, 2)


class MaskedAutoencoder(nn.Module):
    """`cross` makes it MIMIC's: the decoder attends to a second view."""

    def __init__(self, size, cross, image=224, patch=16):
        super().__init__()
        dim, depth, heads, d_dim, d_depth, d_heads = SIZES[size]
        self.patch, self.cross, grid = patch, cross, image // patch
        self.patch_embed = PatchEmbed(patch, dim)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, dim))
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, d_dim))
        self.pos_embed = nn.Parameter(position_table(dim, grid), requires_grad=False)
        self.decoder_pos_embed = nn.Parameter(position_table(d_dim, grid), requires_grad=False)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.decoder_embed = nn.Linear(dim, d_dim)
        if cross:
            self.decoder_blocks_croco = nn.ModuleList(CrossBlock(d_dim, d_heads) for _ in range(d_depth))
        else:
            self.decoder_blocks = nn.ModuleList(Block(d_dim, d_heads) for _ in range(d_depth))
        self.decoder_norm = nn.LayerNorm(d_dim, eps=1e-6)
        self.decoder_pred = nn.Linear(d_dim, patch * patch * 3)

    def encode(self, image, keep=None):
        """[batch, 1 + kept, dim]; `keep` [batch, kept] are the ascending numbers of the visible patches."""
        x = self.patch_embed(image) + self.pos_embed[:, 1:]
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[2]))
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(len(image), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, first, second, masked):
        """first [B,3,H,W] is completed where masked [B,tokens] is true. Returns [B,tokens,patch*patch*3]."""
        batch, tokens = masked.shape
        keep = (~masked).nonzero()[:, 1].reshape(batch, -1)
        latent = self.decoder_embed(self.encode(first, keep))
        x = self.mask_token.expand(batch, tokens, -1)
        x = x.scatter(1, keep[..., None].expand(-1, -1, x.shape[2]), latent[:, 1:])
        x = torch.cat([latent[:, :1], x], 1) + self.decoder_pos_embed
        if self.cross:
            y = self.decoder_embed(self.encode(second)) + self.decoder_pos_embed
            for block in self.decoder_blocks_croco:
                x = block(x, y)
        else:
            for block in self.decoder_blocks:
                x = block(x)
        return self.decoder_pred(self.decoder_norm(x))[:, 1:]


def patches_of(image, patch):
    """[B,3,H,W] to [B,tokens,patch*patch*3]: rows of patches; inside, row, column, channel."""
    b, c, height, width = image.shape
    x = image.reshape(b, c, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(b, -1, patch * patch * c)


def masked_loss(prediction, target, masked):
    """MSE to pixels normalised patch by patch (unbiased variance), mean over the masked patches."""
    target = (target - target.mean(2, keepdim=True)) / (target.var(2, keepdim=True) + 1e-6) ** 0.5
    return ((prediction - target) ** 2).mean(2)[masked].mean()


def random_model(kind, size, seed, image=224, patch=16):
    """Biases and norms away from 0 and 1, so that a missed one shows."""
    torch.manual_seed(seed)
    model = MaskedAutoencoder(size, kind == "mimic", image, patch)
    for p in model.parameters():
        if p.requires_grad and p.dim() == 1:
            p.data.add_(0.05 * torch.randn_like(p))
    return model


def fixture(a):
    from safetensors.torch import save_file

    model = random_model(a.kind, a.size, a.seed, a.image, a.patch)
    tokens = (a.image // model.patch) ** 2
    first, second = torch.randn(2, a.batch, 3, a.image, a.image)
    order = torch.rand(a.batch, tokens).argsort(1)
    masked = order >= int(tokens * (1 - a.ratio))
    out = model(first, second, masked)
    loss = masked_loss(out, patches_of(first, model.patch), masked)
    loss.backward()
    keep = {"model." + k: v.detach().contiguous() for k, v in model.state_dict().items()}
    keep |= {"grad." + k: p.grad.contiguous() for k, p in model.named_parameters() if p.requires_grad}
    keep |= {"in.first": first.contiguous(), "in.second": second.contiguous(), "in.masked": masked.to(torch.uint8), "out.prediction": out.detach().contiguous(),
             "out.encoded_second": model.encode(second).detach(), "out.target": patches_of(first, model.patch), "out.loss": loss.detach().reshape(1)}
    heads = {"encoder_heads": str(SIZES[a.size][2]), "decoder_heads": str(SIZES[a.size][5])}
    save_file(keep, a.out, metadata=heads)
    print(json.dumps({"kind": a.kind, "size": a.size, "visible": int((~masked[0]).sum()), "loss": loss.item(), "tensors": len(keep)}))


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="do", required=True)
    q = sub.add_parser("fixture")
    q.add_argument("out")
    q.add_argument("--kind", choices=["mimic", "mae"], default="mimic")
    q.add_argument("--size", choices=SIZES, default="micro")
    q.add_argument("--batch", type=int, default=2)
    q.add_argument("--image", type=int, default=224)
    q.add_argument("--patch", type=int, default=16)
    q.add_argument("--ratio", type=float, default=0.9)
    q.add_argument("--seed", type=int, default=0)
    fixture(p.parse_args())
