"""The one exception a person may cause: its text is the sentence that is shown."""


class RnnvizError(Exception):
    """A bad input or an impossible wish, said in one sentence: file or field, what was wanted, what came.

    Raised below; caught once at the edge (window or command line), which shows the sentence and no traceback.
    """
