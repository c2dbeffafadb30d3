"""What an edit changed, in words: "hidden size of LSTM 12 → 24"; and what cannot be, in one sentence."""

from dataclasses import fields

from rnnviz.core.experiment.settings import (
    Adding,
    Experiment,
    ModelSettings,
    NextCharacter,
    NextValue,
    Task,
    TemporalOrder,
)
from rnnviz.gui.widgets.parsing import show_number, show_or_off, show_span

CELL_WORDS = {"vanilla": "vanilla", "lstm": "LSTM", "gru": "GRU"}
OPTIMISER_WORDS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}
_WORDS = {
    "learning_rate": "rate",
    "num_layers": "layers",
    "forget_bias": "forget-gate bias",
    "file": "data",
    "first_mark": "first mark",
    "second_mark": "second mark",
    "batch_size": "batch",
}


def changes(old: Experiment, new: Experiment) -> list[str]:
    """One phrase for each setting that differs, in the order of the form; empty when nothing does."""
    phrases = []
    if old.task.name != new.task.name:
        phrases.append(f"task {old.task.name} → {new.task.name}")
    else:
        phrases += _differences(old.task, new.task)
    if old.seed != new.seed:
        phrases.append(f"seed {old.seed} → {new.seed}")
    phrases += _model_changes(old.models, new.models)
    return phrases + _differences(old.training, new.training)


def task_problem(task: Task) -> str:
    """Why the task as a whole cannot be, though each of its fields is valid; empty when it can."""
    if isinstance(task, TemporalOrder):
        if task.first_mark[1] >= task.second_mark[0]:
            return f"The second mark must come after the first, which lies at {show_span(task.first_mark)}."
        if task.second_mark[1] >= task.length[0]:
            return f"The shortest sequence must be longer than the last mark at {task.second_mark[1]}."
    return ""


def task_of(name: str) -> Task:
    """The task called `name` with its defaults."""
    tasks: dict[str, Task] = {task.name: task for task in (TemporalOrder(), Adding(), NextValue(), NextCharacter())}
    return tasks[name]


def _model_changes(old: tuple[ModelSettings, ...], new: tuple[ModelSettings, ...]) -> list[str]:
    phrases = []
    if len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            owner = f" of {before.name}" if len(old) > 1 else ""
            phrases += _differences(before, after, owner)
        return phrases
    names_before, names_after = [m.name for m in old], [m.name for m in new]
    phrases += [f"{name} removed" for name in names_before if name not in names_after]
    return phrases + [f"{name} added" for name in names_after if name not in names_before]


def _differences(old: object, new: object, owner: str = "") -> list[str]:
    phrases = []
    for field in fields(old):  # type: ignore[arg-type]
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            words = _WORDS.get(field.name, field.name.replace("_", " "))
            phrases.append(f"{words}{owner} {_shown(field.name, before)} → {_shown(field.name, after)}")
    return phrases


def _shown(name: str, value: object) -> str:
    if name == "clip_norm":
        return show_or_off(value)
    if name in ("length", "first_mark", "second_mark") and isinstance(value, tuple):
        return show_span(value)
    if name == "file":
        return str(value).replace("\\", "/").rsplit("/", 1)[-1] or "built in"
    if name == "columns":
        return ", ".join(value) if isinstance(value, tuple) and value else "all"
    if isinstance(value, bool):
        return "on" if value else "off"
    words = {**CELL_WORDS, **OPTIMISER_WORDS}
    return words.get(str(value), show_number(value))
