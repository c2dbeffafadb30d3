"""Keeps the preferences: what changes in the store is remembered, and written at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.preferences import Preferences, write_preferences
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message

_REMEMBERED = Fields(
    *("look.theme", "look.hidden_lanes", "look.page", "look.folders", "look.text_scale", "look.presentation_scale"),
    *("look.interface_scale", "look.view", "look.level", "look.animated", "look.walk_speed", "look.laboratory"),
    *("debugging.watches", "debugging.lent"),
)


class PreferenceSaver(QObject):
    """`preferences` as they are now; a folder that cannot be written is said once and then left alone."""

    def __init__(self, store: Store, preferences: Preferences, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preferences = preferences
        self._store = store
        self._path = path
        self._refused = False
        store.changed.connect(self.show_state)

    def remember(self, **changes: Any) -> None:
        """Replaces the given preferences and writes them."""
        preferences = replace(self.preferences, **changes)
        if preferences == self.preferences:
            return
        self.preferences = preferences
        try:
            write_preferences(preferences, self._path)
        except RnnvizError as error:
            if not self._refused:
                self._refused = True
                self._store.say(Message("warning", str(error)))

    @Slot(object)
    def use(self, path: Path) -> None:
        """`path` is the newest of the recent files."""
        self.remember(recent=self.preferences.with_recent(path.absolute()))

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _REMEMBERED.changed(old, new):
            self.remember(
                theme=new.look.theme,
                hidden_lanes=tuple(sorted(new.look.hidden_lanes)),
                view=new.look.view,
                level=new.look.level,
                animated=new.look.animated,
                walk_speed=new.look.walk_speed,
                page=new.look.page,
                folders=dict(new.look.folders),
                text_scale=new.look.text_scale,
                presentation_scale=new.look.presentation_scale,
                interface_scale=new.look.interface_scale,
                watches=new.debugging.own_watches,
                cards=new.look.laboratory.cards,
                threshold=new.look.laboratory.threshold,
                relative=new.look.laboratory.relative,
                layouts={name: ",".join(cards) for name, cards in new.look.laboratory.layouts},
            )
