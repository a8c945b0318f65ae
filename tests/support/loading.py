"""What a new process has loaded once it has imported something."""

import subprocess
import sys
from functools import cache


@cache
def loaded_by(imports: str) -> frozenset[str]:
    """Names of modules; a process tells for all that are asked for."""
    program = f"{imports}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())
