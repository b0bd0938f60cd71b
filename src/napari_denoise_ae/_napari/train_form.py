"""The settings of a training run as a form that checks every field by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from ..config import AUGMENTATIONS, OPTIMIZERS, PRESETS, preset_config
from ..errors import InvalidInputError
from ..losses import LOSSES
from .preferences import preferences

if TYPE_CHECKING:
    from collections.abc import Iterable

# Legible on the grounds of napari's dark and light themes.
_WRONG = "#e05252"

_CHOICES = {
    "loss": tuple(LOSSES),
    "optimizer": OPTIMIZERS,
    "augmentation": AUGMENTATIONS,
}

# What each setting is, with its unit; the default is added from the preset.
_MAIN = {
    "noise": "Noise that the network learns to remove, as name:amount. The amount is "
    "the standard deviation as a fraction of the intensity range; add ',unclipped' "
    "where values may leave the range.",
    "epochs": "Most epochs to train: passes over all training images.",
    "patience": "Epochs without a lower validation loss after which training stops.",
    "seed": "Whole number that decides the split, the first weights, the order of the "
    "images and the noise. The same seed gives the same network again.",
}
_MORE = {
    "batch_size": "Images in a batch. Fewer need less memory.",
    "learning_rate": "Step size of the optimizer, a number above 0.",
    "loss": "What is made small: mse (mean squared error) or l1 (mean absolute error).",
    "optimizer": "How it is made small.",
    "augmentation": "flip mirrors every other training image from left to right.",
    "val_fraction": "Share of the images held back for validation, between 0 and 1.",
    "min_delta": "How much lower the validation loss must be to count as lower, in the "
    "unit of the loss.",
    "mixed_precision": "Compute in bfloat16 on a CUDA device where nothing is lost.",
}
_LABELS = {"val_fraction": "validation share", "min_delta": "least improvement"}
_DEVICES = ("auto", "cpu", "cuda", "mps")


class TrainForm(QScrollArea):  # type: ignore[misc]
    """Fields for a preset, the data, the output and the settings.

    What is wrong is marked at its field as soon as it is typed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[str, _Field] = {}
        form = QFormLayout()
        _tidy(form)
        self._add(form, "preset", _combo(PRESETS), "What to start from.")
        self._add_paths(form)
        for name, text in _MAIN.items():
            self._add_setting(form, name, text)
        self._add_device(form)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(form)
        layout.addWidget(self._folded())
        layout.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._fields["preset"].editor.currentTextChanged.connect(self._take_preset)

    @property
    def preset(self) -> str:
        """The chosen preset."""
        return str(self._fields["preset"].value)

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return Path(self._fields["data"].value).expanduser()

    @property
    def output(self) -> Path:
        """The checkpoint to write."""
        return Path(self._fields["output"].value).expanduser()

    @property
    def device(self) -> str:
        """The device to train on."""
        return str(self._fields["device"].value)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of `TrainingConfig`, unchecked."""
        return {name: self._fields[name].value for name in (*_MAIN, *_MORE)}

    def set_value(self, name: str, value: Any) -> None:
        """Fill in a field."""
        self._fields[name].value = value

    def mark(self, name: str, message: str) -> None:
        """Say at a field what is wrong with it; nothing is, if it is empty."""
        self._fields[name].mark(message)
        if message and name in _MORE:
            self._more.expand(animate=False)

    def message(self, name: str) -> str:
        """Return what is said to be wrong with a field."""
        return self._fields[name].message

    def check(self, names: Iterable[str] = (*_MAIN, *_MORE)) -> bool:
        """Mark each of these settings that is wrong; return whether none is."""
        messages = {name: self._mistake(name) for name in names}
        for name, message in messages.items():
            self.mark(name, message)
        return not any(messages.values())

    def _mistake(self, name: str) -> str:
        try:
            preset_config(self.preset, **{name: self._fields[name].value})
        except InvalidInputError as error:
            return str(error)
        return ""

    def _add_paths(self, form: QFormLayout) -> None:
        kept = preferences()
        folder = Path(kept.checkpoint_folder or Path.home())
        data = _PathEdit(kept.data_folder, self._choose_folder)
        data.line.setPlaceholderText("folder of CIFAR-10")
        output = _PathEdit(str(folder / "best_denoising_model.pt"), self._choose_output)
        self._add(
            form,
            "data",
            data,
            "Folder that holds CIFAR-10's cifar-10-batches-py. If it is not there, "
            "Train offers to fetch it (170 MB). The last folder is remembered.",
        )
        self._add(
            form,
            "output",
            output,
            "Checkpoint to write, a .pt file. The losses as a table and as a picture, "
            "and what Resume needs, are written beside it.",
        )

    def _add_device(self, form: QFormLayout) -> None:
        editor = _combo(_DEVICES)
        editor.setEditable(True)
        editor.setCurrentText(preferences().device or "auto")
        text = "Where to compute: auto takes CUDA, else MPS (Apple), else the CPU; or "
        self._add(form, "device", editor, f"{text}cuda:N. Default: auto.")

    def _folded(self) -> QCollapsible:
        self._more = QCollapsible("More settings", collapsedIcon="▶")
        self._more.setDuration(0)
        content = QWidget()
        form = QFormLayout(content)
        _tidy(form)
        for name, text in _MORE.items():
            self._add_setting(form, name, text)
        self._more.addWidget(content)
        return self._more

    def _add_setting(self, form: QFormLayout, name: str, text: str) -> None:
        default = getattr(PRESETS[self.preset], name)
        field = self._add(
            form, name, _editor(name, default), f"{text} Default: {default}."
        )
        field.changed.connect(lambda: self.check([name]))

    def _add(
        self, form: QFormLayout, name: str, editor: QWidget, tooltip: str
    ) -> _Field:
        field = _Field(editor, tooltip)
        field.changed.connect(self.changed)
        label = QLabel(_LABELS.get(name, name.replace("_", " ")))
        label.setToolTip(field.toolTip())
        form.addRow(label, field)
        self._fields[name] = field
        return field

    def _take_preset(self, preset: str) -> None:
        for name in (*_MAIN, *_MORE):
            self.set_value(name, getattr(PRESETS[preset], name))

    def _choose_folder(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, "Folder of CIFAR-10"))

    def _choose_output(self) -> str:
        # Whether to replace a run is asked when training begins.
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Checkpoint to write",
            str(self.output),
            "Checkpoints (*.pt)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return str(path)


class _Field(QWidget):  # type: ignore[misc]
    """An editor with room below it for what is wrong with its value."""

    changed = Signal()

    def __init__(self, editor: QWidget, tooltip: str) -> None:
        super().__init__()
        self.editor = editor
        self.setToolTip(f"<qt>{tooltip}</qt>")  # as rich text it is wrapped
        self._wrong = ""
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setStyleSheet(f"color: {_WRONG}")
        self._message.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(editor)
        layout.addWidget(self._message)
        _changed_signal(editor).connect(lambda *_: self._tell())

    @property
    def value(self) -> Any:
        """What the editor holds; text that is no number stays text."""
        editor = self.editor
        if isinstance(editor, QComboBox):
            return editor.currentText()
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QSpinBox):
            return editor.value()
        text = editor.text().strip()
        return _number(text) if isinstance(editor, _NumberEdit) else text

    @value.setter
    def value(self, value: Any) -> None:
        editor = self.editor
        if isinstance(editor, QComboBox):
            editor.setCurrentText(value)
        elif isinstance(editor, QCheckBox):
            editor.setChecked(value)
        elif isinstance(editor, QSpinBox):
            editor.setValue(value)
        else:
            editor.setText(str(value))

    @property
    def message(self) -> str:
        """What is wrong, or nothing."""
        return self._wrong

    def mark(self, message: str) -> None:
        """Say what is wrong; an empty text takes it back."""
        self._wrong = message
        self._message.setText(breakable(message))
        self._message.setVisible(bool(message))
        self.editor.setStyleSheet(f"border: 1px solid {_WRONG};" if message else "")

    def _tell(self) -> None:
        # What was wrong with the old value says nothing about the new one.
        self.mark("")
        self.changed.emit()


class _NumberEdit(QLineEdit):  # type: ignore[misc]
    """A line for a number that a spin box would round, such as 1e-3."""


class _PathEdit(QWidget):  # type: ignore[misc]
    """A line for a path, and a button that asks for one."""

    def __init__(self, path: str, ask: Any) -> None:
        super().__init__()
        self.line = QLineEdit(path)
        button = QPushButton("…")
        button.setFixedWidth(30)
        button.clicked.connect(lambda: self._take(ask()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(button)

    def text(self) -> str:
        """Return the path."""
        return str(self.line.text())

    def setText(self, path: str) -> None:
        """Fill in a path."""
        self.line.setText(path)

    def _take(self, path: str) -> None:
        if path:
            self.line.setText(path)


def _editor(name: str, default: Any) -> QWidget:
    if name in _CHOICES:
        return _combo(_CHOICES[name])
    if isinstance(default, bool):
        editor = QCheckBox()
        editor.setChecked(default)
        return editor
    if isinstance(default, int):
        # Its limits are those of Qt: what is allowed is the config's to say.
        editor = QSpinBox()
        editor.setRange(0, 2**31 - 1)
        editor.setValue(default)
        return editor
    return (_NumberEdit if isinstance(default, float) else QLineEdit)(str(default))


def _combo(choices: Iterable[str]) -> QComboBox:
    editor = QComboBox()
    editor.addItems(list(choices))
    return editor


def _changed_signal(editor: QWidget) -> Any:
    if isinstance(editor, QComboBox):
        return editor.currentTextChanged
    if isinstance(editor, QCheckBox):
        return editor.toggled
    if isinstance(editor, QSpinBox):
        return editor.valueChanged
    line = editor.line if isinstance(editor, _PathEdit) else editor
    return line.textChanged


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def breakable(text: str) -> str:
    """Let a label wrap long paths, which would make its dock as wide as they are."""
    for separator in ("/", "\\"):
        text = text.replace(separator, f"{separator}\u200b")
    return text


def _tidy(form: QFormLayout) -> None:
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
