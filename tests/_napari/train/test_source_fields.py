import numpy as np
import pytest
from napari.layers import Image

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.train import run as train_run
from napari_denoise_ae._napari.train.source_specs import CIFAR10
from napari_denoise_ae._napari.train.widget import TrainWidget
from napari_denoise_ae.models.presets import DATA_KINDS

# The fields that each kind of data shows.
SHOWN = {
    "data": {"data"},
    "images": {"images", "axes", "start_from"},
    "pairs": {"images", "clean", "axes", "start_from"},
    "repeats": {"images", "second", "axes", "start_from"},
    "adapt": {"images", "axes", "start_from"},
    "noise2void": {"images", "axes", "start_from"},
}


@pytest.fixture
def messages(monkeypatch):
    """Return the errors that the widget shows, instead of napari's pop-ups."""
    shown = []
    monkeypatch.setattr(train_run, "show_error", shown.append)
    return shown


@pytest.fixture
def layer(viewer):
    """Return a layer in the viewer, with a smooth image."""
    y, x = np.mgrid[:96, :80]
    image = (100 + 80 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint16)
    return viewer.add_image(image, name="scan")


@pytest.fixture
def widget(viewer, layer, plugin_settings, tmp_path, qtbot, messages):
    """Return the widget in a dock, with a small run on the CPU."""
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    widget.form.set_value("output", str(tmp_path / "model.pt"))
    widget.form.set_value("device", "cpu")
    yield widget
    for stop in list(train_run._RUNNING):
        stop.set()
    qtbot.waitUntil(lambda: not train_run._RUNNING)


def choose(widget, kind, **values):
    for name, value in ({"train_on": kind} | values).items():
        widget.form.set_value(name, value)


def wait_for_end(qtbot, widget):
    qtbot.waitUntil(widget.controls.train_button.isEnabled)
    qtbot.waitUntil(lambda: not train_run._RUNNING)


@pytest.mark.qt_binding
@pytest.mark.parametrize("kind", ["data", *DATA_KINDS])
def test_each_kind_shows_only_its_fields_and_says_when_to_use_it(widget, kind):
    form = widget.form
    choose(widget, kind)
    names = set().union(*SHOWN.values())
    shown = {name for name in names if form._fields[name].isVisibleTo(form)}
    assert shown == SHOWN[kind]
    assert form._fields["train_on"].explanation.startswith(("To see", "For "))
    assert form._fields["noise"].isVisibleTo(form) == (kind in ("data", "images"))
    assert ("noise" in form._names) == (kind in ("data", "images"))
    assert form._fields["patch_size"].isEnabled() == (kind != CIFAR10)
    assert form._fields["n_test"].isEnabled() == (kind == CIFAR10)
    for name in names:
        assert "Default: " in form._fields[name].toolTip()


def test_only_a_trained_model_can_be_adapted(widget):
    starts = widget.form._fields["start_from"]
    choose(widget, "adapt")
    assert None not in starts.editor.values
    assert starts.value == "auto"
    choose(widget, "noise2void")
    assert starts.value is None


@pytest.mark.qt_binding
def test_a_model_to_start_from_determines_the_network(widget):
    form = widget.form
    choose(widget, "images", start_from=None)
    assert form._fields["preset"].isVisibleTo(form)
    assert form.preset == "gray"
    assert form._fields["epochs"].value == 160
    form.set_value("start_from", "gray")
    assert not form._fields["preset"].isVisibleTo(form)
    assert not form._network.isVisibleTo(form)
    assert form._fields["epochs"].value == 20
    assert "network_options" not in form.settings


def test_defaults_of_own_images_are_left_to_the_run(widget):
    choose(widget, "images")
    assert widget.form.settings == {}
    widget.form.set_value("epochs", 3)
    assert widget.form.settings == {"epochs": 3}


@pytest.mark.qt_binding
def test_layers_are_passed_by_name_with_their_axes(viewer, widget, layer):
    source = widget.form.source
    choose(widget, "images", images=layer)
    assert source.job_arguments() == {
        "images": {"scan": layer.data},
        "axes": "YX",
        "channel": None,
        "start_from": "auto",
    }
    widget.form.set_value("axes", "XY")
    assert source.job_arguments()["axes"] == "XY"
    widget.form.set_value("axes", "")
    clean = viewer.add_image(layer.data // 2, name="other")
    choose(widget, "pairs", images=layer, clean=clean)
    noisy, other = source.job_arguments()["pairs"]
    assert (list(noisy), list(other)) == (["scan"], ["other"])


def test_the_layers_and_models_follow_the_viewer(viewer, widget, layer, checkpoint):
    choose(widget, "images", images=layer)
    editor = widget.form._fields["images"].editor
    layer.name = "renamed"
    assert editor.choice.currentText() == "renamed"
    viewer.layers.remove(layer)
    assert editor.layer is None
    model_choice(viewer).choose(checkpoint)
    assert checkpoint in widget.form._fields["start_from"].editor.values


def test_the_active_layer_is_proposed(viewer, widget, layer):
    choose(widget, "adapt")
    assert widget.form._fields["images"].value is layer
    # A path that was entered is kept.
    choose(widget, "images", images="photos")
    viewer.layers.selection.active = layer
    choose(widget, "adapt")
    assert widget.form._fields["images"].value == "photos"


@pytest.mark.qt_binding
def test_a_channel_can_be_chosen_where_there_are_channels(viewer, widget, layer):
    form, source = widget.form, widget.form.source
    channel = form._fields["channel"]
    axes = {"axis_labels": ("c", "y", "x")}
    two = viewer.add_image(np.stack([layer.data] * 2), name="two", **axes)
    choose(widget, "images", images=two)
    assert channel.isVisibleTo(form)
    assert (channel.editor.text(), channel.editor.maximum()) == ("all", 1)
    assert source.job_arguments()["channel"] is None
    channel.value = 1
    assert source.job_arguments()["channel"] == 1
    # Other axes, and other images.
    form.set_value("axes", "TYX")
    assert not channel.isVisibleTo(form)
    assert source.job_arguments()["channel"] is None
    choose(widget, "images", images="scans", axes="")
    assert channel.isVisibleTo(form)
    choose(widget, "images", images=layer)
    assert not channel.isVisibleTo(form)


def test_repeats_are_one_stack_or_two_images(viewer, widget, layer, tmp_path):
    source = widget.form.source
    choose(widget, "repeats", images=layer)
    assert source.job_arguments()["repeats"] == {"scan": layer.data}
    widget.form.set_value("second", layer)
    assert "not the same twice" in source.errors()["second"]
    again = viewer.add_image(layer.data + 1, name="again")
    widget.form.set_value("second", again)
    assert not source.errors()
    assert list(source.job_arguments()["repeats"]) == ["scan", "again"]
    file = str(tmp_path / "again.tif")
    widget.form.set_value("second", file)
    assert source.errors() == {"second": f"{file} does not exist."}
    assert source.job_arguments()["repeats"]["again.tif"] == file
    widget.form.set_value("images", "first.tif")
    assert source.job_arguments()["repeats"] == ["first.tif", file]


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("images", "", "Choose a layer, or enter a file"),
        ("repeats", "/no/such/folder", "/no/such/folder does not exist."),
    ],
)
def test_missing_images_are_marked(widget, messages, kind, path, expected):
    choose(widget, kind, images=path)
    widget.controls.train_button.click()
    assert expected in widget.form.message("images")
    assert not train_run._RUNNING
    assert not messages


def test_unusable_images_are_marked(widget, qtbot, messages, tmp_path):
    (tmp_path / "empty").mkdir()
    choose(widget, "images", images=str(tmp_path / "empty"))
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "empty" in widget.form.message("images")
    assert len(messages) == 1


@pytest.mark.qt_binding
def test_a_model_is_trained_on_a_layer(viewer, widget, qtbot, layer, tmp_path):
    before = layer.data.copy()
    values = {"epochs": 1, "batches_per_epoch": 2, "patch_size": 32, "batch_size": 2}
    choose(widget, "images", images=layer, start_from="gray", **values)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()
    assert "not scored" not in widget.controls.status.text()
    assert widget.progress._title.text() == "Validation images, best epoch"
    record = load_checkpoint(tmp_path / "model.pt").record
    assert (record.started_from, record.config.patch_size) == ("gray", 32)
    assert "scan" in record.images[0]
    assert model_choice(viewer).chosen == str(tmp_path / "model.pt")
    np.testing.assert_array_equal(layer.data, before)
    assert [each for each in viewer.layers if isinstance(each, Image)] == [layer]


def test_a_model_is_adapted_to_a_layer(viewer, widget, qtbot, tmp_path):
    noise = np.random.default_rng(0).normal(0, 20, (128, 128))
    layer = viewer.add_image((100 + noise).astype(np.float32), name="noisy")
    values = {"epochs": 1, "batches_per_epoch": 2, "patch_size": 32, "batch_size": 2}
    choose(widget, "adapt", images=layer, **values)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert widget.progress.pictures.rows == ("noisy", "denoised")
    record = load_checkpoint(tmp_path / "model.pt").record
    assert record.started_from == "gray"
    judgment = record.stop_reason.partition("; ")[2]
    assert judgment
    assert judgment[1:] in widget.controls.status.text()
    assert not widget.progress.plot.shows_training


@pytest.mark.qt_binding
def test_a_run_on_two_layers_is_resumed_when_both_are_open(
    viewer, widget, layer, qtbot, monkeypatch, tmp_path
):
    rng = np.random.default_rng(0)
    first, second = (
        viewer.add_image(rng.normal(layer.data, 9), name=name)
        for name in ("first", "second")
    )
    values = {"epochs": 1, "batches_per_epoch": 2, "patch_size": 32, "batch_size": 2}
    values["schedule"] = "constant"  # Only then, more epochs can be added.
    choose(widget, "repeats", images=first, second=second, **values)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()
    # The form says nothing about the run that is resumed but its epochs.
    choose(widget, "repeats", images=layer, epochs=2)
    monkeypatch.setattr(widget, "_choose_checkpoint", lambda: tmp_path / "model.pt")
    viewer.layers.remove(first)
    widget.controls.resume_button.click()
    message = "trained on the layers first and second; first is not open"
    assert message in widget.form.message("output")
    assert not train_run._RUNNING
    viewer.add_image(first.data, name="first")
    widget.controls.resume_button.click()
    wait_for_end(qtbot, widget)
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run == 2
    # With other pixels, the layer is not that of the run.
    viewer.layers["first"].data = first.data + 1
    choose(widget, "images")
    widget.controls.resume_button.click()
    wait_for_end(qtbot, widget)
    assert "checksum" in widget.form.message("output")


def train_on(qtbot, widget, kind, **values):
    """Train for one short epoch, and return the record of the run."""
    small = {"epochs": 1, "batches_per_epoch": 2, "patch_size": 32, "batch_size": 2}
    output = widget.form.output.with_name(f"{kind}.pt")
    choose(widget, kind, output=str(output), **(small | values))
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()
    return load_checkpoint(output).record


@pytest.mark.qt_binding
def test_pairs_stacks_of_repeats_and_noisy_images_are_trained_on(
    viewer, widget, layer, qtbot
):
    noisy = np.random.default_rng(0).normal(layer.data, 9, (3, 96, 80))
    pictures, plot = widget.progress.pictures, widget.progress.plot
    one = viewer.add_image(noisy[0], name="one")
    record = train_on(qtbot, widget, "pairs", images=one, clean=layer)
    assert [image.partition(" ")[0] for image in record.images] == ["one", "scan"]
    assert pictures.rows == ("noisy", "denoised", "clean")
    assert plot.shows_training
    stack = viewer.add_image(noisy, name="stack", axis_labels=("t", "y", "x"))
    record = train_on(qtbot, widget, "repeats", images=stack)
    assert record.images[0].startswith("stack (3 x 96 x 80, TYX")
    assert pictures.rows == ("noisy", "denoised")
    assert not plot.shows_training
    # The losses of pairs do not include noise.
    assert [curve.name for curve in plot.incomparable] == ["pairs.pt"]
    record = train_on(qtbot, widget, "noise2void", images=one, warm_up=0)
    assert record.started_from == ""
    assert "gray" in widget.controls.status.text()


@pytest.mark.qt_binding
def test_errors_of_the_images_are_marked_at_them(
    viewer, widget, layer, qtbot, messages
):
    small = viewer.add_image(layer.data[:50], name="small")
    flat = viewer.add_image(np.full((96, 80), 7.0), name="flat")
    cases = {
        "pairs": ({"images": layer, "clean": small}, "must have the same shape"),
        "repeats": ({"images": layer}, "has no repeats"),
        "adapt": ({"images": flat}, "No noise was detected"),
    }
    for kind, (images, expected) in cases.items():
        choose(widget, kind, **images)
        widget.controls.train_button.click()
        wait_for_end(qtbot, widget)
        assert expected in widget.form.message("images")
        assert expected in messages.pop()
        assert not messages
