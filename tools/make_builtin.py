"""Convert a checkpoint to a built-in model: half precision, named after its file.

    python tools/make_builtin.py NEW.safetensors WEIGHTS/gray.safetensors

WEIGHTS is ``src/napari_denoise_ae/models/weights``. `--average OLD.safetensors SHARE`
averages the parameters with those of an earlier checkpoint of the same training, which
get that share.

Half precision changes the PSNR by less than 0.001 dB.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint


def averaged(new: Checkpoint, old: Checkpoint, share: float) -> Checkpoint:
    """Return a checkpoint with the weighted means of two sets of parameters."""
    means = {
        key: torch.lerp(tensor.float(), old.state_dict[key].float(), share)
        for key, tensor in new.state_dict.items()
    }
    return replace(new, state_dict=means)


def main() -> None:
    """Parse the arguments and convert the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="checkpoint file to read")
    parser.add_argument("output", type=Path, help="checkpoint file to write")
    parser.add_argument(
        "--average", nargs=2, metavar=("CHECKPOINT", "SHARE"), help="see above"
    )
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    if arguments.average:
        earlier, share = arguments.average
        checkpoint = averaged(checkpoint, load_checkpoint(Path(earlier)), float(share))
    weights = {
        key: tensor.half() if tensor.dtype == torch.float32 else tensor
        for key, tensor in checkpoint.state_dict.items()
    }
    builtin = replace(checkpoint, name=arguments.output.stem, state_dict=weights)
    save_checkpoint(builtin, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
