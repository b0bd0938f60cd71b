"""The folder tests/ mirrors the package."""

from __future__ import annotations

from pathlib import Path

import pytest

import napari_denoise_ae

PACKAGE = Path(napari_denoise_ae.__file__).parent
TESTS = Path(__file__).parent

MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.stem != "__init__"
}

# Modules without a test file of their own name, and the file that tests them.
TESTED_IN = {
    "io/hdf5_selection": "io/test_hdf5_virtual",
    "io/plugin_reader": "test_plugins",
    "models/networks/call": "test_plugins",
    "noise/call": "test_plugins",
    "noise/correlated": "noise/test_measure",
    "noise/patches": "noise/test_sigma",
    "noise/scaling": "noise/test_normalization",
    "noise/spectrum": "noise/test_sigma",
    "noise/white": "noise/test_measure",
    "__main__": "cli/test_main",
    "_napari/denoise/trust_job": "_napari/denoise/test_trust_panel",
    "_napari/denoise/trust_plot": "_napari/denoise/test_trust_panel",
    "_napari/denoise/trust_target": "_napari/denoise/test_trust_panel",
    "_napari/denoise/trust_text": "_napari/denoise/test_trust_panel",
    "_napari/viewer/trust_layers": "_napari/denoise/test_trust_panel",
    "_napari/denoise/baseline_job": "_napari/denoise/test_compare_panel",
    "_napari/denoise/compare_job": "_napari/denoise/test_compare_panel",
    "_napari/denoise/compare_run": "_napari/denoise/test_compare_panel",
    "_napari/denoise/compare_table": "_napari/denoise/test_compare_panel",
    "_napari/denoise/fields": "_napari/denoise/test_form",
    "_napari/denoise/job_maker": "_napari/denoise/test_widget",
    "_napari/denoise/export_job": "_napari/denoise/test_model_export",
    "_napari/denoise/lazy_job": "_napari/viewer/test_lazy_layers",
    "_napari/denoise/layer_names": "_napari/denoise/test_before_after",
    "_napari/denoise/layer_queue": "_napari/denoise/test_widget",
    "_napari/denoise/form_layout": "_napari/denoise/test_form",
    "_napari/denoise/outcome_view": "_napari/denoise/test_widget",
    "_napari/denoise/lazy_progress": "_napari/viewer/test_lazy_layers",
    "_napari/denoise/inspect_job": "_napari/denoise/test_layer_facts",
    "_napari/denoise/model_list": "_napari/denoise/test_compare_panel",
    "_napari/denoise/outcomes": "_napari/denoise/test_widget",
    "_napari/denoise/provenance": "_napari/denoise/test_widget",
    "_napari/denoise/python_code": "_napari/shared/test_noise_form",
    "_napari/denoise/range_edit": "_napari/viewer/test_lazy_layers",
    "_napari/denoise/result_view": "_napari/denoise/test_before_after",
    "_napari/denoise/run": "_napari/denoise/test_widget",
    "_napari/denoise/swipe": "_napari/denoise/test_before_after",
    "_napari/denoise/run_panel": "_napari/denoise/test_layout",
    "_napari/denoise/source_layer": "_napari/denoise/test_widget",
    "_napari/files/form": "_napari/files/test_widget",
    "_napari/files/job": "_napari/files/test_widget",
    "_napari/files/run": "_napari/files/test_widget",
    "_napari/files/table": "_napari/files/test_widget",
    "_napari/shared/layout": "_napari/denoise/test_compare_panel",
    "_napari/shared/model_facts": "_napari/shared/test_noise_form",
    "_napari/shared/noise_part": "_napari/shared/test_noise_edit",
    "_napari/shared/noise_plot": "_napari/shared/test_noise_form",
    "_napari/shared/open_checkpoint": "_napari/viewer/test_reader",
    "_napari/shared/plot": "_napari/train/test_widget",
    "_napari/shared/remembered": "_napari/denoise/test_form",
    "_napari/shared/remembered_fields": "_napari/denoise/test_form",
    "_napari/shared/scope_edit": "_napari/viewer/test_view",
    "_napari/train/activity": "_napari/train/test_widget",
    "_napari/train/curve_bar": "_napari/train/test_widget",
    "_napari/train/defaults": "_napari/train/test_widget",
    "_napari/train/form": "_napari/train/test_widget",
    "_napari/train/form_scroll": "_napari/train/test_estimate",
    "_napari/train/images_edit": "_napari/train/test_source_fields",
    "_napari/train/loss_plot": "_napari/train/test_widget",
    "_napari/train/network_form": "_napari/train/test_widget",
    "_napari/train/pictures": "_napari/train/test_widget",
    "_napari/train/preset_note": "_napari/train/test_widget",
    "_napari/train/progress": "_napari/train/test_widget",
    "_napari/train/run": "_napari/train/test_widget",
    "_napari/train/run_bar": "_napari/train/test_widget",
    "_napari/train/settings": "_napari/train/test_widget",
    "_napari/train/source_specs": "_napari/train/test_source_fields",
    "_napari/train/status": "_napari/train/test_widget",
    "_napari/train/steps": "_napari/train/test_job",
    "_napari/viewer/axes": "_napari/viewer/test_layers",
    "_napari/viewer/compute_parts": "_napari/viewer/test_lazy_layers",
    "_napari/viewer/cached_array": "_napari/viewer/test_lazy_layers",
    "_napari/viewer/outputs": "_napari/viewer/test_layers",
    "_napari/viewer/samples": "_napari/test_manifest",
    "_napari/viewer/tile_cache": "_napari/viewer/test_lazy_layers",
    "_version": "cli/test_main",
    "cli/score_table": "cli/test_evaluate",
    "denoising/array": "denoising/test_api",
    "denoising/compatibility": "denoising/test_api",
    "denoising/loaded_model": "denoising/test_denoiser",
    "denoising/network_input": "denoising/test_api",
    "denoising/model_ranges": "noise/test_normalization",
    "cli/train_options": "cli/test_train",
    "errors": "cli/test_bad_input",
    "evaluation/comparison_figure": "evaluation/test_run",
    "evaluation/demo": "cli/test_other",
    "evaluation/score": "evaluation/test_scoring",
    "evaluation/trust/assessment": "evaluation/trust/test_api",
    "evaluation/trust/error": "evaluation/trust/test_api",
    "evaluation/trust/facts": "evaluation/trust/test_api",
    "evaluation/trust/findings": "evaluation/trust/test_api",
    "evaluation/trust/report": "evaluation/trust/test_api",
    "evaluation/trust/maps": "evaluation/trust/test_api",
    "evaluation/trust/others": "evaluation/trust/test_api",
    "evaluation/trust/pictures": "files/test_trust",
    "evaluation/trust/rerun": "evaluation/trust/test_api",
    "evaluation/trust/residual": "evaluation/trust/test_api",
    "evaluation/trust/rings": "evaluation/trust/test_api",
    "evaluation/trust/study": "evaluation/trust/test_api",
    "evaluation/trust/transfer": "evaluation/trust/test_api",
    "evaluation/trust/windows": "evaluation/trust/test_api",
    "evaluation/trust/write": "files/test_trust",
    "files/tiff_layout": "files/test_sixteen_ways",
    "files/steps": "files/test_route",
    "cli/denoise_options": "cli/test_denoise",
    "files/whole_source": "files/test_whole",
    "io/folders": "io/test_find",
    "io/stored": "io/test_source",
    "image/intensity_rule": "models/imported/test_model",
    "models/imported/description": "models/imported/test_model",
    "models/imported/interface": "models/imported/test_model",
    "models/imported/network": "models/imported/test_model",
    "models/imported/onnx_content": "models/imported/test_model",
    "models/imported/package": "models/imported/test_model",
    "models/imported/processing": "models/imported/test_model",
    "models/description": "models/test_checkpoint_file",
    "models/record": "models/test_checkpoint_file",
    "models/export/bioimageio_description": "models/export/test_bioimageio_file",
    "models/export/steps": "models/export/test_onnx_file",
    "models/export/windows": "models/export/test_graph",
    "native_libraries": "training/test_optimizers",
    "noise/setting": "noise/test_normalization",
    "noise/windows": "denoising/test_dask_noise",
    "training/backup": "training/test_run",
    "training/checks": "training/test_trainer",
    "training/batch": "training/test_step",
    "training/epoch": "training/test_stopping",
    "training/initial": "training/test_trainer",
    "training/job": "training/test_run",
    "training/sources/base": "training/sources/test_image_set",
    "training/sources/denoised": "training/sources/test_adapt",
    "training/sources/judgment": "training/sources/test_adapt",
    "training/record": "training/test_trainer",
    "training/results": "training/test_trainer",
    "training/validation": "training/test_trainer",
    "training/workload": "training/test_proposal",
}


def own_test(module: str) -> Path:
    """Return the path of the test file that has the name of a module."""
    path = Path(module)
    return TESTS / path.parent / f"test_{path.name}.py"


def test_every_module_has_a_test_file_or_is_listed():
    assert len(MODULES) > 100
    without = {module for module in MODULES if not own_test(module).is_file()}
    assert without - TESTED_IN.keys() == set()
    assert TESTED_IN.keys() - without == set(), "listed, but has a test file"


@pytest.mark.parametrize("module", TESTED_IN)
def test_every_listed_test_file_exists(module):
    assert (TESTS / f"{TESTED_IN[module]}.py").is_file()
