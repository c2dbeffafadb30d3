"""What a person can do, as records; menus, buttons, shortcuts and the page of shortcuts are made from them."""
