"""Bodies that are no event, and events that are more than they should be, as a signer might write them."""

import json

LARGE = 1_000_000
DEEP = 100_000
DEPTHS = (50, 500, 990, 2_000, 9_000)


def written(payload: str = '{"key":"a"}', **wire: str) -> bytes:
    """Write an event as JSON text, field by field, so that a value may be what no encoder would write."""
    fields = {
        "type": '"flag"',
        "action": '"updated"',
        "timestamp": '"2026-01-02T03:04:05Z"',
        "payload": payload,
        **wire,
    }
    inside = ",".join(f'"{name}":{value}' for name, value in fields.items() if value)
    return f"{{{inside}}}".encode(errors="surrogatepass")


KINDS = {
    "null": "null", "true": "true", "zero": "0", "a number": "-1.5e3", "a text": '"x"', "nothing in a text": '""',
    "a list": "[1]", "an empty list": "[]", "an empty object": "{}", "a list in a list": '[[{"key":[]}]]',
}  # fmt: skip
WORDS = {
    "a line break": "a\nb", "CR LF and a header": "a\r\nX-Injected: 1", "NUL": "a\0b",
    "all controls": "".join(map(chr, range(32))),
    "DEL and C1": "\x7f\x80\x9f", "noncharacters": "\ufffe\uffff\U0001ffff", "separators": "\u2028\u2029",
    "a BOM": "\ufeff",
    "right to left": "\u202e\u2067\u200b", "markup": "<script>alert(1)</script><!channel>*_`|&",
    "a quote": '"}],"x":{"y":"',
    "backslashes": "\\\\\\", "templates": "{{ 7*7 }}{% raw %}${secret:x}${env:HOME}{{.Type}}",
    "astral": "\U0001f600" * 50,
    "long": "x" * 50_000, "combining": "e" + "\u0301" * 5_000, "a path": "../../etc/passwd",
    "an address": "http://169.254.169.254/",
}  # fmt: skip
NO_EVENT = {
    "100,000 lists deep": written("[" * DEEP + "]" * DEEP),
    "100,000 objects deep": written('{"a":' * DEEP + "1" + "}" * DEEP),
    "100,000 lists that never end": b"[" * DEEP,
    "10,000 deep": written("[" * 10_000 + "]" * 10_000),
    "1e400": written('{"key":"a","rollout":1e400}'),
    "100,000 digits": written(f'{{"key":"a","rollout":{"9" * 100_000}}}'),
    "half a character": written('{"key":"\\ud800"}'),
    "half a character as bytes": written('{"key":"\ud800"}'),
    "a BOM before it": b"\xef\xbb\xbf" + written(),
    "UTF-16": written().decode().encode("utf-16"),
    "a byte that is not UTF-8": written('{"key":"\xff"}').replace(b"\xc3\xbf", b"\xff"),
    "overlong UTF-8": written('{"key":"?"}').replace(b"?", b"\xc0\xaf"),
    "a bare control character": written('{"key":"\x01"}'),
    "a bare NUL": written() + b"\0",
    "NaN": written("NaN"),
    "a comment": written() + b"// no",
    "a comma too many": written()[:-1] + b",}",
    "the type twice, the last a number": written(action='"updated","type":1'),
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"flag"',
    "two events": written() * 2,
    "an event cut off": written()[:-1],
    "no type": written(type=""),
    "no action": written(action=""),
    "an empty action": written(action='""'),
    **{f"a type that is {name}": written(type=value) for name, value in KINDS.items() if name != "a text"},
    "6 MB of a list that never ends": b"[" + b"0," * 3_000_000,
}
FAMILIES: dict[str, dict[str, bytes]] = {
    "depth": {
        **{f"{depth} lists": written("[" * depth + "]" * depth) for depth in DEPTHS},
        **{f"{depth} objects": written('{"a":' * depth + "1" + "}" * depth) for depth in DEPTHS},
        "metadata": written(metadata='{"actor":' + '{"a":' * 900 + "1" + "}" * 901),
    },
    "numbers": {
        "-0": written('{"key":"a","rollout":-0,"rank":-0.0}'),
        "1E-400": written('{"key":"a","rollout":1E-400}'),
        "4,300 digits": written(f'{{"key":"a","rollout":{"9" * 4_300}}}'),
        "4,300 digits for all": written("9" * 4_300),
        "2^64": written(f'{{"key":"a","rollout":{2**64},"rank":-{2**63 + 1}}}'),
        "1e308": written('{"key":"a","rollout":1e308,"rank":123456789.123456789e-300}'),
    },
    "objects": {
        "keys twice": written('{"key":"a","key":"b","key":{"key":1}}', action='"updated","type":"flag","payload":1'),
        "empty keys": written('{"":{"":{"":[""]}},"key":""}'),
        "a pair of halves": written('{"key":"\\ud83d\\ude00"}'),
        "100,000 keys": written("{" + ",".join(f'"k{at}":{at}' for at in range(100_000)) + "}"),
        "100,000 keys in metadata": written(
            metadata='{"actor":{' + ",".join(f'"k{at}":"v"' for at in range(100_000)) + "}}"
        ),
    },
    "size": {
        "a megabyte of one key": written(f'{{"{"k" * LARGE}":1,"key":"a"}}'),
        "a megabyte of one text": written(f'{{"key":"{"v" * LARGE}"}}'),
        "two megabytes of markup": written(f'{{"key":"a","name":"{"*" * LARGE}","description":"{"&" * LARGE}"}}'),
        "a megabyte of a type": written(type=f'"{"t" * LARGE}"'),
        "6 MB of one text": written(f'{{"key":"a","attachment":"{"x" * 5_990_000}"}}'),
        "6 MB of spaces": written() + b" " * 5_990_000,
        "100,000 empty lists": written("[" + "[]," * 100_000 + "0]"),
    },
    "kinds": {
        **{f"payload: {name}": written(value) for name, value in KINDS.items()},
        **{f"metadata: {name}": written(metadata=value) for name, value in KINDS.items()},
        **{f"actor: {name}": written(metadata=f'{{"actor":{value}}}') for name, value in KINDS.items()},
        **{f"name: {name}": written(metadata=f'{{"actor":{{"name":{value}}}}}') for name, value in KINDS.items()},
        **{f"timestamp: {name}": written(timestamp=value) for name, value in KINDS.items()},
        **{f"status: {name}": written(status=value) for name, value in KINDS.items()},
    },
    "words": {
        **{
            f"type and action: {name}": written(type=json.dumps(value), action=json.dumps(value))
            for name, value in WORDS.items()
        },
        **{
            f"keys: {name}": written(json.dumps(dict.fromkeys(["key", "namespace_key", "name"], value)))
            for name, value in WORDS.items()
        },
        **{
            f"refused: {name}": written("null", status='"denied"', metadata=json.dumps({"actor": {"name": value}}))
            for name, value in WORDS.items()
        },
    },
}
