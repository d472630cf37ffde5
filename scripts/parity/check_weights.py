"""The Python half of check-weights: makes training checkpoints and fixtures, later loads what covista exported."""
import argparse
import pathlib
import types

import torch
from safetensors.torch import load_file, save_file

import torch_croco
import torch_mae

KINDS = ["croco-cosine", "croco-rope", "mimic", "mae"]


def kinds(size):
    """Of ViT-B only what timm takes under its own name, for want of disk."""
    return ["croco-cosine", "mimic"] if size == "base" else KINDS


def build(kind, size):
    if kind.startswith("croco"):
        model = torch_croco.Croco(size, kind.split("-")[1])
    else:
        model = torch_mae.MaskedAutoencoder(size, kind == "mimic")
    for p in model.parameters():
        if p.requires_grad and p.dim() == 1:
            p.data.add_(0.05 * torch.randn_like(p))
    return model


def encoded(model, image):
    out = model.encode(image)
    return out[0] if isinstance(out, tuple) else out


def make(a):
    for seed, kind in enumerate(kinds(a.size)):
        torch.manual_seed(seed)
        model = build(kind, a.size)
        first, second = torch.randn(2, a.batch, 3, 224, 224)
        hidden = 176 if kind.startswith("croco") else 177
        masked = torch.rand(a.batch, 196).argsort(1) < hidden
        out = model(first, second, masked)
        loss = torch_croco.masked_mse(out, first, masked)
        loss.backward()
        keep = {"model." + k: v.detach().clone() for k, v in model.state_dict().items()}
        keep |= {"grad." + k: p.grad.contiguous() for k, p in model.named_parameters() if p.requires_grad}
        keep |= {"in.first": first.contiguous(), "in.second": second.contiguous(), "in.masked": masked.to(torch.uint8),
                 "out.prediction": out.detach().contiguous(), "out.encoded_second": encoded(model, second).detach().contiguous(),
                 "out.target": torch_croco.patchify(first).contiguous(), "out.loss": loss.detach().reshape(1)}
        save_file(keep, a.folder / f"{kind}.safetensors")
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        if a.size != "base":
            optimizer.step()  # moments, as a checkpoint in the middle of training has
        for p, kept in zip(model.parameters(), [keep["model." + k] for k, _ in model.named_parameters()]):
            p.data.copy_(kept)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scaler": {"scale": 65536.0}, "epoch": 3,
                    "args": argparse.Namespace(lr=1e-4, output_dir=pathlib.PurePosixPath("out"), model=a.size, nested=types.SimpleNamespace(x=1))},
                   a.folder / f"{kind}.pth")


def relative(got, want):
    return ((got - want).abs().max() / want.abs().max()).item()


def check(a):
    import timm

    worst = 0.0
    for kind in kinds(a.size):
        want = load_file(a.folder / f"{kind}.safetensors")
        model = build(kind, a.size)
        model.load_state_dict(load_file(a.folder / f"{kind}.export"), strict=True)
        with torch.no_grad():
            off = relative(model(want["in.first"], want["in.second"], want["in.masked"].bool()), want["out.prediction"])
        print(f"{kind}: strict load, prediction off by {off:.1e}")
        worst = max(worst, off)
        if kind == "croco-rope":
            continue
        settings = {} if kind in ("mimic", "mae") else {"class_token": False, "global_pool": ""}
        if a.size == "base":
            vit = timm.create_model("vit_base_patch16_224", num_classes=0, **settings)
        else:
            dim, depth, heads = torch_croco.SIZES[a.size][:3]
            vit = timm.models.VisionTransformer(embed_dim=dim, depth=depth, num_heads=heads, num_classes=0, **settings)
        vit.load_state_dict(load_file(a.folder / f"{kind}.timm"), strict=True)
        with torch.no_grad():
            off = relative(vit.eval().forward_features(want["in.second"]), want["out.encoded_second"])
        print(f"{kind}: strict load in timm {timm.__version__}, encoder off by {off:.1e}")
        worst = max(worst, off)
    assert worst < 1e-5, worst
    print(f"all strict, worst {worst:.1e}")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("do", choices=["make", "check"])
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--size", choices=["micro", "tiny", "base"], default="tiny")
    p.add_argument("--batch", type=int, default=2)
    a = p.parse_args()
    {"make": make, "check": check}[a.do](a)
