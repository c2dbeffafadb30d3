"""The cards of a lesson, read from its TOML file."""

import tomllib
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.resources import resource
from rnnviz.debugger.cursor import Phase


@dataclass(frozen=True)
class Show:
    """A place the cursor goes to when its words are pressed; what is None stays as it is."""

    words: str
    phase: Phase | None = None
    time_step: int | None = None
    training_step: int | None = None


@dataclass(frozen=True)
class Press:
    """A command that the card asks for, by the key of its record."""

    command: str
    words: str
    until_paused: bool = False  # the next card is about what stops the training


@dataclass(frozen=True)
class Card:
    """One card: a few sentences in markup (h_T), perhaps a command to press, perhaps places to see."""

    text: str
    press: Press | None
    show: tuple[Show, ...]


@dataclass(frozen=True)
class Lesson:
    """The cards in their order; the lesson belongs to experiments of `task` named `title`."""

    name: str  # of its file
    title: str
    task: str
    cards: tuple[Card, ...]

    def belongs_to(self, experiment: Experiment | None) -> bool:
        """Whether its cards speak of this experiment."""
        return experiment is not None and (experiment.task.name, experiment.name) == (self.task, self.title)


LESSONS = ("who-remembers", "the-gate-opens")  # files in resources/lessons, in the order they are learnt


def read_lessons() -> tuple[Lesson, ...]:
    """All lessons; RnnvizError names a file that is none."""
    return tuple(read_lesson(name) for name in LESSONS)


def read_lesson(name: str) -> Lesson:
    """The lesson in resources/lessons/`name`.toml; RnnvizError names the file when it is not one."""
    path = resource(f"lessons/{name}.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        cards = tuple(
            Card(
                card["text"].strip(),
                Press(**card["press"]) if "press" in card else None,
                tuple(_show(show) for show in card.get("show", ())),
            )
            for card in data["card"]
        )
        return Lesson(name, data["title"], data["task"], cards)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise RnnvizError(f"{path}: a lesson with title, task and cards was wanted, but: {error}.") from error


def _show(data: dict[str, object]) -> Show:
    phase = data.get("phase")
    return Show(**{**data, "phase": Phase(phase) if phase is not None else None})  # type: ignore[arg-type]
