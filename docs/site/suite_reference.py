"""The reference of suite files, written from their JSON Schema."""

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
ORDER = [
    ("StreamSuite", "A suite over a stream of scanners"),
    ("Replicates", "replicates"),
    ("SeedCurveSuite", "A SEED curve"),
    ("UpdateSuite", "An update of a saved model"),
    ("Data", "data"),
    ("PhantomData", "phantom"),
    ("DrawnScanners", "drawn"),
    ("Image", "image"),
    ("Split", "split"),
    ("Training", "training"),
    ("Later", "later"),
    ("StyleAugmentation", "augment"),
    ("GIN", "gin"),
    ("AmplitudeMix", "amplitude_mix"),
    ("KernelNoise", "kernel_noise"),
    ("Margins", "margins"),
    ("ModelChoice", "models"),
    ("StrategyChoice", "strategies"),
]
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
HEAD = """# The fields of a suite

Made from the program that reads suites. `cl-seg schema > suite.schema.json` and a first line
`# yaml-language-server: $schema=suite.schema.json` let an editor complete and check a suite as it
is written ([the schema](suite.schema.json)); `cl-seg plan` tells every mistake with its line.
"""


def suite_page(schema: Schema) -> str:
    """A Markdown page with a table of fields for every part of a suite."""
    parts = schema["$defs"]
    settings = [(n, n.removesuffix("_settings")) for n in parts if n.endswith("_settings")]
    lines = [HEAD]
    for name, title in ORDER:
        lines += _section(f"## {title}", parts[name])
    lines.append("## Settings of strategies\n")
    for name, title in settings:
        if parts[name].get("properties"):
            lines += _section(f"### {title}", parts[name])
    return "\n".join(lines)


def _section(heading: str, part: Schema) -> Iterator[str]:
    fields = part["anyOf"][1] if "anyOf" in part else part
    needed = dict.fromkeys(fields.get("else", {}).get("required", []), "needed without `model`")
    needed |= dict.fromkeys(fields.get("required", []), "needed")
    yield f"{heading}\n\n{_prose(part['description'])}\n"
    yield "| field | value | default | meaning |\n| --- | --- | --- | --- |"
    for name, field in sorted(fields["properties"].items(), key=lambda item: item[0] != "kind"):
        default = needed.get(name) or _default(field)
        yield f"| `{name}` | {_kind(field)} | {default} | {_prose(field.get('description', ''))} |"
    yield ""


def _prose(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _default(field: Schema) -> str:
    value = field.get("default")
    if value is None or value in ({}, [], ""):
        return "–"
    if isinstance(value, dict) and "$ref" in field:
        return "its defaults"
    return f"`{json.dumps(value)}`"


def _kind(field: Schema) -> str:
    """What a field takes, in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        title = dict(ORDER).get(name, name)
        return f"[{title}](#{title.lower().replace(' ', '-')})"
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type", "null")
    if kind != "string" and (choices := field.get("anyOf", field.get("oneOf"))):
        return " or ".join(_kind(one) for one in choices if one.get("type") != "null")
    inner = field.get("items", field.get("additionalProperties"))
    of = _kind(inner) if isinstance(inner, dict) and inner else ""
    return {"array": f"list of {of}" if of else "list", "object": f"names → {of}"}.get(
        kind, WORDS.get(kind, "anything")
    )
