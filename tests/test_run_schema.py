"""The JSON schema of run.toml is the one in docs/, and agrees with the package."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from synthetic import image_set
from test_release import tool

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.presets import PRESETS
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.run_config import read_run_config, run_config_text

SCHEMA = Path(__file__).parents[1] / "docs" / "run-config.schema.json"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_up_to_date():
    made = tool("make_run_schema").schema()
    assert json.loads(SCHEMA.read_text("utf-8")) == made


@pytest.mark.parametrize(
    "arguments",
    [
        *({"data": image_set(), "preset": name} for name in PRESETS),
        {"images": ["a.tif", "b"], "axes": "CYX", "channel": 1, "start_from": "gray"},
        {"pairs": ({"one": "n.tif"}, ["c.tif"]), "settings": {"zoom": 2}},
        {"adapt": "a.tif", "device": "cpu"},
    ],
)
def test_what_a_run_writes_is_valid(arguments, validator, tmp_path):
    job = TrainingJob(output=tmp_path / "model.pt", **arguments)
    config = job.config_for(job.preset or "gray", job.settings)
    content = tomllib.loads(run_config_text(job, config))
    assert len(content["settings"]) > 20
    validator.validate(content)


@pytest.mark.parametrize(
    "text",
    [
        "data = 3",
        'data = "d"\nchannel = "red"',
        'data = "d"\npreset = "unet9"',
        'data = "d"\nplot = true',
        'data = "d"\n[settings]\nepochs = 0',
        'data = "d"\n[settings]\nn_test = 10001',
        'data = "d"\n[settings]\nval_fraction = 1.0',
        'data = "d"\n[settings]\nzoom = 0.5',
        'data = "d"\n[settings]\nloss = "l3"',
        'data = "d"\n[settings]\nmixed_precision = 1',
        'data = "d"\n[settings]\npreset = "conv"',
    ],
)
def test_what_the_package_refuses_is_invalid(text, validator, tmp_path):
    (tmp_path / "run.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidInputError):
        read_run_config(tmp_path / "run.toml")
    assert not validator.is_valid(tomllib.loads(text))


def test_a_run_has_one_kind_of_images(validator):
    assert validator.is_valid({"data": "d"})
    assert validator.is_valid({"preset": "conv"})
    assert not validator.is_valid({"data": "d", "images": ["a.tif"]})
