"""The fields of the training settings."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtWidgets import QFileDialog

from ...errors import InvalidInputError
from ...models.config import AUGMENTATIONS, OPTIMIZERS, SCHEDULES, TRAINED_LAYERS
from ...models.presets import PRESETS, preset_config
from ...training.losses import LOSSES
from ..shared.editors import Choice, PathEdit, make_editor
from ..shared.fields import FieldSpec
from ..shared.noise_edit import NoiseChooser
from ..shared.open_checkpoint import CHECKPOINT_FILES
from ..shared.preferences import device_choices, preferred_device
from .defaults import default_output

_CHOICES = {
    "loss": tuple(LOSSES),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "trained_layers": TRAINED_LAYERS,
    "augmentation": AUGMENTATIONS,
}
# Tooltips of the settings. `TrainForm` adds the defaults of the preset.
MAIN = {
    "noise": "Noise that the network learns to remove. Amounts are fractions of the "
    "intensity range unless the field names another unit.",
    "epochs": "Maximum number of passes over the training images.",
    "patience": "Training stops after this many epochs without a lower validation "
    "loss. To prevent that, use the number of epochs.",
    "loss": "Loss function to minimize.",
    "ssim_weight": "Weight of 1 - SSIM in the loss mse_ssim, between 0 and 1. The mean "
    "squared error has the remaining weight.",
    "seed": "Integer that determines the split, the initial parameters, the order of "
    "the images and the noise. The same seed gives the same network.",
}
MORE = {
    "patch_size": "Rows and columns of the patches that are drawn from your images, 8 "
    "or more.",
    "batches_per_epoch": "Number of batches of patches in an epoch. 0: as many as have "
    "the pixels of the images, 20 to 1,000.",
    "smoothing": "Number of epochs over which the validation loss is averaged before "
    "the best epoch is chosen. Losses without clean images need more.",
    "warm_up": "Number of batches over which the learning rate rises at the beginning.",
    "batch_size": "Images or patches per batch. Smaller batches need less memory.",
    "learning_rate": "Step size of the optimizer, a number above 0.",
    "schedule": "How the learning rate changes: constant keeps it, cosine lowers it "
    "along half a cosine to 0 at the end of the last epoch.",
    "trained_layers": "Layers of the network that learn. coarse keeps the weights of "
    "those at the finest resolution, for runs that start from a trained model.",
    "optimizer": "Algorithm that minimizes the loss.",
    "augmentation": "flip mirrors every other training image from left to right; "
    "symmetries also turns them by quarter turns; "
    "stripes also overlays fine stripes on some images; dead-leaves does both and, in "
    "every other batch, pastes images over each other into larger pictures.",
    "zoom": "Every other batch is magnified by a random factor between 1 and this "
    "value, so that small images look as smooth as photographs. 1: no magnification.",
    "val_fraction": "Fraction of the images used for validation, between 0 and 1.",
    "n_test": "Number of the 10,000 test images that are kept for the final scores. "
    "The others are used for training and validation.",
    "min_delta": "Smallest decrease of the validation loss that counts as an "
    "improvement, in the unit of the loss.",
    "mixed_precision": "Compute in bfloat16 on a CUDA device where the precision "
    "suffices.",
    "bfloat16_on_cpu": "Also compute in bfloat16 on a CPU that has instructions for "
    "it, about twice as fast.",
}
_LABELS = {
    "val_fraction": "validation",
    "n_test": "test images",
    "bfloat16_on_cpu": "bfloat16 on CPU",
    "ssim_weight": "SSIM weight",
}


def setting_label(name: str) -> str:
    """Return the label of the field of a setting."""
    return _LABELS.get(name, name.replace("_", " "))


def setting_error(preset: str, name: str, value: Any) -> str:
    """Return what is wrong with the value of a setting; empty if it is valid."""
    try:
        preset_config(preset, **{name: value})
    except InvalidInputError as error:
        return str(error)
    return ""


def setting_field(name: str, text: str) -> FieldSpec:
    """Describe the field of a setting; `text` is its tooltip."""
    default = getattr(PRESETS[next(iter(PRESETS))], name)
    editor = partial(make_editor, default)
    if name == "noise":
        editor = partial(NoiseChooser, default)
    elif name in _CHOICES:
        editor = partial(Choice, _CHOICES[name])
    label = setting_label(name)
    # The fields of the noise need the whole width of a narrow dock.
    return FieldSpec(name, label, editor, text, is_wide=name == "noise")


def output_field() -> FieldSpec:
    """Describe the field of the checkpoint to write."""
    return FieldSpec(
        "output",
        "output",
        partial(PathEdit, "", _choose_output),
        "Checkpoint to write, a .safetensors or .pt file. A table and a plot of the "
        "losses, a gallery, and the state for Resume are written beside it. Default: a "
        ".pt file for conv and residual, else a .safetensors file, in the last folder.",
    )


def _choose_output() -> str:
    # The widget asks before replacing a run when training starts.
    path, _ = QFileDialog.getSaveFileName(
        None,
        "Checkpoint to write",
        str(default_output(None)),
        CHECKPOINT_FILES,
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    return str(path)


def _device_edit() -> Choice:
    editor = Choice(device_choices())
    editor.setEditable(True)
    editor.setCurrentText(preferred_device())
    return editor


PRESET_FIELD = FieldSpec(
    "preset",
    "preset",
    partial(Choice, PRESETS),
    "A network with matching settings. Choosing one fills in all fields except data, "
    f"output, device, and those that you have changed. Default: {next(iter(PRESETS))}.",
)
DEVICE_FIELD = FieldSpec(
    "device",
    "device",
    _device_edit,
    "Device to train on. auto uses CUDA if available, otherwise MPS (Apple), otherwise "
    "the CPU. cuda:N is one of several GPUs. Default: the device set in the "
    "preferences, initially auto.",
)
