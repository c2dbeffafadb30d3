"""The menus: everything the window can do, made from the command records: menu bar, palette, page of shortcuts."""
