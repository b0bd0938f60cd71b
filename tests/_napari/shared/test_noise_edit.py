from dataclasses import dataclass, field

import pytest

from napari_denoise_ae._napari.shared.noise_edit import NoiseChooser
from napari_denoise_ae.noise.base import NoiseModel, amount_metadata, flag_metadata
from napari_denoise_ae.noise.spec import parse_noise
from napari_denoise_ae.noise.synthetic import NOISE_MODELS, Gaussian


@pytest.fixture
def make_chooser(qtbot):
    def make(text="gaussian:0.5"):
        chooser = NoiseChooser(text)
        qtbot.addWidget(chooser)
        return chooser

    return make


def choose(part, name):
    part.kind.setCurrentIndex(part.kind.findData(name))


@pytest.mark.qt_binding
@pytest.mark.parametrize("name", NOISE_MODELS)
def test_each_noise_model_can_be_chosen_and_is_explained(make_chooser, name):
    chooser = make_chooser("poisson:3+speckle:0.2")
    part = chooser.parts[0]
    choose(part, name)
    first, second = parse_noise(chooser.value).parts
    assert first.name == name
    assert str(second) == "speckle:0.2"
    assert part.explanation.text() == NOISE_MODELS[name].explanation
    assert first.description.lower() in chooser.explanation.lower()
    for widget in (*part.flags.values(), *part.amounts):
        assert len(widget.toolTip()) > 20


def test_a_registered_noise_model_gets_its_fields(make_chooser, monkeypatch):
    @dataclass(frozen=True, slots=True)
    class Stripes(NoiseModel):
        """Stripes.

        Parameters
        ----------
        depth : float
            Darkness of the stripes.
        vertical : bool
            Whether the stripes are vertical.
        """

        name = "stripes"
        title = "striped"
        explanation = "A bad cable."

        depth: float = field(metadata=amount_metadata("of the range", highest=0.01))
        vertical: bool = field(default=False, metadata=flag_metadata("vertical"))

        def _describe_flags(self):
            return "vertical" if self.vertical else "horizontal"

        def apply(self, clean, generator, *, channel_axis=1):
            raise NotImplementedError

    monkeypatch.setitem(NOISE_MODELS, "stripes", Stripes)
    chooser = make_chooser()
    choose(chooser.parts[0], "stripes")
    part = chooser.parts[0]
    assert part.kind.currentText() == "Striped"
    assert "Darkness of the stripes" in part.amounts[0].toolTip()
    part.flags["vertical"].setChecked(True)
    assert chooser.value == "stripes:0.01,vertical"
    assert "Striped noise, depth 0.01 of the range, vertical." in chooser.explanation


@pytest.mark.qt_binding
def test_fields_write_the_text(make_chooser):
    chooser = make_chooser()
    emitted = []
    chooser.changed.connect(emitted.append)
    part = chooser.parts[0]
    part.amounts[0].low.setText("0")
    part.amounts[0].high.setText("0.3")
    part.flags["unclipped"].setChecked(True)
    assert chooser.value == "gaussian:0..0.3,unclipped"
    assert emitted[-1] == chooser.value
    assert "sigma 0 to 0.3 of the range, drawn for each image" in chooser.explanation


@pytest.mark.qt_binding
def test_fields_follow_the_text(make_chooser):
    chooser = make_chooser()
    chooser.value = "poisson-gaussian:0.01,0..0.05,unclipped+salt-pepper:0.123456789"
    first, second = chooser.parts
    assert first.model_name == "poisson-gaussian"
    assert [a.low.text() for a in first.amounts] == ["0.01", "0"]
    assert [a.high.text() for a in first.amounts] == ["", "0.05"]
    assert first.flags["unclipped"].isChecked()
    assert second.amounts[0].low.text() == "0.123456789"
    chooser.value = "gaussian:0.2"
    assert [part.model_name for part in chooser.parts] == ["gaussian"]


@pytest.mark.qt_binding
def test_an_optional_amount_is_written_once_it_is_given(make_chooser):
    chooser = make_chooser("gaussian:0.5,blur_x=2")
    options = chooser.parts[0].options
    assert [o.low.text() for o in options.values()] == ["", "2", ""]
    assert options["blur"].low.placeholderText() == "0"
    options["blur_x"].low.setText("")
    assert chooser.value == "gaussian:0.5"
    options["blur"].low.setText("1")
    chooser.parts[0].flags["unclipped"].setChecked(True)
    assert chooser.value == "gaussian:0.5,blur=1,unclipped"
    assert "blur 1 px" in chooser.explanation
    options["blur_y"].low.setText("1")
    assert "either blur" in chooser.explanation
    assert "in pixels" in options["blur"].toolTip()


@pytest.mark.qt_binding
def test_components_can_be_added_and_removed(make_chooser):
    chooser = make_chooser()
    assert chooser.parts[0].remove_button.isHidden()
    chooser.add_button.click()
    assert len(parse_noise(chooser.value).parts) == 2
    assert chooser.value.startswith("gaussian:0.5+")
    added = chooser.parts[1].text
    chooser.parts[0].remove_button.click()
    assert chooser.value == added
    assert chooser.parts[0].remove_button.isHidden()


@pytest.mark.qt_binding
@pytest.mark.parametrize("text", ["", "loud", "gaussian:", "gaussian:0", "gaussian:1+"])
def test_an_error_in_the_text_is_explained_and_can_be_corrected(make_chooser, text):
    chooser = make_chooser()
    chooser.value = text
    assert "oise" in chooser.explanation
    assert "border" in chooser.line.styleSheet()
    assert chooser.value == text
    # The fields do not match the text.
    assert not chooser.parts[0].isEnabled()
    chooser.value = "speckle:0.1"
    assert chooser.parts[0].isEnabled()
    assert "border" not in chooser.line.styleSheet()
    assert chooser.explanation.startswith("Speckle noise, sigma 0.1 of each value")


def test_an_error_in_a_field_can_be_corrected_in_the_field(make_chooser):
    chooser = make_chooser()
    amount = chooser.parts[0].amounts[0]
    amount.low.setText("")
    assert "Cannot parse the amount" in chooser.explanation
    assert chooser.parts[0].isEnabled()
    amount.low.setText("0.25")
    assert parse_noise(chooser.value) == Gaussian(0.25)
