"""Nothing but Flagcast's own lines reaches the log: what a library logs or warns of quotes what it fails over.

Lambda's runtime writes the records of every logger. One of them was `Failed to parse headers
(url=https://hooks.example/services/T0/secret)`.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import logging
import sys


def silence_libraries() -> None:
    """Drop the records of every logger, whatever level is set, and Python's warnings with them."""
    logging.disable(sys.maxsize)
    logging.captureWarnings(capture=True)
