"""Why a message could not be delivered, in a sentence for an administrator."""


class DeliveryError(Exception):
    """A message was not delivered; it is tried again. The text names no secret."""


class MailServerAwayError(DeliveryError):
    """The mail server did not answer: no other mail will get through at the moment."""
