"""The fields of the training settings, as data."""

from __future__ import annotations

from functools import partial

from ...models.config import AUGMENTATIONS, OPTIMIZERS, PRESETS, SCHEDULES
from ...training.losses import LOSSES
from ..shared.editors import Choice, make_editor
from ..shared.fields import FieldSpec
from ..shared.noise_edit import NoiseChooser
from ..shared.preferences import device_choices, preferred_device

_CHOICES = {
    "loss": tuple(LOSSES),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augmentation": AUGMENTATIONS,
}
# What each setting is, with its unit; the default is added from the preset.
MAIN = {
    "noise": "Noise that the network learns to remove. Its amounts are fractions of "
    "the intensity range, or as the field says.",
    "epochs": "Most epochs to train: passes over all training images.",
    "patience": "Epochs without a lower validation loss after which training stops. "
    "As many as there are epochs never stop it.",
    "loss": "What training makes small.",
    "ssim_weight": "Weight of 1 - SSIM in the loss mse_ssim, between 0 and 1; the mean "
    "squared error has the rest.",
    "seed": "Whole number that decides the split, the first weights, the order of the "
    "images and the noise. The same seed gives the same network again.",
}
MORE = {
    "batch_size": "Images in a batch. Fewer need less memory.",
    "learning_rate": "Step size of the optimizer, a number above 0.",
    "schedule": "How the learning rate changes: constant stays as it is, cosine "
    "lowers it along half a cosine to 0 at the end of the last epoch.",
    "optimizer": "How the loss is made small.",
    "augmentation": "flip mirrors every other training image from left to right; "
    "stripes also overlays fine stripes on some; dead-leaves does all that and pastes "
    "the images of every other batch over each other, into larger pictures.",
    "zoom": "Every other batch is magnified by a random factor from 1 to this one, so "
    "that small images look as smooth as photographs. 1 magnifies nothing.",
    "val_fraction": "Share of the images held back for validation, between 0 and 1.",
    "n_test": "How many of the 10,000 test images are kept apart for the figures at "
    "the end. The others train and validate as well.",
    "min_delta": "How much lower the validation loss must be to count as lower, in the "
    "unit of the loss.",
    "mixed_precision": "Compute in bfloat16 on a CUDA device where nothing is lost.",
    "bfloat16_on_cpu": "Compute in bfloat16 on a CPU, too, if it has instructions for "
    "it: about twice as fast.",
}
_LABELS = {
    "val_fraction": "validation share",
    "min_delta": "least improvement",
    "n_test": "test images",
    "bfloat16_on_cpu": "bfloat16 on CPU",
    "ssim_weight": "SSIM weight",
}


def setting_field(name: str, text: str) -> FieldSpec:
    """Describe the field of a setting; its default is filled in from the preset."""
    default = getattr(PRESETS[next(iter(PRESETS))], name)
    editor = partial(make_editor, default)
    if name == "noise":
        editor = partial(NoiseChooser, default)
    elif name in _CHOICES:
        editor = partial(Choice, _CHOICES[name])
    label = _LABELS.get(name, name.replace("_", " "))
    # The fields of the noise need the whole width of a narrow dock.
    return FieldSpec(name, label, editor, text, is_wide=name == "noise")


def _device_edit() -> Choice:
    editor = Choice(device_choices())
    editor.setEditable(True)
    editor.setCurrentText(preferred_device())
    return editor


PRESET_FIELD = FieldSpec(
    "preset",
    "preset",
    partial(Choice, PRESETS),
    "What to start from: a network, and settings that go with it. Choosing one fills "
    "in all fields but data, output and device.",
)
DEVICE_FIELD = FieldSpec(
    "device",
    "device",
    _device_edit,
    "Where to compute: auto takes CUDA, else MPS (Apple), else the CPU; or cuda:N. "
    "Default: auto.",
)
