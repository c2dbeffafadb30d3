"""The shell: application, main window, bars, menus; everything is made and wired here, once."""
