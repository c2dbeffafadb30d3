"""Experiment changes: what an edit changed, in words: "hidden units of LSTM 12 → 24"."""

from dataclasses import replace

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.setting import differences


def changes(old: Experiment, new: Experiment) -> list[str]:
    """One phrase for each setting that differs, in the order of the form; empty when nothing does."""
    phrases = []
    if old.task.name != new.task.name:
        phrases.append(f"task {old.task.name} → {new.task.name}")
    else:
        phrases += differences(old.task, new.task)
    if old.seed != new.seed:
        phrases.append(f"seed {old.seed} → {new.seed}")
    phrases += _model_changes(old.models, new.models)
    phrases += differences(old.training, new.training)
    usual = replace(new.training, own=None, scheduled=None)  # what another optimiser or schedule begins with
    for part in ("own", "scheduled"):
        before, after = getattr(old.training, part), getattr(new.training, part)
        phrases += differences(before if type(before) is type(after) else getattr(usual, part), after)
    return phrases


def _model_changes(old: tuple[ModelSettings, ...], new: tuple[ModelSettings, ...]) -> list[str]:
    phrases: list[str] = []
    names_before, names_after = [m.name for m in old], [m.name for m in new]
    same = len(old) == len(new)
    pairs = zip(old, new, strict=True) if same else ((one, two) for one in old for two in new if one.name == two.name)
    for before, after in pairs:
        owner = f" of {before.name}" if len(old) > 1 else ""
        phrases += differences(before, after, owner)
        if type(before.own) is type(after.own):
            phrases += differences(before.own, after.own, owner)
    if same:
        return phrases
    phrases += [f"{name} removed" for name in names_before if name not in names_after]
    return phrases + [f"{name} added" for name in names_after if name not in names_before]
