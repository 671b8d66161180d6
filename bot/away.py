"""What is said when there is no working with the database."""


class Away(Exception):
    """The database cannot be reached or cannot write just now (away, disk full, locked). Nothing was changed."""


class Unusable(Exception):
    """What the URL names is no database of ours, or we may not use it."""

    exit_code = 2
