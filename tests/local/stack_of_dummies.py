"""`fengsui up` with a real Kafka and a real PostgreSQL under services that only answer: HOME PORT_BASE [SERVICES]."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local import plan, stack
from deploy.local.supervisor import Supervisor, run_until_told
from deploy.refusal import Refusal

if __name__ == "__main__":
    home, port_base = Path(sys.argv[1]), int(sys.argv[2])
    dummy = str(Path(__file__).with_name("dummy.py"))
    services = [
        plan.Service(name, offset, (sys.executable, dummy, name), migrates=False)
        for offset, name in enumerate(("ingest", "hazards"), 1)
    ]
    supervisor = Supervisor(home, lambda say: stack.build(home, port_base, False, services, os.environ, say))
    try:
        asyncio.run(run_until_told(supervisor))
    except Refusal as refusal:
        sys.exit(f"fengsui: {refusal}")
