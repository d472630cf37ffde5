"""Makes the small PyTorch files of tests/fixtures/weights and the .pth beside tests/fixtures/mae/mimic-atom.safetensors.

    python scripts/parity/make_pth.py    (from the repository's root)
"""
import argparse
import collections
import pathlib

import torch
from safetensors.torch import load_file

out = pathlib.Path("tests/fixtures/weights")
out.mkdir(parents=True, exist_ok=True)

# A training checkpoint as MIMIC's loop saves it.
fixture = load_file("tests/fixtures/mae/mimic-atom.safetensors")
state = collections.OrderedDict((k[6:], v) for k, v in fixture.items() if k.startswith("model."))
torch.save({"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.95)}]}, "epoch": 199,
            "scaler": {}, "args": argparse.Namespace(lr=1e-4, norm_pix_loss=True, output_dir=pathlib.PurePosixPath("run"))},
           "tests/fixtures/mae/mimic-atom.pth")

# Every element type and kind of view; values that all types hold exactly.
base = torch.arange(12, dtype=torch.float32).reshape(3, 4) - 4.5
kinds = {"f32": base, "f16": base.half(), "bf16": base.bfloat16(), "f64": base.double(), "transposed": base.t(), "part": base[1:, 2:],
         "column": base[:, 1], "expanded": base[:1].expand(2, 4), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
         "module.parameter": torch.nn.Parameter(base * 2), "counts": torch.arange(3)}
torch.save(kinds, out / "kinds.pth")
torch.save(kinds, out / "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "args": argparse.Namespace(lr=1.0)}, out / "no-tensors.pth")
