"""The one exception that users are meant to read."""


class ModthreadError(Exception):
    """Something the user can mend: one line that says what is wrong and what to do.

    The command prints it as ``modthread: MESSAGE`` and exits with status 2;
    the pytest plugin turns it into ``pytest.UsageError``.
    """
