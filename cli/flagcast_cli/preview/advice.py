"""What to look at when a destination did not take an event."""

_ADVICE = {
    400: "It did not understand the body: compare `flagcast render` with what its documentation asks for.",
    401: "It did not accept the credentials: look at the secret's value, and at the header that carries it.",
    403: "It did not accept the credentials, or they may not do this: look at the secret and its permissions.",
    404: "There is nothing at that address: look at the url, and at the secret that holds it.",
    405: "It takes another method: look at method.",
    410: "That address is gone for good: make a new one there.",
    413: "The body is too large for it.",
    415: "It wants another content_type.",
    422: "It did not understand the body: compare `flagcast render` with what its documentation asks for.",
    429: "It is called too often: wait, and try again.",
}
_AWS_ADVICE = {
    400: "AWS does not accept it as it is: its answer says why.",
    403: "Your login may not send there. Flagcast sends by its own role, which TargetArns gives this permission.",
    410: "There is nothing of that name: look at the ARN in the url.",
    429: "It is called too often: wait, and try again.",
}
CAUSES = {
    "connection": "Nothing took the connection: look at host and port, and whether this machine may reach it.",
    "name": "Its name is not known: look at the host in the url.",
    "tls": "Its certificate could not be verified, or it does not speak TLS.",
    "timeout": "It did not answer within the destination's timeout.",
    "protocol": "It did not answer as HTTP does.",
    "address": "Its address is none.",
}


def of_answer(status: int) -> str:
    """Say what to look at after an answer of HTTP."""
    if 300 <= status <= 399:
        return "It redirects, which is never followed: give the address that it redirects to."
    return _ADVICE.get(status, _otherwise(status))


def of_aws(status: int) -> str:
    """Say what to look at after an answer of an AWS service."""
    return _AWS_ADVICE.get(status, _otherwise(status))


def _otherwise(status: int) -> str:
    return "It is in trouble itself: try again later." if status >= 500 else "It refused."
