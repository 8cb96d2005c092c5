"""Failures named after the boundary they crossed. The command line prints each as one line."""


class CodeselfError(Exception):
    """Something the user can act on: the message says where, what was found and what was expected."""

    exit_code = 1


class InputError(CodeselfError):
    """A file, flag or config key that cannot be used as it stands."""

    exit_code = 2


class SourceError(CodeselfError):
    """Data or weights that could not be fetched, or are not the ones that were pinned."""

    exit_code = 3


class InfrastructureError(CodeselfError):
    """A fault of ours or of the machine's. It is never a candidate's wrong answer."""

    exit_code = 4
