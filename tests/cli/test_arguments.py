"""Names that are checked before torch is imported, and the help texts."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys

import pytest

from napari_denoise_ae.cli.arguments import require_names
from napari_denoise_ae.cli.main import make_parser
from napari_denoise_ae.models.builtin import builtin_models
from napari_denoise_ae.models.config import LOSSES
from napari_denoise_ae.models.networks.registry import NETWORKS
from napari_denoise_ae.models.presets import PRESETS
from napari_denoise_ae.noise.spec import how_to_write
from napari_denoise_ae.noise.synthetic import NOISE_MODELS

# Runs the command and prints whether torch was imported.
RUNNER = """
import sys
from napari_denoise_ae.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as exit:
    status = exit.code
print("torch" in sys.modules)
sys.exit(status)
"""

MODELS = ", ".join(builtin_models())
DEVICES = "auto, cpu, cuda, cuda:N or mps"
NOISES = ", ".join(how_to_write(model) for model in NOISE_MODELS.values())
DENOISE = "denoise a.png b.png"
WRONG_NAMES = [
    ("demo --model unet9", MODELS),
    ("demo --device tpu", DEVICES),
    (f"{DENOISE} --model unet9", MODELS),
    (f"{DENOISE} --device cuda:x", DEVICES),
    (f"{DENOISE} --add-noise perlin:1", NOISES),
    (f"{DENOISE} --noise-type perlin", "poisson-gaussian"),
    (f"{DENOISE} --range-of plane", "stack"),
    (f"{DENOISE} --dtype float64", "float32"),
    (f"{DENOISE} --frames two", "--frames"),
    ("train --data d --preset unet9", ", ".join(PRESETS)),
    ("train --data d --noise perlin:1", NOISES),
    ("train --data d --loss l3", "mse_ssim"),
    ("train --data d --optimizer sgd", "adamw"),
    ("train --data d --schedule linear", "cosine"),
    ("train --data d --augmentation rotate", "dead-leaves"),
    ("train --data d --device tpu", DEVICES),
    ("evaluate --data d --model unet9", MODELS),
    ("evaluate --data d --noise perlin:1", NOISES),
    ("evaluate --data d --device tpu", DEVICES),
    ("compare conv unet9 --data d", MODELS),
    ("compare conv --data d --noise perlin:1", NOISES),
    ("compare conv --data d --device tpu", DEVICES),
    ("info unet9", MODELS),
    ("info auto", MODELS),
]


@pytest.mark.parametrize(("command", "choices"), WRONG_NAMES)
def test_wrong_name_is_rejected_before_torch_is_imported(command, choices):
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *command.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert "error: " in error
    assert choices in error
    assert done.stdout == "False\n"


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_correct_names_raise_no_error(device):
    require_names(models=["auto", "conv"], noise="gaussian:0.1", device=device)


SUBCOMMANDS: dict[str, argparse.ArgumentParser] = next(
    action.choices
    for action in make_parser()._actions
    if isinstance(action, argparse._SubParsersAction)
)
# Required arguments, which have no default, and those that end the program.
IMAGES_OF_TRAIN = {"--pairs", "--repeats", "--adapt", "--noise2void", "--config"}
WITHOUT_DEFAULT = {"--help", "--data", "--images", "--pair"} | IMAGES_OF_TRAIN


def help_of(name: str) -> str:
    return SUBCOMMANDS[name].format_help()


def test_help_describes_every_subcommand_in_one_sentence():
    listed = " ".join(make_parser().format_help().split())
    assert set(SUBCOMMANDS) == {
        *("demo", "denoise", "train", "evaluate", "compare", "info", "export"),
        "completion",
    }
    for name, parser in SUBCOMMANDS.items():
        assert parser.description.count(".") == 1
        assert f" {name} {parser.description}" in listed
        assert parser.description in help_of(name)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_examples_in_help_are_valid_commands(name):
    _, _, shown = help_of(name).partition("examples:\n")
    examples = shown.splitlines()
    assert 2 <= len(examples) <= 5
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "napari-denoise-ae"
        assert arguments[0] == name
        make_parser().parse_args(arguments)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_every_option_ends_with_its_default(name):
    for action in SUBCOMMANDS[name]._actions:
        if action.option_strings and not {*action.option_strings} & WITHOUT_DEFAULT:
            assert "(default: " in action.help, action.option_strings
            assert action.help.endswith(")"), action.option_strings


@pytest.mark.parametrize("name", sorted({*SUBCOMMANDS} - {"train", "completion"}))
def test_help_lists_built_in_models(name):
    assert MODELS in help_of(name)


@pytest.mark.parametrize("name", ["denoise", "train", "evaluate", "compare"])
def test_help_explains_how_to_write_noise(name):
    for model in NOISE_MODELS.values():
        assert how_to_write(model) in help_of(name)


def test_help_of_train_lists_presets_with_their_networks_and_defaults():
    text = " ".join(help_of("train").split())
    for name, config in PRESETS.items():
        assert f"{name} network {config.network}" in text
    for name in (*PRESETS, *NETWORKS, *LOSSES):
        assert name in text
    assert "(default: 50 (conv), 100 (residual), 160 (gray, rgb))" in text
    assert "(default: off (conv, residual), on (gray, rgb))" in text
    assert "(default: adam)" in text
