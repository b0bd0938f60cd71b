"""A fixed share of the files that benchmarks/hostile_images.py tries."""

from __future__ import annotations

import os

import pytest
from hostile_cases import Case, fault, sample, written
from hostile_pictures import byte_cases, chunk_cases
from hostile_tiff import imagej_cases, ome_cases, sound_tiff, tag_cases
from hostile_zarr import file_cases, json_cases, result_cases
from stored_stacks import MODEL

from napari_denoise_ae.cli.main import main
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.source import open_image
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings("default")

CASES = [
    *sample(json_cases("0.5"), 15, 1),
    *sample(json_cases("0.4"), 15, 1),
    *sample(json_cases("plain 3"), 5, 1),
    *file_cases("0.5"),
    *sample(tag_cases("gray"), 10, 1),
    *sample(tag_cases("color"), 10, 1),
    *(case for case in tag_cases("gray") if case.is_readable),
    *sample(ome_cases(), 25, 1),
    *sample((case for case in imagej_cases() if case.is_readable), 10, 1),
    *sample(byte_cases("PNG"), 5, 1),
    *sample(byte_cases("JPEG"), 5, 1),
    *sample(byte_cases("WEBP"), 5, 1),
    *sample(chunk_cases("PNG"), 20, 1),
    *sample(chunk_cases("animated PNG"), 10, 1),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.pt"
    save_checkpoint(MODEL, path)
    return path


@pytest.mark.skipif(os.name == "nt", reason="pipes and links are files of Unix")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:80])
def test_a_damaged_file_gives_a_result_or_one_sentence(
    case: Case, model, tmp_path, capfd
):
    source, output = case.write(tmp_path), tmp_path / "result.tif"
    options = ["--model", str(model), "--intensity-range", "0,4000"]
    status = main(["denoise", str(source), str(output), *options])
    assert fault(case, status, capfd.readouterr().err, output) == ""


def test_a_damaged_result_is_resumed_or_refused_in_one_sentence(model, tmp_path, capfd):
    source = written("source.ome.tif", sound_tiff("OME"))(tmp_path)
    options = ["--model", str(model), "--intensity-range", "0,4000"]
    sound = tmp_path / "result.zarr"
    assert main(["denoise", str(source), str(sound), *options]) == 0
    for number, case in enumerate(sample(result_cases(sound), 30, 2)):
        output = case.write(tmp_path / str(number))
        capfd.readouterr()
        status = main(["denoise", str(source), str(output), *options])
        assert fault(case, status, capfd.readouterr().err, output) == "", case.name


@pytest.mark.parametrize("kind", ["0.5", "0.4"])
def test_chunks_without_a_side_are_refused(kind, tmp_path):
    (case,) = (
        case
        for case in json_cases(kind)
        if case.name.endswith(("chunk_shape.2 0", ".zarray chunks.1 0"))
    )
    with pytest.raises(InvalidInputError, match="its chunks have the shape"):
        open_image(case.write(tmp_path))
