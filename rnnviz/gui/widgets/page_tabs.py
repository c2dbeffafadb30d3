"""Page tabs: a tab bar whose tabs a screen reader names one by one."""

from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QTabBar

from rnnviz.gui.widgets.spoken import Part


class PageTabs(QTabBar):
    """Qt's own would say the name of the page in front as its own."""

    spoken_role = QAccessible.Role.PageTabList

    def spoken_parts(self) -> list[Part]:
        role, numbers = QAccessible.Role.PageTab, range(self.count())
        return [Part(self.tabText(n), self.tabRect(n), role, selected=n == self.currentIndex()) for n in numbers]
