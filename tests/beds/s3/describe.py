"""describe.py STATE yes|no - print the JSON object of `bed.sh STORE env`.

Joins facts.tsv and credentials.tsv of the state directory and writes beside
them the AWS credentials and config files, with one profile per credential.
Standard library only.
"""

import json
import os
import pathlib
import sys


def rows(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def main():
    state, up = pathlib.Path(sys.argv[1]), sys.argv[2] == "yes"
    out = {"up": up}
    for key, value in rows(state / "facts.tsv"):
        part, _, leaf = key.partition(".")
        if leaf:
            out.setdefault(part, {})[leaf] = value
        else:
            out[part] = value
    out["credentials"] = {
        name: {"access_key": access, "secret_key": secret, "profile": name, "note": note}
        for name, access, secret, note in rows(state / "credentials.tsv")
    }
    out["truth"] = str(state / "truth.json")
    out["aws_credentials_file"] = str(state / "aws-credentials")
    out["aws_config_file"] = str(state / "aws-config")
    out["logs"] = str(state / "log")

    keys = "".join(
        f"[{n}]\naws_access_key_id = {c['access_key']}\naws_secret_access_key = {c['secret_key']}\n\n"
        for n, c in out["credentials"].items()
    )
    config = "".join(
        f"[profile {n}]\nregion = {out['region']}\nendpoint_url = {out['endpoints']['http']}\n"
        "s3 =\n  addressing_style = path\n\n"
        for n in out["credentials"]
    )
    for path, text in ((out["aws_credentials_file"], keys), (out["aws_config_file"], config)):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
    json.dump(out, sys.stdout, ensure_ascii=False, indent=2)
    print()


if __name__ == "__main__":
    main()
