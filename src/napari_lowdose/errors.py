"""What can go wrong at run time, each as one sentence a microscopist can act on."""


class LowDoseError(Exception):
    """Something the user can put right; its text is shown as it is.

    Never a `RuntimeError`: Qt's generator workers lose those without a word.
    """


class UnreadableFile(LowDoseError):
    """A file is missing, damaged, or not what its name says."""


class UnwritableFile(LowDoseError):
    """A result could not be stored; nothing was left half-written."""


class UnusableStack(LowDoseError):
    """A stack whose shape or values cannot be worked with."""


class CheckpointMismatch(LowDoseError):
    """A model file is damaged, foreign, or does not fit what is asked of it."""


class OutOfMemory(LowDoseError):
    """The device has too little memory for the batch it was given."""
