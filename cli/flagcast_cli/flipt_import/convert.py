"""What Flipt's webhook sink was told, as Flagcast's destinations and the secrets that they need."""

import re
from collections.abc import Mapping

from msgspec import Struct

from flagcast.config.secret_references import stripped
from flagcast.config.validation import OWN_HEADERS
from flagcast.config.value_path import join
from flagcast.rendering.render import is_json
from flagcast_cli.credentials.detection import is_credential_header, is_credential_url, is_harmless_host
from flagcast_cli.credentials.vendors import as_name, name_for
from flagcast_cli.credentials.webhook_address import Address, read_address
from flagcast_cli.deploy.required_secrets import OWN_SECRET
from flagcast_cli.flipt_import.body_credentials import without_credentials
from flagcast_cli.flipt_import.flipt_file import FliptTemplate, FliptWebhook
from flagcast_cli.flipt_import.implicit_behaviour import filter_for, subnets_for
from flagcast_cli.flipt_import.planned_secrets import Part, Secret, Slots
from flagcast_cli.flipt_import.settings import Setting
from flagcast_cli.flipt_import.sink_settings import SinkSettings, read_shared

_JSON = "application/json"
_SCHEME_AND_TOKEN = re.compile(r"([A-Za-z][A-Za-z0-9-]*) +(?=\S)")
_JINJA = ("{{", "{%", "{#")
_END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw")


class ImportedDestination(Struct, frozen=True):
    """One destination of flagcast.yaml, every value as it is to be written."""

    name: str
    origin: str
    """The path in Flipt's file that it comes from."""
    url: str
    allow_http: bool = False
    content_type: str | None = None
    headers: Mapping[str, str] = {}
    body: str | None = None
    sign_secret: str | None = None
    events: tuple[str, ...] = ()
    max_backoff_duration: str | None = None
    allow_private: tuple[str, ...] = ()
    when: str | None = None
    vars: Mapping[str, str] = {}


class Imported(Struct, frozen=True):
    """All that a Flipt file becomes."""

    destinations: tuple[ImportedDestination, ...]
    secrets: tuple[Secret, ...]
    notes: tuple[str, ...]


def convert(flipt: FliptWebhook) -> Imported:
    """Convert all that the sink was told; raises CommandError where Flipt itself could not have sent."""
    notes = list(flipt.notes)
    shared = read_shared(flipt, notes)
    names = {OWN_SECRET.name}
    made = [
        _template(each, name, shared, notes) for each in flipt.templates for name in (_unused(_name(each.url), names),)
    ]
    if flipt.url is not None:
        made.append(_pass_through(flipt.url, flipt.signing_secret, _unused(_name(flipt.url), names), shared, notes))
    return Imported(
        tuple(destination for destination, _ in made),
        tuple(secret for _, secret in made if secret is not None),
        tuple(notes),
    )


def _template(
    template: FliptTemplate, name: str, shared: SinkSettings, notes: list[str]
) -> tuple[ImportedDestination, Secret | None]:
    slots = Slots(name)
    url, address, basic = _url(template.url, slots, notes)
    headers: dict[str, str] = {}
    content_type = None
    for header, value in template.headers.items():
        path = join(f"{template.path}.headers", header)
        if header.lower() == "content-type":
            content_type = _content_type(path, value.known(), notes)
        elif header.lower() in OWN_HEADERS:
            notes.append(f"{path}: left out, because Flagcast sets it")
        else:
            headers[header] = _header(header, value, slots, notes)
    if basic is not None:
        _authorize(template.url.path, headers, basic, slots, notes)
    path = f"{template.path}.body"
    body, variables = without_credentials(template.body, path, slots, in_json=is_json(content_type or _JSON))
    if variables:
        notes.append(
            f"{path}: may contain credentials, so these are now vars of {name} ({', '.join(variables)})"
            " and the body takes them from {{ $.Vars.NAME }}. It sends the same, except that a number becomes a string"
        )
    return ImportedDestination(
        name, template.path, slots.written(url), _is_http(address), content_type,
        {header: slots.written(value) for header, value in headers.items()},
        body, None, shared.events, shared.max_backoff_duration, subnets_for(template.url.path, address, notes),
        filter_for(template, content_type, notes), {key: slots.written(value) for key, value in variables.items()},
    ), slots.secret()  # fmt: skip


def _pass_through(
    setting: Setting, signing_secret: Setting | None, name: str, shared: SinkSettings, notes: list[str]
) -> tuple[ImportedDestination, Secret | None]:
    """Make the destination of Flipt's url mode: the original bytes, signed as Flipt signs them."""
    slots = Slots(name)
    url, target, basic = _url(setting, slots, notes)
    headers: dict[str, str] = {}
    if basic is not None:
        _authorize(setting.path, headers, basic, slots, notes)
    sign = None if signing_secret is None else slots.put("signing_secret", Part.of(signing_secret))
    if signing_secret is not None and signing_secret.text != stripped(signing_secret.text or ""):
        notes.append(
            f"{signing_secret.path}: Flipt signs with the white space around it, and Flagcast without it:"
            " change the secret"
        )
    if sign is None:
        notes.append(f"{setting.path}: has no signing_secret beside it, so {name} still receives unsigned requests")
    return ImportedDestination(
        name, setting.path, slots.written(url), _is_http(target),
        headers={header: slots.written(value) for header, value in headers.items()},
        sign_secret=None if sign is None else slots.written(sign),
        events=shared.events, max_backoff_duration=shared.max_backoff_duration,
        allow_private=subnets_for(setting.path, target, notes),
    ), slots.secret()  # fmt: skip


def _url(setting: Setting, slots: Slots, notes: list[str]) -> tuple[str, Address | None, str | None]:
    """Return what to write, a slot where it is to be kept secret; the address if known; and the user that was in it."""
    if setting.text is None:
        notes.append(
            f"{setting.path}: {setting.variable} is not set here, so the address is unknown; "
            "if it begins with http://, add allow_http: true"
        )
        return slots.put("url", Part.of(setting)), None, None
    address = read_address(setting.path, setting.text)
    if _is_http(address):
        notes.append(f"{setting.path}: is not https, so allow_http: true was added; better use https")
    if setting.variable is not None or is_credential_url(address.url):
        return slots.put("url", Part(setting.path, address.url)), address, address.basic
    return address.url, address, address.basic


def _is_http(address: Address | None) -> bool:
    return address is not None and address.scheme == "http"


def _header(name: str, value: Setting, slots: Slots, notes: list[str]) -> str:
    """Return a header's value as Flagcast writes it, a template; a slot for what looks like a credential."""
    key = as_name(name).replace("-", "_")
    if value.text is None or value.variable is not None:
        return slots.put(key, Part.of(value))
    if "${" in value.text:
        notes.append(
            f"{value.path}: Flipt replaces ${{...}} only if it is the whole value, and sends this one unchanged,"
            " so it is kept"
        )
        return slots.put(key, Part.of(value))
    if is_credential_header(name, value.text):
        scheme = _SCHEME_AND_TOKEN.match(value.text) if name.lower() == "authorization" else None
        shown, kept = ("", value.text) if scheme is None else (scheme[0], value.text[scheme.end() :])
        return shown + slots.put(key, Part(value.path, kept))
    if any(each in value.text for each in _JINJA):
        notes.append(f"{value.path}: Flipt fills no templates in headers, so the braces are kept")
        if _END_OF_RAW.search(value.text):
            return slots.put(key, Part.of(value))
        return f"{{% raw %}}{value.text}{{% endraw %}}"
    return value.text


def _authorize(path: str, headers: dict[str, str], basic: str, slots: Slots, notes: list[str]) -> None:
    """Send the user of an address as Go does: as Basic authentication, unless there is an Authorization already."""
    if any(each.lower() == "authorization" for each in headers):
        notes.append(
            f"{path}: the user and password in it are left out, because Flipt sends the header Authorization instead"
        )
        return
    headers["Authorization"] = "Basic " + slots.put("authorization", Part(path, basic))
    notes.append(f"{path}: the user and password in it are now the header Authorization, as Flipt sends them")


def _content_type(path: str, text: str, notes: list[str]) -> str | None:
    if text in ("", _JSON):
        return None
    if not is_json(text):
        notes.append(
            f"{path}: Flipt adds a second Content-Type, {_JSON}; Flagcast sends only this one, and then does "
            "not escape values for JSON. If the body is JSON, delete content_type"
        )
    return text


def _name(url: Setting) -> str:
    """Name a destination by its host, or by the variable that holds an address not known here."""
    if url.text is None:
        return as_name((url.variable or "").removesuffix("_URL"))
    host = read_address(url.path, url.text).host
    return name_for(host, shown=is_harmless_host(host))


def _unused(name: str, names: set[str]) -> str:
    """Return the name, numbered if it is taken, and take it."""
    number, candidate = 1, name
    while candidate in names:
        number += 1
        candidate = f"{name}-{number}"
    names.add(candidate)
    return candidate
