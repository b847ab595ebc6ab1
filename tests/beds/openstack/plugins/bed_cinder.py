"""Parts of Cinder that only the bed has. Loaded by the Cinder services through PYTHONPATH.

- FileDriver: a volume driver without disks.
- deny_factory: a WSGI filter for the listings that Cinder has no policy for.
- run as a program, it prints Cinder's policy file.
"""

import shutil
from pathlib import Path

DENIED_ROLE = "deny_block_storage"
DENIED_PATHS = ("/os-availability-zone", "/attachments", "/group_types")


def print_policies():
    """Cinder's own rules for reading, each with the denied role taken out.

    Only rules that are open to ordinary users are repeated; who could read before still can.
    """
    from cinder import policies

    for rule in policies.list_rules():
        reads = any(op["method"] == "GET" for op in getattr(rule, "operations", ()))
        if reads and rule.check_str != "rule:admin_api":
            print(f'"{rule.name}": "({rule.check_str}) and not role:{DENIED_ROLE}"')


def deny_factory(_global_conf, **_local_conf):
    """403 for the denied role on what Cinder answers to everyone."""

    def wrap(app):
        def filtered(environ, start_response):
            roles = environ.get("HTTP_X_ROLES", "").split(",")
            path = environ.get("PATH_INFO", "")
            if DENIED_ROLE in roles and any(p in path for p in DENIED_PATHS):
                body = b'{"forbidden": {"code": 403, "message": "Policy doesn\'t allow it to be performed."}}'
                start_response(
                    "403 Forbidden",
                    [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
                )
                return [body]
            return app(environ, start_response)

        return filtered

    return wrap


if __name__ == "__main__":
    print_policies()
else:
    from cinder import interface
    from cinder.volume import driver
    from oslo_config import cfg

    OPTS = [cfg.StrOpt("bed_volume_dir", default="/var/lib/cinder/bed", help="where the volume files are")]
    # A volume is much smaller than it says: nothing looks inside, and backups read the whole file.
    BYTES_PER_GIB = 256 * 1024

    @interface.volumedriver
    class FileDriver(driver.VolumeDriver):
        """Volumes and snapshots as files, handed out as "local" devices, so that backups read real data."""

        VERSION = "1.0"
        CI_WIKI_NAME = "none"

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.configuration.append_config_values(OPTS)
            self.dir = Path(self.configuration.bed_volume_dir)

        @staticmethod
        def get_driver_options():
            return OPTS

        def _path(self, thing):
            return self.dir / thing["name"]

        def _make(self, thing, size, source=None):
            path = self._path(thing)
            if source is not None:
                shutil.copyfile(self._path(source), path)
            with path.open("ab") as f:
                f.truncate(size * BYTES_PER_GIB)

        def _drop(self, thing):
            self._path(thing).unlink(missing_ok=True)

        def check_for_setup_error(self):
            self.dir.mkdir(parents=True, exist_ok=True)

        def create_volume(self, volume):
            self._make(volume, volume["size"])

        def create_volume_from_snapshot(self, volume, snapshot):
            self._make(volume, volume["size"], snapshot)

        def create_cloned_volume(self, volume, src_vref):
            self._make(volume, volume["size"], src_vref)

        def delete_volume(self, volume):
            self._drop(volume)

        def extend_volume(self, volume, new_size):
            self._make(volume, new_size)

        def create_snapshot(self, snapshot):
            self._make(snapshot, snapshot["volume_size"], snapshot["volume"])

        def delete_snapshot(self, snapshot):
            self._drop(snapshot)

        def ensure_export(self, context, volume):
            pass

        def create_export(self, context, volume, connector):
            pass

        def remove_export(self, context, volume):
            pass

        def initialize_connection(self, volume, connector):
            return {"driver_volume_type": "local", "data": {"device_path": str(self._path(volume))}}

        def terminate_connection(self, volume, connector, **kwargs):
            pass

        def _update_volume_stats(self):
            self._stats = {
                "volume_backend_name": self.configuration.safe_get("volume_backend_name") or "file",
                "vendor_name": "cloudaudit test bed",
                "driver_version": self.VERSION,
                "storage_protocol": "local",
                "total_capacity_gb": 1000,
                "free_capacity_gb": 900,
                "provisioned_capacity_gb": 0,
                "reserved_percentage": 0,
                "multiattach": True,
                "thin_provisioning_support": True,
                "QoS_support": False,
            }
