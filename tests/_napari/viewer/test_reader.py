import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.viewer.reader import get_reader, read_checkpoint
from napari_denoise_ae.models.builtin import builtin_file


def test_a_checkpoint_is_chosen_and_adds_no_layer(viewer, checkpoint, qtbot):
    assert viewer.open(checkpoint, plugin="napari-denoise-ae") == []
    choice = model_choice(viewer)
    qtbot.waitUntil(lambda: choice.chosen == checkpoint)
    assert not viewer.layers


def test_a_safetensors_checkpoint_is_chosen(viewer, tmp_path, qtbot):
    path = str(tmp_path / "mine.safetensors")
    with builtin_file("conv") as file:
        copyfile(file, path)
    assert viewer.open(path, plugin="napari-denoise-ae") == []
    qtbot.waitUntil(lambda: model_choice(viewer).chosen == path)


@pytest.mark.qt_binding
def test_a_dropped_checkpoint_reaches_the_widget_from_the_menu(
    viewer, checkpoint, qtbot
):
    _, widget = viewer.window.add_plugin_dock_widget("napari-denoise-ae", "Denoise")
    viewer.window._qt_viewer._qt_open([checkpoint], stack=False)
    qtbot.waitUntil(lambda: widget.form.model.value == checkpoint)
    assert widget.form.model.editor.currentText().startswith("mine.pt")


def test_a_damaged_checkpoint_shows_one_message(
    viewer, checkpoint, qtbot, messages, tmp_path
):
    content = torch.load(checkpoint)
    content["state_dict"].popitem()
    torch.save(content, checkpoint)
    viewer.open(checkpoint, plugin="napari-denoise-ae")
    qtbot.waitUntil(lambda: bool(messages()))
    assert len(messages()) == 1
    assert "its weights are not those" in messages()[0]
    assert model_choice(viewer).chosen == "auto"


def foreign_files(folder):
    files = [folder / f"{name}.pt" for name in ("state", "zip", "text", "missing")]
    files.append(folder / "weights.safetensors")
    save_file({"weight": torch.zeros(2)}, files[-1])
    torch.save({"weight": torch.zeros(2)}, files[0])
    with zipfile.ZipFile(files[1], "w") as archive:
        archive.writestr("x/other", "napari-denoise-ae checkpoint")
    files[2].write_text("napari-denoise-ae checkpoint")
    return files


def test_other_files_are_declined(tmp_path, checkpoint):
    for file in foreign_files(tmp_path):
        assert get_reader(str(file)) is None
    assert get_reader([checkpoint, checkpoint]) is None
    assert get_reader(str(tmp_path / "theirs.onnx")) is read_checkpoint
    assert get_reader(str(tmp_path)) is None


def test_opening_another_file_with_the_plugin_raises(viewer, tmp_path):
    file = foreign_files(tmp_path)[0]
    with pytest.raises(ValueError, match="refused the file"):
        viewer.open(str(file), plugin="napari-denoise-ae")
    assert model_choice(viewer).chosen == "auto"


def test_declining_imports_no_torch(tmp_path):
    files = [str(file) for file in foreign_files(tmp_path)]
    code = (
        "import sys\n"
        "from napari_denoise_ae._napari.viewer.reader import get_reader\n"
        f"assert not any(get_reader(file) for file in {files!r})\n"
        "print('torch' in sys.modules, 'napari' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False False"


def test_bytes_are_declined(tmp_path):
    file = tmp_path / "noise.pt"
    file.write_bytes(np.random.default_rng(0).bytes(1000))
    assert get_reader(str(file)) is None


def test_a_damaged_archive_is_declined(tmp_path, checkpoint):
    """No changed byte in the archive's directory makes the reader fail."""
    content = bytearray(Path(checkpoint).read_bytes())
    directory = content.index(b"PK\x01\x02")
    for offset in range(directory, directory + 80):
        damaged = content.copy()
        damaged[offset] ^= 0xFF
        path = tmp_path / "damaged.pt"
        path.write_bytes(damaged)
        assert get_reader(str(path)) in (None, read_checkpoint)
