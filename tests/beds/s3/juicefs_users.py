"""juicefs_users.py HOST:PORT  < credentials.tsv

Makes the users of the JuiceFS bed beside its root, and their policies, by MinIO's admin API.
May be repeated.
"""

import sys

from minio import MinioAdmin
from minio.credentials import StaticProvider

ROWS = [line.rstrip("\n").split("\t") for line in sys.stdin]
KEYS = {name: (access, secret) for name, access, secret, _ in ROWS}
OF_CONFIGURATION = ["s3:ListBucket", "s3:GetBucket*", "s3:GetLifecycleConfiguration", "s3:GetEncryptionConfiguration",
                    "s3:GetReplicationConfiguration", "s3:GetObject"]  # fmt: skip
SEEN_BY_READER = ["bi-tu-choi", "con", "du-lieu-mo", "etc.passwd", "ho-so-cong-dan", "khong-dat-gi", "nhat-ky", "ro-ri",
                  "sao-luu", "tam-dung", "the-*"]  # fmt: skip


def statement(effect, actions, *buckets):
    resources = [f"arn:aws:s3:::{b}{end}" for b in buckets for end in ("", "/*")]
    return {"Effect": effect, "Action": actions, "Resource": resources}


POLICIES = {
    "reader": [
        statement("Allow", OF_CONFIGURATION, *SEEN_BY_READER),
        statement("Deny", ["s3:Get*"], "bi-tu-choi"),
    ],
    "other": [statement("Allow", ["s3:*"], "khach-khac")],
}


def main():
    api = MinioAdmin(
        endpoint=sys.argv[1], credentials=StaticProvider(*KEYS["owner"]), secure=False, region="vn-hn-1"
    )
    for name in ("reader", "other", "empty"):
        api.user_add(*KEYS[name])
    for name, statements in POLICIES.items():
        api.policy_add(name, policy={"Version": "2012-10-17", "Statement": statements})
        api.policy_set(name, user=KEYS[name][0])


if __name__ == "__main__":
    main()
