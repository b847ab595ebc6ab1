"""A provider's schema, read out of the bindings for CDK that were generated from it.

    schema.py BINDINGS.whl PACKAGE TYPE... > schema.json

The wheel holds JavaScript with its TypeScript sources in source maps, and these say of every attribute whether it
is required, optional or computed. What comes out has the shape of `terraform providers schema -json` (one
provider). What the bindings do not say (which attributes are sensitive, force a new resource or have a default)
stands in standin.py.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import sys
import tarfile
import zipfile

FLAGS = re.compile(
    r"^  // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.M
)
CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) \{$(.*?)^\}$", re.M | re.S)
INTERFACE = re.compile(r"^export interface (\w+) \{$(.*?)^\}$", re.M | re.S)
FIELD = re.compile(r"#(\w+) \w+#\w+\}\n(?:[ *\w].*\n)*?  readonly \w+(\?)?: (.+);")
SIMPLE = {"String": "string", "Number": "number", "Boolean": "bool"}


def sources(wheel: str) -> dict[str, str]:
    """TypeScript by folder: a resource, `data-...` or the provider."""
    with zipfile.ZipFile(wheel) as outer:
        (inner,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with outer.open(inner) as packed, tarfile.open(fileobj=packed) as package:
            found = {}
            for member in package:
                parts = member.name.split("/")
                if len(parts) != 4 or parts[1] != "lib" or parts[3] != "index.js":
                    continue
                text = package.extractfile(member).read().decode()
                encoded = text.rpartition("sourceMappingURL=data:application/json;base64,")[2].strip()
                if encoded.startswith("eyJ"):
                    found[parts[2]] = json.loads(base64.b64decode(encoded))["sourcesContent"][0]
    return found


def attribute_type(body: str, name: str) -> object:
    """A type as Terraform writes it, or (nesting mode, class) of the block that stands there."""
    getter = re.search(rf"(Fn\.tolist\()?this\.get(\w+)Attribute\('{name}'\)", body)
    if getter:
        of_set, kind = getter.groups()
        if kind in SIMPLE:
            return SIMPLE[kind]
        collection, _, element = {
            "List": ("list", "", "string"), "NumberList": ("list", "", "number"), "StringMap": ("map", "", "string"),
            "NumberMap": ("map", "", "number"), "BooleanMap": ("map", "", "bool"),
        }[kind]  # fmt: skip
        return ["set" if of_set else collection, element]
    held = re.search(r"private _\w+\?: ([^;|]+?)(?: \| cdktf\.IResolvable)?;", body)
    if held and "this.get" not in body:  # an argument of the provider, which nobody can read back
        plain = written_type(held[1])
        return plain if plain else ("one", held[1].removesuffix("[]"))
    made = re.search(r" = new (cdktf\.)?(\w+)\(this, \"\w+\"(?:, (true|false))?\)", body)
    of_cdktf, kind, is_set = made.groups()
    if of_cdktf:
        maps = {"StringMap": "string", "NumberMap": "number", "BooleanMap": "bool"}
        if kind in maps:
            return ["map", maps[kind]]
        return ["set" if is_set == "true" else "list", ["map", maps[kind.removesuffix("List")]]]
    if kind.endswith("OutputReference"):
        return "single" if kind.endswith("TimeoutsOutputReference") else "one", kind
    return "set" if is_set == "true" else "list", kind.removesuffix("List") + "OutputReference"


def written_type(text: str) -> object:
    """The type of an argument, or None for a block."""
    if text.startswith("{"):
        return ["map", "string"]
    return {"string": "string", "number": "number", "boolean": "bool", "string[]": ["set", "string"]}.get(
        text
    )


def arguments(body: str) -> dict[str, object]:
    """The block that an interface stands for: arguments of the provider are declared nowhere else."""
    found = {}
    for name, optional, written in FIELD.findall(body):
        flag = "optional" if optional else "required"
        found[name] = {"type": written_type(written.partition(" | ")[0]) or ["map", "string"], flag: True}
    return {"attributes": found, "block_types": {}}


def block(name: str, classes: dict[str, tuple[str, str]]) -> dict[str, object]:
    """The block that a class stands for."""
    base, body = classes[name]
    if base == "interface":
        return arguments(body)
    marks = list(FLAGS.finditer(body))
    attributes: dict[str, object] = {}
    blocks: dict[str, object] = {}
    for mark, after in itertools.zip_longest(marks, marks[1:]):
        end = after.start() if after else len(body)
        field = mark[1]
        flags = {
            flag: True
            for flag, word in zip(("computed", "optional", "required"), mark.groups()[1:])
            if word == "true"
        }
        kind = attribute_type(body[mark.end() : end], field)
        if mark[1] == "alias" and base == "TerraformProvider":
            continue  # cdktf's own
        if not isinstance(kind, tuple):
            attributes[field] = {"type": kind, **flags}
            continue
        mode, inner = kind
        if mode == "one":
            shown = re.search(rf"^      {field}: \{{\n.*\n +isBlock: true,\n +type: \"(\w+)\"", body, re.M)
            mode = shown[1] if shown and shown[1] in ("set", "list") else "list"
            at_most = {"max_items": 1} if base != "TerraformProvider" else {}
        else:
            at_most = {}
        nested = block(inner, classes)
        if flags.get("computed"):
            # A block that may be left to the service is an attribute: a list of objects.
            shape = {key: value["type"] for key, value in nested["attributes"].items()}
            attributes[field] = {"type": [mode, ["object", shape]], **flags}
        else:
            blocks[field] = {
                "nesting_mode": mode,
                "block": nested,
                **({"min_items": 1} if flags.get("required") else {}),
                **at_most,
            }
    return {"attributes": attributes, "block_types": blocks}


def schema(wheel: str, package: str, types: list[str]) -> dict[str, object]:
    """Provider, resources and data sources (`data.TYPE`) of those types."""
    found = sources(wheel)
    made: dict[str, dict[str, object]] = {"resource_schemas": {}, "data_source_schemas": {}}

    def of(folder: str) -> dict[str, object]:
        classes = {m[1]: ("interface", m[2]) for m in INTERFACE.finditer(found[folder])}
        classes |= {m[1]: (m[2], m[3]) for m in CLASS.finditer(found[folder])}
        (main,) = [
            n
            for n, (base, _) in classes.items()
            if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        ]
        return {"version": 0, "block": block(main, classes)}

    for kind in types:
        data = kind.startswith("data.")
        plain = kind.removeprefix("data.")
        folder = plain.removeprefix(package + "_").replace("_", "-")
        made["data_source_schemas" if data else "resource_schemas"][plain] = of(
            f"data-{package}-{folder}" if data else folder
        )
    return {"provider": of("provider"), **made}


if __name__ == "__main__":
    print(json.dumps(schema(sys.argv[1], sys.argv[2], sys.argv[3:]), indent=1))
