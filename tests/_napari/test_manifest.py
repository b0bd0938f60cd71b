import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from npe2 import PluginManifest

from napari_denoise_ae._napari.shared.model_choice import LAST_CHOSEN
from napari_denoise_ae._napari.shared.preferences import device_choices
from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.models.builtin import DEFAULT_MODEL, builtin_models

NAME = "napari-denoise-ae"


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution(NAME)


def test_all_python_names_can_be_imported(manifest):
    manifest.validate_imports()


def test_contributions_use_all_commands_and_no_others(manifest):
    contributions = manifest.contributions
    commands = {command.id for command in contributions.commands}
    used = [widget.command for widget in contributions.widgets]
    used += [sample.command for sample in contributions.sample_data]
    used += [reader.command for reader in contributions.readers]
    used += [writer.command for writer in contributions.writers]
    used += [item.command for items in contributions.menus.values() for item in items]
    assert set(used) == commands


def test_the_version_equals_that_of_the_package(manifest):
    import napari_denoise_ae

    assert manifest.package_version == napari_denoise_ae.__version__


def test_the_manifest_and_the_widget_import_no_torch():
    code = (
        "import sys\n"
        "from npe2 import PluginManifest\n"
        f"manifest = PluginManifest.from_distribution('{NAME}')\n"
        "manifest.validate_imports()\n"
        "print([name for name in ('torch', 'torchvision', 'skimage') "
        "if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "torch" not in done.stdout


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("clean_color", (512, 512, 3)),
        ("noisy_color", (512, 512, 3)),
        ("clean_gray", (512, 512)),
        ("noisy_gray", (512, 512)),
    ],
)
def test_samples_open(make_napari_viewer, key, shape):
    viewer = make_napari_viewer()
    (layer,) = viewer.open_sample(NAME, key)
    assert layer.data.shape == shape
    assert layer.data.dtype == np.uint8
    assert layer.rgb == (len(shape) == 3)


def test_noisy_samples_are_noisy_versions_of_the_clean_ones():
    from napari_denoise_ae import psnr
    from napari_denoise_ae._napari.viewer import samples

    for clean, noisy in [
        (samples.clean_color, samples.noisy_color),
        (samples.clean_gray, samples.noisy_gray),
    ]:
        assert 18 < psnr(clean()[0][0], noisy()[0][0], data_range=255) < 24


def prefer_data_folder(monkeypatch, folder):
    from napari_denoise_ae._napari.shared import preferences

    chosen = SimpleNamespace(data_folder=folder)
    monkeypatch.setattr(preferences, "preferences", lambda: chosen)


def test_cifar10_opens_as_a_stack(make_napari_viewer, monkeypatch, tmp_path):
    from napari_denoise_ae.io import cifar10 as data

    images = np.arange(3 * 32 * 32 * 3, dtype=np.uint8).reshape(3, 32, 32, 3)

    def load(folder, *, train):
        assert (folder, train) == (str(tmp_path), False)
        return data.ImageSet("CIFAR-10 test set", images)

    prefer_data_folder(monkeypatch, str(tmp_path))
    monkeypatch.setattr(data, "load_cifar10", load)
    (layer,) = make_napari_viewer().open_sample(NAME, "cifar10_test")
    assert layer.rgb
    np.testing.assert_array_equal(layer.data, images)


def test_missing_cifar10_raises(monkeypatch, tmp_path):
    from napari_denoise_ae._napari.viewer import samples

    prefer_data_folder(monkeypatch, "")
    with pytest.raises(DatasetError, match="Preferences"):
        samples.cifar10_test()
    prefer_data_folder(monkeypatch, str(tmp_path))
    with pytest.raises(DatasetError, match="was not found"):
        samples.cifar10_test()


def test_the_preferences_offer_lists(manifest):
    offered = manifest.contributions.configurations["general"].properties
    models, devices = offered["default_model"].enum, offered["device"].enum
    assert {*models} == {DEFAULT_MODEL, LAST_CHOSEN, *builtin_models()}
    assert {*device_choices()} <= {*devices}


def test_the_data_folder_has_no_default(manifest):
    general = manifest.contributions.configurations["general"]
    assert general.properties["data_folder"].default == ""
