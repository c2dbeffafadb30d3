"""Opening: files a person chooses, and the dialogs that ask what to do with them."""
