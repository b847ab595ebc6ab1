"""Octavia with the memory of its no-op drivers inside the bed.

They keep it in one file at a fixed place of the machine, which two beds would share and which would stay
behind. Loaded by uWSGI it is the API; run as a program, the worker.
"""

import os
import sys
from pathlib import Path

import sqlalchemy
from octavia.compute.drivers.noop_driver import driver as compute
from octavia.network.drivers.noop_driver import driver as network


def _engine(_url, **options):
    return sqlalchemy.create_engine(f"sqlite:///{Path(os.environ['DATA']) / 'octavia-noop.db'}", **options)


compute.create_engine = network.create_engine = _engine

if __name__ == "__main__":
    from octavia.cmd.octavia_worker import main

    sys.exit(main())
else:
    from octavia.wsgi.api import application as application
