"""File commands: open, save, export, take the picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, RUN
from rnnviz.core.resources import resource
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_run, has_trace, need
from rnnviz.gui.figures.formats import FIGURES, SCALES
from rnnviz.gui.live.session import Session
from rnnviz.gui.opening.file_dialogs import choose, path_to_open, path_to_save, write_filter
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message

MENU = "File"
LESSONS = {  # file in resources/experiments: words, tooltip
    "the-gate-opens": (
        "The gate opens",
        "a breakpoint finds the moment an LSTM learns to remember, and the unit that does",
    ),
}
EXAMPLES = {  # file in resources/experiments: words, tooltip
    "adding": ("Adding two numbers", "50 time steps, two of them marked: the LSTM learns their sum, tanh does not"),
    "parity": ("Parity of bits", "trained on up to 20 bits, right on 100 once it is learnt: minGRU never learns it"),
    "sunspots": ("Sunspots", 'the next year from the 40 years before it, against "same as last year"'),
    "next-character": ("Next character", "the help texts of Python, one character a time step"),
    "date-formats": (
        "Date formats",
        "read as people write them, written as yyyy-mm-dd: with attention and without",
    ),
    "truncation": (
        "Truncated too short",
        "temporal order, the gradient cut every 5 time steps: the LSTM goes on guessing; with truncation off it learns",
    ),
    "forget-bias": ("Forget-gate bias", "three LSTMs that differ in it alone, on sequences of 100 to 110 time steps"),
}

_FINER = {1: "as fine as on the screen", 2: "twice as fine as on the screen", 4: "four times as fine as on the screen"}

Picture = Callable[[int], QImage]  # by its scale


@dataclass(frozen=True)
class Pictures:
    """What can be saved as a picture."""

    lanes: Picture
    window: Picture
    ask: Callable[[Callable[[QImage], object]], object]  # in a dialog how large; what is done with it


def open_example(session: Session, name: str) -> None:
    """Starts one of the experiments that ship with rnnviz."""
    session.start(session.files.read_experiment(resource(f"experiments/{name}.toml")))


def open_file(window: QWidget, store: Store, session: Session) -> None:
    path = store.state.run.path
    chosen = path_to_open(window, store, str(path.parent) if path is not None and store.state.run.kept else "")
    if chosen is not None:
        session.files.open_path(chosen)


def save_run(window: QWidget, store: Store, session: Session) -> None:
    chosen = path_to_save(window, store, "Save the run", _run_name(store.state), write_filter(RUN), RUN.name)
    if chosen is not None:
        session.files.save_run(chosen)


def save_experiment(window: QWidget, store: Store, session: Session) -> None:
    chosen = path_to_save(
        window,
        store,
        "Save the experiment",
        f"{_file_words(store.state.run.title)}{EXPERIMENT.endings[0]}",
        write_filter(EXPERIMENT),
        EXPERIMENT.name,
    )
    if chosen is not None:
        session.files.save_experiment(chosen)


def export_model(window: QWidget, store: Store, session: Session) -> None:
    """Asks which model and where; RnnvizError if there is none."""
    names = [model.name for model in store.state.run.models]
    if not names:
        raise RnnvizError("There is no trained model to export yet.")
    model = names[0] if len(names) == 1 else choose("Export a model", "The weights of", names, window)
    if model:
        kinds = ";;".join(map(write_filter, CHECKPOINTS))
        proposal = _file_words(model) + CHECKPOINTS[0].endings[0]
        chosen = path_to_save(window, store, f"Export the weights of {model}", proposal, kinds, "model")
        if chosen is not None:
            session.files.export(chosen, model)


def save_picture(window: QWidget, store: Store, picture: Picture, scale: int) -> None:
    """Asks where and saves a picture; RnnvizError if it cannot be written."""
    save_image(window, store, picture(scale))  # drawn before the dialog covers anything


def save_image(window: QWidget, store: Store, image: QImage) -> None:
    """Asks where; RnnvizError if it cannot be written."""
    chosen = path_to_save(
        window,
        store,
        "Save the picture",
        picture_name(store.state) + FIGURES[0].ending,
        f"Pictures ({' '.join(f'*{one.ending}' for one in FIGURES)})",
        "picture",
    )
    if chosen is not None:
        write_picture(image, chosen)
        store.say(Message("info", f"The picture ({image.width()} × {image.height()}) is saved as {chosen}."))


def picture_name(state: State) -> str:
    """What a picture's file is called: after the run, and where there is one after the training step it shows."""
    shown = f"-training-step-{state.place.cursor.training_step}" if has_trace(state) else ""
    return _file_words(state.run.title) + shown


def write_picture(image: QImage, path: Path) -> None:
    """RnnvizError if the folder does not let us."""
    from rnnviz.gui.figures.pictures import save_picture  # late: drawing waits until somebody draws

    save_picture(image, path)


def copy_picture(store: Store, picture: Picture) -> None:
    image = picture(2)
    QGuiApplication.clipboard().setImage(image)
    store.say(Message("info", f"The picture of the lanes ({image.width()} × {image.height()}) is copied."))


def _run_name(state: State) -> str:
    """What a copy of the run may be called: after the name a person gave it, else as its file."""
    if state.run.name:
        return _file_words(state.run.name) + RUN.endings[0]
    return state.run.path.name if state.run.path is not None else ""


def _file_words(name: str) -> str:
    """A name as a file may be called."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split()) or "rnnviz"


def file_commands(
    window: QWidget,
    store: Store,
    session: Session,
    drawn: Pictures,
    quit: Callable[[], object],
    library: Sequence[Command] = (),
) -> Sequence[Command]:
    """The File menu, in its order, with the commands of the `library` of runs; the recent files are put in by the
    window."""

    has_experiment = need(lambda state: state.run.experiment is not None, "nothing here can be trained")

    def pictures(what: str, key: str, picture: Picture) -> tuple[Command, ...]:
        formats = " or ".join(one.name for one in FIGURES)
        return tuple(
            Command(f"{key}_{scale}", f"{what} at {scale}×", f"as {formats}, {_FINER[scale]}",
                    partial(save_picture, window, store, picture, scale), MENU, section=2, submenu="Save picture")
            for scale in SCALES
        )  # fmt: skip

    def shipped(kind: str, experiments: Mapping[str, tuple[str, str]], submenu: str) -> tuple[Command, ...]:
        return tuple(
            Command(f"{kind}_{name}", words, tooltip, partial(open_example, session, name), MENU, submenu=submenu)
            for name, (words, tooltip) in experiments.items()
        )

    return (
        Command("first_lesson", "First lesson", "Who remembers? A vanilla RNN and an LSTM learn the same task",
                lambda: session.start(first_lesson()), MENU, ("Ctrl+N",), "lesson", submenu="Lessons"),
        *shipped("lesson", LESSONS, "Lessons"),
        *shipped("example", EXAMPLES, "Examples"),
        Command("open", "Open …", "a run, an experiment, a model, a table, a text; or drop it on the window",
                lambda: open_file(window, store, session), MENU, ("Ctrl+O",), "open"),
        *library,
        Command("save_run", "Save run as …", "a copy of everything recorded so far",
                lambda: save_run(window, store, session), MENU, ("Ctrl+Shift+S",), "save", has_run, section=1),
        Command("save_experiment", "Save experiment …", "task, models and training settings as a TOML file",
                lambda: save_experiment(window, store, session), MENU, ("Ctrl+S",), "save",
                has_experiment, section=1),
        Command("export", "Export model …", "its weights at the training step shown, for plain PyTorch",
                lambda: export_model(window, store, session), MENU, ("Ctrl+E",), "export",
                has_run & has_trace, section=1),
        Command("save_picture", "Figure …", "lanes, training curves or both for a page: size, theme and font scale",
                lambda: drawn.ask(partial(save_image, window, store)), MENU, section=2, submenu="Save picture"),
        *pictures("Lanes", "save_lanes", drawn.lanes),
        *pictures("Whole window", "save_window", drawn.window),
        Command("copy_picture", "Copy picture", "the lanes at 2×, into the clipboard",
                lambda: copy_picture(store, drawn.lanes), MENU, ("Ctrl+Shift+C",), "copy", section=2),
        Command("quit", "Quit", "ends the engine; the run stays whole", quit, MENU, ("Ctrl+Q",), section=3),
    )  # fmt: skip
