"""Wait until the workers of Nova and Cinder have reported: until then the APIs say that they are down.

And ask Neutron once, alone: it loads its policies at the first request, and answers those that come
meanwhile with 200 and empty lists.
"""

import sys
import time

from cast import connect

WORKERS = 4 + 3  # conductor, scheduler, two computes; scheduler, volume, backup
admin = connect()
list(admin.network.networks())
end = time.time() + 120
while True:
    services = [*admin.compute.services(), *admin.block_storage.services()]
    up = [s for s in services if s.state == "up"]
    if len(up) == WORKERS:
        break
    if time.time() > end:
        sys.exit("not up: " + ", ".join(f"{s.binary} on {s.host} {s.state}" for s in services if s not in up))
    time.sleep(0.5)
